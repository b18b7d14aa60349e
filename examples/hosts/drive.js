// hyper_upgrade against Node: a page by HTTP/2, a WebSocket by HTTP/2's extended CONNECT
// (node:http2, with frames by hand), and a page in Chromium.
//
// usage: node drive.js DIR CHROMIUM    (where the programs are, and Chromium's path)
// Prints a line for each case, `ok` or `FAILED`.
'use strict';

const { strictEqual: equal, ok } = require('node:assert');
const { spawn } = require('node:child_process');
const { randomBytes } = require('node:crypto');
const { once } = require('node:events');
const http2 = require('node:http2');
const { createInterface } = require('node:readline');
const { chromium } = require('playwright-core');

const [DIR, CHROMIUM] = process.argv.slice(2);
const MIB = 1 << 20;
let failed = false;

async function test(name, run) {
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('timeout')), 60_000);
  });
  try {
    const note = await Promise.race([run(), timeout]);
    console.log(`ok      hyper_upgrade, ${name}${note ? `: ${note}` : ''}`);
  } catch (error) {
    failed = true;
    console.log(`FAILED  hyper_upgrade, ${name}: ${error.message.replace(/\s+/g, ' ').slice(0, 300)}`);
  }
  clearTimeout(timer);
}

/** A request on a session of HTTP/2: its stream, with the headers of the answer. */
async function request(session, headers, options) {
  const stream = session.request(headers, options);
  const [answer] = await once(stream, 'response');
  return { stream, answer };
}

/** A frame with FIN and opcode in `first`, masked with a key of zeros or not at all. */
function frame(first, payload, masked = true) {
  const bytes = Buffer.from(payload);
  const mask = masked ? 0x80 : 0;
  const header = Buffer.alloc(bytes.length < 126 ? 2 : 10);
  header[0] = first;
  header[1] = mask | Math.min(bytes.length, 127);
  if (bytes.length > 125) header.writeBigUInt64BE(BigInt(bytes.length), 2);
  return Buffer.concat([header, Buffer.alloc(masked ? 4 : 0), bytes]);
}

async function main() {
  process.exitCode = 1; // should it end before the last case
  const server = spawn(`${DIR}/hyper_upgrade`, ['127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('exit', () => server.kill());
  const lines = [];
  const reader = createInterface({ input: server.stdout });
  reader.on('line', (line) => lines.push(line));
  await once(reader, 'line');
  const url = lines[0];
  const origin = url.replace(/\/$/, '');
  const session = http2.connect(url, { rejectUnauthorized: false });
  await once(session, 'remoteSettings');

  const connect = { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/ws', 'sec-websocket-version': '13', origin };

  await test('a page by HTTP/2', async () => {
    const { stream, answer } = await request(session, { ':path': '/' });
    equal(answer[':status'], 200);
    equal(answer['content-type'], 'text/html');
    ok((await stream.setEncoding('utf8').toArray()).join('').includes('new WebSocket'));
  });

  await test(`extended CONNECT by Node ${process.version}`, async () => {
    ok(session.remoteSettings.enableConnectProtocol);
    const { stream, answer } = await request(session, connect, { endStream: false });
    equal(answer[':status'], 200);
    const received = stream.toArray();
    const text = Buffer.from('κόσμε 🦀');
    const long = randomBytes(MIB);
    stream.write(Buffer.concat([frame(0x81, text), frame(0x82, long), frame(1, 'frag'), frame(0x89, 'x'), frame(0x80, 'ments')]));
    stream.write(frame(0x88, Buffer.from('10e1', 'hex')));
    await once(stream, 'end');
    stream.end();
    const expected = [[0x81, text], [0x82, long], [0x8a, 'x'], [0x81, 'fragments'], [0x88, Buffer.from('10e1', 'hex')]];
    ok(Buffer.concat(await received).equals(Buffer.concat(expected.map(([first, payload]) => frame(first, payload, false)))));
  });

  for (const [name, changed, status] of [
    ['a page of another site', { origin: 'https://example.com' }, 403],
    ['another protocol', { ':protocol': 'connect-udp' }, 501],
    // 426 needs Upgrade, which HTTP/2 does not have.
    ['another version', { 'sec-websocket-version': '12' }, 400],
  ]) {
    await test(`extended CONNECT, ${name} is answered with ${status}`, async () => {
      const { stream, answer } = await request(session, { ...connect, ...changed }, { endStream: false });
      stream.close();
      equal(answer[':status'], status);
    });
  }
  session.close();

  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    timeout: 60_000,
  });
  await test(`its page in Chromium ${browser.version()}, by HTTP/2`, async () => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForFunction(() => document.title === 'hello');
    const told = await page.evaluate(async () => {
      const closed = new Promise((resolve) => ws.addEventListener('close', resolve));
      const long = 'κόσμε '.repeat(100_000);
      const echoed = new Promise((resolve) => ws.addEventListener('message', ({ data }) => resolve(data === long)));
      ws.send(long);
      const same = await echoed;
      ws.close(4321, 'good bye');
      const { code, wasClean } = await closed;
      return [ws.extensions, same, code, wasClean].join(' ');
    });
    equal(told, 'permessage-deflate true 4321 true');
    equal(lines.at(-1), 'a WebSocket by HTTP/2.0');
  });
  await browser.close();
  process.exit(failed ? 1 : 0);
}

main().catch((error) => {
  console.log(`FAILED  hyper_upgrade: ${error.message.replace(/\s+/g, ' ').slice(0, 300)}`);
  process.exit(1);
});
