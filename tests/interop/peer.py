#!/usr/bin/env python3
"""The examples against the Python library websockets: its clients at echo_server, wscat at its servers.

usage: peer.py ECHO_SERVER WSCAT    (the programs' paths)
Prints a line for each case, `ok` or `FAILED`.
"""

import asyncio
import logging
import re
import sys
import urllib.error
import urllib.request

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

ECHO_SERVER, WSCAT = sys.argv[1:]
MIB = 1 << 20
MAX_MESSAGE = 2 * MIB
CASES = {}


def cases(*rows):
    """Makes cases of a function: each row is a name and the arguments."""

    def add(function):
        CASES.update((name, lambda args=args: function(*args)) for name, *args in rows)
        return function

    return add


def case(name):
    return cases([name])


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f"{short(actual)} instead of {short(expected)}")


def short(value):
    text = repr(value)
    return text if len(text) < 200 else text[:200] + "..."


# Clients at echo_server


class EchoServer:
    async def __aenter__(self):
        options = ["--protocol", "chat", "--protocol", "superchat", "--max-message", str(MAX_MESSAGE)]
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(ECHO_SERVER, "127.0.0.1:0", *options, stdout=pipe)
        line = (await self.process.stdout.readline()).decode()
        self.url = re.search(r"ws://\S+|$", line)[0]
        return self

    async def __aexit__(self, *_):
        self.process.kill()
        await self.process.wait()


def client(**options):
    return connect(server.url, max_size=None, proxy=None, **options)


