// A chat in Chromium: a page talks to an echo server that compresses, and closes. Chromium logs the
// bytes in LOG.
//
// usage: node chromium.js URL CHROMIUM LOG
'use strict';

const http = require('node:http');
const { once } = require('node:events');
const { chromium } = require('playwright-core');

const [url, executablePath, log] = process.argv.slice(2);

async function main() {
  const pages = http.createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>chat</title>'));
  await once(pages.listen(0, '127.0.0.1'), 'listening');
  const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', `--log-net-log=${log}`, '--net-log-capture-mode=Everything'];
  const browser = await chromium.launch({ executablePath, headless: true, args, timeout: 60_000 });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${pages.address().port}/`);
  await page.evaluate(async (url) => {
    const ws = new WebSocket(url, ['superchat', 'chat']);
    const next = (event) => new Promise((resolve) => ws.addEventListener(event, resolve, { once: true }));
    await next('open');
    for (const text of ['Hello', 'How are you?', 'Fine, and how are you?', 'Fine, too. κόσμε 🦀', 'x'.repeat(5000), '']) {
      ws.send(JSON.stringify({ user: 'me', text }));
      await next('message');
    }
    ws.close(1000, 'good bye');
    await next('close');
  }, url);
  await browser.close();
  pages.close();
}

main();
