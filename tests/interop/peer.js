// The examples against the npm package ws: its clients at echo_server, wscat at its servers.
//
// usage: node peer.js ECHO_SERVER WSCAT [--deflate]    (the programs' paths)
// With --deflate both sides of every connection compress, else the library offers it and the
// examples decline.
// Prints a line for each case, `ok` or `FAILED`.
'use strict';

const { deepStrictEqual: equal, match, ok } = require('node:assert');
const { spawn } = require('node:child_process');
const { randomBytes } = require('node:crypto');
const { once } = require('node:events');
const http = require('node:http');
const { createInterface } = require('node:readline');
const { text } = require('node:stream/consumers');
const { WebSocket, WebSocketServer } = require('ws');

const [ECHO_SERVER, WSCAT, ...DEFLATE] = process.argv.slice(2);
const COMPRESSES = DEFLATE.length > 0;
const MIB = 1 << 20;
const MAX_MESSAGE = 2 * MIB;
const EVERY_BYTE = Buffer.from([...Array(256).keys()]);
// Small messages that compress well even one by one, and long ones that compress in fragments.
const SMALL = Array.from({ length: 200 }, (_, id) => JSON.stringify([0, 1, 2, 3, 4].map((m) => ({ id, name: `name ${m}`, ok: true }))));
const LONG_TEXT = Array.from({ length: MIB / 32 }, (_, n) => `line ${n} κόσμε ${Math.sin(n)} `).join('').slice(0, MIB / 2);
const LONG_BINARY = Buffer.concat([randomBytes(MIB / 2), Buffer.alloc(MIB / 2, EVERY_BYTE)]);
const cases = [];
let echoUrl;

/** Makes cases of a function: each row is a name and the arguments. */
function add(rows, run) {
  for (const [name, ...args] of rows) cases.push([name, () => run(...args)]);
}

/** The next message: a string, or a Buffer if it is binary. */
async function message(ws) {
  const [data, isBinary] = await once(ws, 'message');
  return isBinary ? data : data.toString();
}

/** The code of the Close frame that was received: 1005 without a code, 1006 without a frame. */
async function closed(ws) {
  const [code] = await once(ws, 'close');
  return code;
}

// Parameters for the library, and those that must be negotiated. (With a window of 8 bits it
// compresses with 9, which makes no difference to a peer that inflates with 15.)
const NO_TAKEOVER = { serverNoContextTakeover: true, clientNoContextTakeover: true };
const BITS = [8, 9, 10, 11, 12, 13, 14, 15];
const PARAMS = [
  {},
  { serverNoContextTakeover: true },
  { clientNoContextTakeover: true },
  NO_TAKEOVER,
  ...BITS.map((bits) => ({ serverMaxWindowBits: bits })),
  ...BITS.map((bits) => ({ clientMaxWindowBits: bits })),
  { ...NO_TAKEOVER, serverMaxWindowBits: 9, clientMaxWindowBits: 10 },
  { ...NO_TAKEOVER, serverMaxWindowBits: 8, clientMaxWindowBits: 8 },
];

function said(params) {
  const name = (key) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return ['permessage-deflate', ...Object.entries(params).map(([key, value]) => (value === true ? name(key) : `${name(key)}=${value}`))].join('; ');
}

/** The settings of the library, so that it compresses everything. */
function perMessageDeflate(params = {}) {
  return COMPRESSES ? { threshold: 0, ...params } : true;
}

/** The messages must have needed fewer bytes on the wire than their length, in both directions. */
function wire(ws) {
  const { bytesRead, bytesWritten } = ws._socket;
  return (messages) => {
    const whole = Buffer.byteLength(messages.join(''));
    for (const taken of [ws._socket.bytesRead - bytesRead, ws._socket.bytesWritten - bytesWritten]) {
      ok(taken < whole * 0.8, `${whole} bytes took ${taken}`);
    }
  };
}

/** Sends fragments, each followed by a ping. */
function sendParts(ws, parts, binary) {
  parts.forEach((part, n) => {
    ws.send(part, { binary, fin: n === parts.length - 1 });
    ws.ping();
  });
}

// Clients at echo_server