@cases(
    ("client: text", "Hello"),
    ("client: text beyond ASCII", "κόσμε 🦀\0\ufeff"),
    ("client: empty text", ""),
    ("client: binary", bytes(range(256))),
    ("client: empty binary", b""),
    ("client: text of 1 MiB", "é" * (MIB // 2)),
    ("client: binary of 1 MiB", bytes(range(256)) * (MIB // 256)),
    ("client: binary of the greatest length", bytes(MAX_MESSAGE)),
)
async def echo(message):
    async with client() as ws:
        await ws.send(message)
        equal(await ws.recv(), message)


@cases(
    ("client: fragments of text", ["Hel", "", "lo κόσμε"]),
    ("client: fragments of binary", [b"", bytes(300), bytes(70000), b""]),
)
async def fragments(parts):
    async with client() as ws:
        await ws.send(parts)
        equal(await ws.recv(), parts[0][:0].join(parts))


@case("client: ping between fragments")
async def ping_between_fragments():
    async with client() as ws:

        async def parts():
            yield "before "
            await (await ws.ping(b"between"))
            yield "after"

        await ws.send(parts())
        equal(await ws.recv(), "before after")


@case("client: pings")
async def pings():
    async with client() as ws:
        for payload in [b"", b"x", bytes(range(125))]:
            await (await ws.ping(payload))
        await ws.pong(b"unasked")
        await echo("after the pong")


@case("client: 1000 messages in one go")
async def pipelined():
    async with client(max_queue=None) as ws:
        messages = [f"message {n}" for n in range(1000)]
        for message in messages:
            await ws.send(message)
        equal([await ws.recv() for _ in messages], messages)


@cases(
    ("client: closes with 1000", 1000),
    ("client: closes with 1001", 1001),
    ("client: closes with 3000", 3000),
    ("client: closes with 4999", 4999),
)
async def close(code):
    async with client() as ws:
        await ws.close(code, "good bye")
        equal(ws.protocol.close_rcvd.code, code)


@cases(
    ("client: an unmasked frame is answered with 1002", b"\x81\x00", 1002),
    ("client: bad UTF-8 is answered with 1007", b"\x81\x81\0\0\0\0\xff", 1007),
    ("client: a message too big is answered with 1009", b"\x82\xff" + (MAX_MESSAGE + 1).to_bytes(8, "big") + bytes(4), 1009),
)
async def violation(frame, code):
    async with client() as ws:
        ws.transport.write(frame)
        try:
            raise AssertionError(f"received {short(await ws.recv())}")
        except ConnectionClosed as closed:
            equal(closed.rcvd and closed.rcvd.code, code)


@cases(
    ("client: a subprotocol is agreed on", ["other", "superchat"], "superchat"),
    ("client: no subprotocol that the server knows", ["other"], None),
    ("client: no subprotocol", None, None),
)
async def subprotocol(offered, agreed):
    async with client(subprotocols=offered) as ws:
        equal(ws.subprotocol, agreed)


@case("client: 100 connections at once")
async def many():
    sockets = await asyncio.gather(*(client() for _ in range(100)))

    async def use(n, ws):
        for m in range(10):
            await ws.send(f"{n} {m}")
            equal(await ws.recv(), f"{n} {m}")
        await ws.close()

    await asyncio.gather(*map(use, range(100), sockets))


@case("client: a request without an upgrade is refused")
async def plain_http():
    try:
        await asyncio.to_thread(urllib.request.urlopen, server.url.replace("ws:", "http:"), timeout=10)
        raise AssertionError("it was not refused")
    except urllib.error.HTTPError as refusal:
        equal(refusal.code // 100, 4)


# wscat at servers


class Served:
    """wscat, run at a server with this handler."""

    def __init__(self, handler, *args, **options):
        self.handler, self.args, self.options = handler, args, options
        self.seen = {}

    async def handle(self, ws):
        self.seen = {"subprotocol": ws.subprotocol, "headers": ws.request.headers}
        try:
            await self.handler(ws)
            await ws.wait_closed()
        finally:
            self.seen["close"] = ws.protocol.close_rcvd and ws.protocol.close_rcvd.code

    async def __aenter__(self):
        self.server = await serve(self.handle, "127.0.0.1", 0, max_size=None, **self.options)
        url = "ws://127.0.0.1:{}/".format(self.server.sockets[0].getsockname()[1])
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(
            WSCAT, url, *self.args, stdin=pipe, stdout=pipe, stderr=pipe, limit=4 * MIB
        )
        return self

    async def __aexit__(self, *_):
        if self.process.returncode is None:
            self.process.kill()
        self.server.close()
        await self.server.wait_closed()

    async def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        await self.process.stdin.drain()

    async def line(self):
        return (await self.process.stdout.readline()).decode().removesuffix("\n")

    async def end(self):
        """Ends the standard input; the exit status."""
        self.process.stdin.close()
        return await self.process.wait()


async def echo_handler(ws):
    async for message in ws:
        await ws.send(message)


async def silent_handler(_):
    pass


@case("wscat: text and end of input")
async def wscat_echo():
    async with Served(echo_handler) as cat:
        for line in ["Hello", "κόσμε 🦀", "", "x" * MIB]:
            await cat.say(line)
            equal(await cat.line(), line)
        equal(await cat.end(), 0)
    equal(cat.seen["close"], 1000)


@case("wscat: 1000 lines in one go")
async def wscat_pipelined():
    async with Served(echo_handler) as cat:
        lines = [f"line {n}" for n in range(1000)]
        await cat.say("\n".join(lines))
        equal([await cat.line() for _ in lines], lines)
        equal(await cat.end(), 0)


@cases(
    ("wscat: fragments of text", ["Hel", "", "lo κόσμε"], "Hello κόσμε"),
    ("wscat: binary", b"\x00\xff", "binary: 00ff"),
    ("wscat: empty text", "", ""),
    ("wscat: text of 1 MiB", "é" * (MIB // 2), "é" * (MIB // 2)),
)
async def wscat_receives(message, line):
    async with Served(lambda ws: ws.send(message)) as cat:
        equal(await cat.line(), line)
        equal(await cat.end(), 0)


@case("wscat: answers pings")
async def wscat_pong():
    async def handler(ws):
        for payload in [b"", bytes(range(125))]:
            await (await ws.ping(payload))
        await ws.send("both were answered")

    async with Served(handler) as cat:
        equal(await cat.line(), "both were answered")
        equal(await cat.end(), 0)


@cases(
    ("wscat: server closes with 1000", 1000),
    ("wscat: server closes with 1001", 1001),
    ("wscat: server closes with 3000", 3000),
    ("wscat: server closes with 4999", 4999),
)
async def wscat_is_closed(code):
    async with Served(lambda ws: ws.close(code, "good bye")) as cat:
        equal(await cat.process.wait(), 0)
    equal(cat.seen["close"], code)


@case("wscat: server goes away without a Close")
async def wscat_is_dropped():
    async def handler(ws):
        ws.transport.abort()

    async with Served(handler) as cat:
        equal(await cat.process.wait(), 1)


@case("wscat: a violation by the server is answered with 1002")
async def wscat_fails():
    async def handler(ws):
        ws.transport.write(b"\x83\x00")

    async with Served(handler) as cat:
        equal(await cat.process.wait(), 1)
    equal(cat.seen["close"], 1002)


@cases(
    ("wscat: a subprotocol is agreed on", ["superchat"], "superchat"),
    ("wscat: the server knows no subprotocol", None, None),
)
async def wscat_subprotocol(known, agreed):
    async with Served(silent_handler, "--protocol", "chat", "--protocol", "superchat", subprotocols=known) as cat:
        equal(await cat.end(), 0)
    equal(cat.seen["subprotocol"], agreed)


@case("wscat: fields of its own")
async def wscat_fields():
    origin = "https://example.com"
    args = ["--header", "X-First: 1", "--header", "Authorization: Basic YTpi", "--origin", origin]
    async with Served(silent_handler, *args, origins=[origin]) as cat:
        equal(await cat.end(), 0)
    equal([cat.seen["headers"][name] for name in ["X-First", "Authorization", "Origin"]], ["1", "Basic YTpi", origin])


@case("wscat: a refused handshake is told")
async def wscat_refused():
    async with Served(silent_handler, process_request=lambda ws, _: ws.respond(403, "no entry\n")) as cat:
        told = (await cat.process.stderr.read()).decode()
        equal(await cat.process.wait(), 1)
    for part in ["403", "Content-Length", "no entry"]:
        if part not in told:
            raise AssertionError(f"no {part} in {told!r}")


@case("wscat: 20 at once")
async def wscat_many():
    await asyncio.gather(*(wscat_echo() for _ in range(20)))


async def main():
    global server
    failed = False
    async with EchoServer() as server:
        for name, run in CASES.items():
            try:
                await asyncio.wait_for(run(), 60)
                print(f"ok      websockets, {name}", flush=True)
            except Exception as error:
                failed = True
                print(f"FAILED  websockets, {name}: {error!r}", flush=True)
    return failed


logging.getLogger("websockets").setLevel(logging.CRITICAL)
sys.exit(asyncio.run(main()))
