// A client made with the npm package ws: sends all kinds of messages to an echo server, and closes.
//
// usage: node client.js URL CLOSE_CODE [deflate]
'use strict';

const { once } = require('node:events');
const WebSocket = require('ws');

const [url, code, deflate] = process.argv.slice(2);
const options = { perMessageDeflate: deflate ? { threshold: 0 } : false };

async function main() {
  const ws = new WebSocket(url, options);
  await once(ws, 'open');
  const echoed = async (send) => {
    const answer = once(ws, 'message');
    send();
    await answer;
  };
  for (const message of ['Hello', 'κόσμε 🦀 '.repeat(30), '', Buffer.alloc(300, 7), Buffer.alloc(0), 'x'.repeat(70000)]) {
    await echoed(() => ws.send(message));
  }
  await echoed(() => {
    ws.send('frag', { fin: false });
    ws.ping('between');
    ws.send('', { fin: false });
    ws.send('ments', { fin: true });
  });
  ws.close(Number(code), 'good bye');
  await once(ws, 'close');
}

main();