async function client(protocols = [], params) {
  const ws = new WebSocket(echoUrl, protocols, { perMessageDeflate: perMessageDeflate(params) });
  ws.on('upgrade', ({ headers }) => (ws.negotiated = headers['sec-websocket-extensions']));
  await once(ws, 'open');
  equal(Boolean(ws.negotiated), COMPRESSES);
  return ws;
}

async function closeCleanly(ws) {
  ws.close(1000);
  equal(await closed(ws), 1000);
}

add(
  [
    ['client: text', 'Hello'],
    ['client: text beyond ASCII', 'κόσμε 🦀\0\ufeff'],
    ['client: empty text', ''],
    ['client: binary', EVERY_BYTE],
    ['client: empty binary', Buffer.alloc(0)],
    ['client: text of 1 MiB', 'é'.repeat(MIB / 2)],
    ['client: binary of 1 MiB', Buffer.alloc(MIB, EVERY_BYTE)],
    ['client: binary of the greatest length', Buffer.alloc(MAX_MESSAGE)],
  ],
  async (sent) => {
    const ws = await client();
    ws.send(sent);
    equal(await message(ws), sent);
    await closeCleanly(ws);
  },
);

add(
  [
    ['client: fragments of text', ['Hel', '', 'lo κόσμε'].map((part) => Buffer.from(part)), false],
    ['client: fragments that split a character', [...Buffer.from('a🦀b')].map((byte) => Buffer.of(byte)), false],
    ['client: fragments of binary, pings between them', [0, 300, 70000, 0].map((len) => Buffer.alloc(len, EVERY_BYTE)), true],
  ],
  async (parts, binary) => {
    const ws = await client();
    sendParts(ws, parts, binary);
    const whole = Buffer.concat(parts);
    equal(await message(ws), binary ? whole : whole.toString());
    await closeCleanly(ws);
  },
);

add([['client: pings']], async () => {
  const ws = await client();
  ws.pong('unasked');
  for (const payload of [Buffer.alloc(0), Buffer.from('x'), EVERY_BYTE.subarray(0, 125)]) {
    ws.ping(payload);
    equal(await once(ws, 'pong'), [payload]);
  }
  await closeCleanly(ws);
});

add([['client: 1000 messages in one go']], async () => {
  const ws = await client();
  const sent = Array.from({ length: 1000 }, (_, n) => `message ${n}`);
  sent.forEach((one) => ws.send(one));
  equal(await take(ws, sent.length), sent);
  await closeCleanly(ws);
});

add(
  [
    ['client: closes with 1000', 1000],
    ['client: closes with 1001', 1001],
    ['client: closes with 3000', 3000],
    ['client: closes with 4999', 4999],
    ['client: closes without a code', undefined],
  ],
  async (code) => {
    const ws = await client();
    ws.close(code, code && 'good bye');
    equal(await closed(ws), code ?? 1005);
  },
);

add(
  [
    ['client: an unmasked frame is answered with 1002', Buffer.of(0x81, 0), 1002],
    ['client: bad UTF-8 is answered with 1007', Buffer.of(0x81, 0x81, 0, 0, 0, 0, 0xff), 1007],
    ['client: a message too big is answered with 1009', Buffer.of(0x82, 0xff, 0, 0, 0, 0, 0, 0x20, 0, 1, 0, 0, 0, 0), 1009],
  ],
  async (frame, code) => {
    const ws = await client();
    ws._socket.write(frame);
    equal(await closed(ws), code);
  },
);

/** The messages that come, as many as were sent. */
async function take(ws, count) {
  const taken = [];
  const listener = (data) => taken.push(data.toString());
  ws.on('message', listener);
  while (taken.length < count) await once(ws, 'message');
  ws.off('message', listener);
  return taken;
}

if (COMPRESSES) {
  add(
    PARAMS.map((params) => [`client: ${said(params)}`, params]),
    async (params) => {
      const ws = await client([], params);
      equal(ws.negotiated, said(params));
      const parts = ['Hel', '', 'lo ', LONG_TEXT];
      for (const sent of ['Hello', 'κόσμε 🦀'.repeat(20), '', Buffer.alloc(0), EVERY_BYTE, LONG_TEXT, LONG_BINARY]) {
        ws.send(sent);
        equal(await message(ws), sent);
      }
      sendParts(ws, parts, false);
      equal(await message(ws), parts.join(''));
      const checkWire = wire(ws);
      for (const sent of SMALL) {
        ws.send(sent);
        ws.ping();
      }
      equal(await take(ws, SMALL.length), SMALL);
      checkWire(SMALL);
      await closeCleanly(ws);
    },
  );
}

