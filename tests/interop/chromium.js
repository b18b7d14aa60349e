// echo_server --deflate against Chromium: a page connects, echoes, and reports the negotiated
// parameters.
//
// usage: node chromium.js ECHO_SERVER CHROMIUM    (the programs' paths)
// Prints a line for each case, `ok` or `FAILED`.
'use strict';

const { deepStrictEqual: equal, ok } = require('node:assert');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const { createInterface } = require('node:readline');
const { chromium } = require('playwright-core');

const [ECHO_SERVER, CHROMIUM] = process.argv.slice(2);
// Chromium's own errands are for a network that need not be there.
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Runs in the page: sends messages, and receives as many. */
async function converse([url, make]) {
  const MIB = 1 << 20;
  const long = 'κόσμε and more text, '.repeat(MIB);
  const sent = {
    text: ['Hello', 'κόσμε 🦀'.repeat(20), ''],
    binary: [new Uint8Array(0), Uint8Array.from({ length: 256 }, (_, n) => n), Uint8Array.from({ length: 5000 }, (_, n) => (n * n) >> 5)],
    'text of 1 MiB': [long.slice(0, MIB)],
    'binary of 1 MiB': [Uint8Array.from({ length: MIB }, (_, n) => (n < MIB / 2 ? n : Math.random() * 256))],
    '200 small JSON messages': Array.from({ length: 200 }, (_, id) => JSON.stringify({ id, name: `name ${id}`, tags: ['a tag', 'another tag'], ok: true })),
  }[make];
  const ws = new WebSocket(url);
  ws.binaryType = 'arraybuffer';
  const received = [];
  const closed = new Promise((resolve) => ws.addEventListener('close', resolve));
  await new Promise((resolve, reject) => {
    ws.addEventListener('open', resolve);
    ws.addEventListener('error', () => reject(new Error('error')));
  });
  const { extensions } = ws;
  const all = new Promise((resolve) => {
    ws.addEventListener('message', ({ data }) => received.push(data) === sent.length && resolve());
  });
  for (const message of sent) ws.send(message);
  await Promise.race([all, closed]);
  const same = (a, b) => (typeof a === 'string' ? a === b : b instanceof ArrayBuffer && a.length === b.byteLength && new Uint8Array(b).every((byte, n) => byte === a[n]));
  const echoed = received.length === sent.length && sent.every((message, n) => same(message, received[n]));
  ws.close(1000, 'good bye');
  const { code, wasClean } = await closed;
  const length = sent.reduce((sum, message) => sum + new Blob([message]).size, 0);
  return { extensions, echoed, code, wasClean, length };
}

/** A proxy between the page and the server, which counts bytes each way. */
function counter(port) {
  const server = net.createServer((socket) => {
    const to = net.connect(port, '127.0.0.1');
    socket.pipe(to).pipe(socket);
    for (const end of [socket, to]) end.on('error', () => {});
    server.taken = () => [socket.bytesRead, to.bytesRead];
  });
  return server.listen(0, '127.0.0.1');
}

async function main() {
  process.exitCode = 1; // should it end before the last case
  const server = spawn(ECHO_SERVER, ['127.0.0.1:0', '--deflate'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: server.stdout }), 'line');
  const between = counter(Number(line.match(/:(\d+)\/$/)[1]));
  const pages = http.createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>echo</title>'));
  pages.listen(0, '127.0.0.1');
  await Promise.all([once(between, 'listening'), once(pages, 'listening')]);
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS, timeout: 120_000 });
  let failed = 0;
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${pages.address().port}/`);
    const url = `ws://127.0.0.1:${between.address().port}/`;
    // The share of its length that the messages may occupy each way, the handshake included.
    for (const [name, share] of [['text', 3], ['binary', 1], ['text of 1 MiB', 0.02], ['binary of 1 MiB', 0.6], ['200 small JSON messages', 0.5]]) {
      let timer;
      const timeout = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error('timeout')), 60_000);
      });
      try {
        const { length, ...told } = await Promise.race([page.evaluate(converse, [url, name]), timeout]);
        equal(told, { extensions: 'permessage-deflate', echoed: true, code: 1000, wasClean: true });
        const taken = between.taken();
        for (const bytes of taken) ok(bytes < length * share, `${length} bytes took ${taken}`);
        console.log(`ok      Chromium ${browser.version()}, ${name}: ${told.extensions}, ${length} bytes took ${taken.join(' and ')}`);
      } catch (error) {
        failed += 1;
        console.log(`FAILED  Chromium ${browser.version()}, ${name}: ${error.message.replace(/\s+/g, ' ').slice(0, 300)}`);
      }
      clearTimeout(timer);
    }
  } finally {
    await browser.close();
    server.kill();
  }
  process.exit(failed ? 1 : 0);
}

main().catch((error) => {
  console.log(`FAILED  Chromium: ${error.message.replace(/\s+/g, ' ').slice(0, 300)}`);
  process.exit(1);
});
