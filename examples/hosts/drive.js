// Hosts against Node and Chromium. hyper_upgrade: a page by HTTP/2, a WebSocket by HTTP/2's
// extended CONNECT (node:http2, with frames by hand), and a page in Chromium. tokio_echo with TLS:
// the library ws. tokio_chat: its page, in two windows. The relay between a client and a server of
// ws.
//
// usage: node drive.js DIR CHROMIUM    (where the programs are, and Chromium's path)
// Prints a line for each case, `ok` or `FAILED`.
'use strict';

const { strictEqual: equal, deepStrictEqual: deepEqual, ok } = require('node:assert');
const { spawn } = require('node:child_process');
const { randomBytes } = require('node:crypto');
const { once } = require('node:events');
const { mkdtempSync, readFileSync, rmSync } = require('node:fs');
const http2 = require('node:http2');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { createInterface } = require('node:readline');
const { chromium } = require('playwright-core');
const { WebSocket, WebSocketServer } = require('ws');

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
    console.log(`ok      ${name}${note ? `: ${note}` : ''}`);
  } catch (error) {
    failed = true;
    console.log(`FAILED  ${name}: ${error.message.replace(/\s+/g, ' ').slice(0, 300)}`);
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

/** Starts a host. Returns the lines that it prints, of which the first one is its URL. */
async function host(...command) {
  const [name, ...args] = command;
  const server = spawn(`${DIR}/${name}`, ['127.0.0.1:0', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('exit', () => server.kill());
  const lines = [];
  const reader = createInterface({ input: server.stdout });
  reader.on('line', (line) => lines.push(line));
  await once(reader, 'line');
  return lines;
}

async function relay() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: { threshold: 0 }, maxPayload: 0 });
  await once(server, 'listening');
  const [url] = await host('relay', `127.0.0.1:${server.address().port}`);

  await test('relay, between a client and a server of ws', async () => {
    const connected = once(server, 'connection');
    const client = new WebSocket(url, { maxPayload: 0 });
    await once(client, 'open');
    const [peer] = await connected;
    equal(client.extensions, 'permessage-deflate');
    equal(peer.extensions, 'permessage-deflate');
    peer.on('message', (data, binary) => peer.send(data, { binary }));
    for (const message of ['κόσμε 🦀', '', 'κόσμε '.repeat(100_000), randomBytes(4 * MIB), Buffer.alloc(64 * MIB)]) {
      client.send(message);
      const [echoed] = await once(client, 'message');
      ok(echoed.equals(Buffer.from(message)));
    }
    const pong = once(client, 'pong');
    const ping = once(peer, 'ping');
    client.ping('p');
    equal(String(await ping), 'p');
    equal(String(await pong), 'p');
    // Either end may notice it first.
    const closed = Promise.all([once(peer, 'close'), once(client, 'close')]);
    client.close(4321, 'good bye');
    const [[code, reason], [answered]] = await closed;
    equal(`${code} ${reason}`, '4321 good bye');
    equal(answered, 4321);
  });
  server.close();
}

/** The library ws, with a certificate that it verifies. */
async function tlsEcho() {
  const directory = mkdtempSync(join(tmpdir(), 'hosts-'));
  const file = join(directory, 'cert.pem');
  const [url] = await host('tokio_echo', file);
  await test('tokio_echo, TLS, the library ws', async () => {
    const ws = new WebSocket(url, { ca: readFileSync(file) });
    await once(ws, 'open');
    const messages = ['κόσμε 🦀', randomBytes(MIB), '', ...Array.from({ length: 100 }, (_, i) => `message ${i}`)];
    const echoed = new Promise((resolve) => {
      const received = [];
      ws.on('message', (data, isBinary) => {
        received.push(isBinary ? data : data.toString());
        if (received.length === messages.length) resolve(received);
      });
    });
    for (const message of messages) ws.send(message);
    deepEqual(await echoed, messages);
    ws.close(4321, 'good bye');
    equal((await once(ws, 'close'))[0], 4321);
  });
  rmSync(directory, { recursive: true });
}

/** Two windows in a room, and one in another. */
async function chat(browser) {
  const [url] = await host('tokio_chat');
  const enter = async (name, room) => {
    const page = await (await browser.newContext()).newPage();
    page.on('dialog', (dialog) => dialog.accept(name));
    await page.goto(`${url}#${room}`);
    await page.waitForSelector(`li:has-text("${name} is here")`);
    return page;
  };
  await test(`tokio_chat, its page in Chromium ${browser.version()}`, async () => {
    const ann = await enter('Ann', 'the first');
    const bob = await enter('Bob', 'the first');
    const zoe = await enter('Zoe', 'the second');
    await ann.waitForSelector('li:has-text("Bob is here")');
    const text = '<b>κόσμε</b> 🦀 '.repeat(30).trim();
    await ann.fill('#text', text);
    await ann.click('button');
    for (const page of [ann, bob]) {
      await page.waitForFunction((line) => document.querySelector('li').textContent === line, `Ann: ${text}`);
    }
    equal(await bob.evaluate(() => ws.extensions), 'permessage-deflate');
    equal(await zoe.locator('li').allTextContents().then(String), 'Zoe is here');
    await bob.close();
    await ann.waitForSelector('li:has-text("Bob left")');
    // It comes back after a lost connection.
    await ann.evaluate(() => ws.close());
    await ann.waitForFunction(() => document.querySelector('li').textContent === 'Ann is here');
  });
}

async function main() {
  process.exitCode = 1; // should it end before the last case
  await relay();
  await tlsEcho();
  const lines = await host('hyper_upgrade');
  const [url] = lines;
  const origin = url.replace(/\/$/, '');
  const session = http2.connect(url, { rejectUnauthorized: false });
  await once(session, 'remoteSettings');

  const connect = { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/ws', 'sec-websocket-version': '13', origin };

  await test('hyper_upgrade, a page by HTTP/2', async () => {
    const { stream, answer } = await request(session, { ':path': '/' });
    equal(answer[':status'], 200);
    equal(answer['content-type'], 'text/html');
    ok((await stream.setEncoding('utf8').toArray()).join('').includes('new WebSocket'));
  });

  await test(`hyper_upgrade, extended CONNECT by Node ${process.version}`, async () => {
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
    await test(`hyper_upgrade, extended CONNECT, ${name} is answered with ${status}`, async () => {
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
  await test(`hyper_upgrade, its page in Chromium ${browser.version()}, by HTTP/2`, async () => {
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
  await chat(browser);
  await browser.close();
  process.exit(failed ? 1 : 0);
}

main().catch((error) => {
  console.log(`FAILED  ${error.message.replace(/\s+/g, ' ').slice(0, 300)}`);
  process.exit(1);
});