add(
  [
    ['client: a subprotocol is negotiated', ['other', 'superchat'], 'superchat'],
    ['client: no subprotocol', [], ''],
  ],
  async (offered, negotiated) => {
    const ws = await client(offered);
    equal(ws.protocol, negotiated);
    await closeCleanly(ws);
  },
);

add([['client: 100 connections at once']], async () => {
  const sockets = await Promise.all(Array.from({ length: 100 }, () => client()));
  const use = async (ws, n) => {
    for (let m = 0; m < 10; m++) {
      ws.send(`${n} ${m}`);
      equal(await message(ws), `${n} ${m}`);
    }
    await closeCleanly(ws);
  };
  await Promise.all(sockets.map(use));
});

add([['client: a request without an upgrade is refused']], async () => {
  const [response] = await once(http.get(echoUrl.replace('ws:', 'http:')), 'response');
  response.resume();
  equal(Math.floor(response.statusCode / 100), 4);
});

// wscat at servers

/** Runs wscat at a server with this handler, calls `use`, and returns the code of its Close. */
async function withWscat(handler, use, { args = [], params, ...options } = {}) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: perMessageDeflate(params), ...options });
  const serverClosed = new Promise((resolve) => {
    server.on('connection', (ws, request) => {
      ws.on('close', resolve);
      ws.on('error', () => {});
      ws.extensions === (COMPRESSES ? 'permessage-deflate' : '') ? handler(ws, request) : ws.terminate();
    });
  });
  await once(server, 'listening');
  const child = spawn(WSCAT, [`ws://127.0.0.1:${server.address().port}/`, ...DEFLATE, ...args]);
  try {
    const lines = createInterface({ input: child.stdout, crlfDelay: Infinity })[Symbol.asyncIterator]();
    const exited = once(child, 'close');
    const cat = {
      child,
      say: (line) => child.stdin.write(line + '\n'),
      line: async () => (await lines.next()).value,
      /** The exit status. */
      exit: async () => {
        while (!(await lines.next()).done);
        return (await exited)[0];
      },
    };
    cat.end = () => {
      child.stdin.end();
      return cat.exit();
    };
    await use(cat);
    return options.verifyClient ? undefined : await serverClosed;
  } finally {
    child.kill();
    for (const ws of server.clients) ws.terminate();
    server.close();
  }
}

const echoHandler = (ws) => ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));

async function wscatEcho() {
  const code = await withWscat(echoHandler, async (cat) => {
    for (const line of ['Hello', 'κόσμε 🦀', '', 'x'.repeat(MIB)]) {
      cat.say(line);
      equal(await cat.line(), line);
    }
    equal(await cat.end(), 0);
  });
  equal(code, 1000);
}

add([['wscat: text and end of input']], wscatEcho);
add([['wscat: 20 at once']], () => Promise.all(Array.from({ length: 20 }, wscatEcho)));

add(
  [
    ['wscat: binary', [Buffer.of(0, 255)], true, 'binary: 00ff'],
    ['wscat: text of 1 MiB', [Buffer.from('é'.repeat(MIB / 2))], false, 'é'.repeat(MIB / 2)],
    ['wscat: fragments of text, pings between them', [...Buffer.from('a🦀b')].map((byte) => Buffer.of(byte)), false, 'a🦀b'],
  ],
  async (parts, binary, line) => {
    const handler = (ws) => sendParts(ws, parts, binary);
    await withWscat(handler, async (cat) => {
      equal(await cat.line(), line);
      equal(await cat.end(), 0);
    });
  },
);

if (COMPRESSES) {
  add(
    PARAMS.map((params) => [`wscat: ${said(params)}`, params]),
    async (params) => {
      const parts = ['Hel', '', 'lo ', LONG_TEXT];
      const lines = ['Hello', 'κόσμε 🦀'.repeat(20), '', LONG_TEXT];
      let checkWire;
      const handler = (ws) => {
        ws.send(EVERY_BYTE);
        sendParts(ws, parts, false);
        echoHandler(ws);
        ws.on('message', (data) => {
          ws.ping();
          if (data.toString() === 'small ones') checkWire = wire(ws);
        });
      };
      const code = await withWscat(
        handler,
        async (cat) => {
          const [told] = await once(createInterface({ input: cat.child.stderr }), 'line');
          equal(told, `extension: ${said(params)}`);
          equal(await cat.line(), `binary: ${EVERY_BYTE.toString('hex')}`);
          equal(await cat.line(), parts.join(''));
          for (const line of [...lines, 'small ones']) {
            cat.say(line);
            equal(await cat.line(), line);
          }
          cat.say(SMALL.join('\n'));
          for (const line of SMALL) equal(await cat.line(), line);
          checkWire(SMALL);
          equal(await cat.end(), 0);
        },
        { params },
      );
      equal(code, 1000);
    },
  );
}

add([['wscat: answers pings']], async () => {
  const handler = (ws) => {
    ws.ping('any payload');
    ws.once('pong', (payload) => ws.send(payload, { binary: false }));
  };
  await withWscat(handler, async (cat) => {
    equal(await cat.line(), 'any payload');
    equal(await cat.end(), 0);
  });
});

add(
  [
    ['wscat: server closes with 1000', 1000],
    ['wscat: server closes with 1001', 1001],
    ['wscat: server closes with 3000', 3000],
    ['wscat: server closes with 4999', 4999],
    ['wscat: server closes without a code', undefined],
  ],
  async (code) => {
    const handler = (ws) => ws.close(code, code && 'good bye');
    const received = await withWscat(handler, async (cat) => equal(await cat.exit(), 0));
    equal(received, code ?? 1005);
  },
);

add(
  [
    ['wscat: server goes away without a Close', (ws) => ws.terminate(), 1006],
    ['wscat: a violation by the server is answered with 1002', (ws) => ws._socket.write(Buffer.of(0x83, 0)), 1002],
  ],
  async (handler, code) => {
    const received = await withWscat(handler, async (cat) => equal(await cat.exit(), 1));
    equal(received, code);
  },
);

add(
  [
    ['wscat: a subprotocol is negotiated', () => 'superchat', 'superchat'],
    ['wscat: the server knows no subprotocol', () => false, ''],
  ],
  async (handleProtocols, negotiated) => {
    const handler = (ws) => ws.send(`negotiated: ${ws.protocol}`);
    const args = ['--protocol', 'chat', '--protocol', 'superchat'];
    await withWscat(
      handler,
      async (cat) => {
        equal(await cat.line(), `negotiated: ${negotiated}`);
        equal(await cat.end(), 0);
      },
      { args, handleProtocols },
    );
  },
);

add([['wscat: fields of its own']], async () => {
  const handler = (ws, { headers }) => ws.send(`${headers['x-first']}, ${headers.authorization}, ${headers.origin}`);
  const args = ['--header', 'X-First: 1', '--header', 'Authorization: Basic YTpi', '--origin', 'https://example.com'];
  await withWscat(
    handler,
    async (cat) => {
      equal(await cat.line(), '1, Basic YTpi, https://example.com');
      equal(await cat.end(), 0);
    },
    { args },
  );
});

add([['wscat: a refused handshake is told']], async () => {
  const verifyClient = (_, done) => done(false, 403, 'no entry');
  await withWscat(
    () => {},
    async (cat) => {
      match(await text(cat.child.stderr), /403[^]*Content-Length[^]*no entry/);
      equal(await cat.exit(), 1);
    },
    { verifyClient },
  );
});

async function main() {
  process.exitCode = 1; // should it end before the last case
  const server = spawn(
    ECHO_SERVER,
    ['127.0.0.1:0', '--protocol', 'chat', '--protocol', 'superchat', '--max-message', `${MAX_MESSAGE}`, ...DEFLATE],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = await once(createInterface({ input: server.stdout }), 'line');
  echoUrl = line.match(/ws:\S+/)[0];
  const library = ['ws', ...(COMPRESSES ? ['deflate'] : [])].join(', ');
  let failed = 0;
  for (const [name, run] of cases) {
    let timer;
    const timeout = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error('timeout')), 60_000);
    });
    try {
      await Promise.race([run(), timeout]);
      console.log(`ok      ${library}, ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${library}, ${name}: ${error.message.replace(/\s+/g, ' ').slice(0, 300)}`);
    }
    clearTimeout(timer);
  }
  server.kill();
  process.exit(failed ? 1 : 0);
}

main();
