#!/usr/bin/env python3
"""The examples against the Python library websockets: its clients at echo_server, wscat at its servers.

usage: peer.py ECHO_SERVER WSCAT [--deflate]    (the programs' paths)
With --deflate both sides of every connection compress, else the library offers it and the examples decline.
Prints a line for each case, `ok` or `FAILED`.
"""

import asyncio
import json
import logging
import random
import re
import sys
import urllib.error
import urllib.request
import zlib

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)

ECHO_SERVER, WSCAT, *DEFLATE = sys.argv[1:]
MIB = 1 << 20
MAX_MESSAGE = 2 * MIB
# Small messages that compress well even one by one, and long ones that compress in fragments.
SMALL = [json.dumps([{"id": n, "name": f"name {m}", "ok": True} for m in range(5)]) for n in range(200)]
RANDOM = random.Random(3)
LONG_TEXT = "".join(f"line {n} κόσμε {RANDOM.random()} " for n in range(MIB))[: MIB // 2]
LONG_BINARY = RANDOM.randbytes(MIB // 2) + bytes(range(256)) * (MIB // 512)
CASES = {}


def cases(*rows):
    """Makes cases of a function: each row is a name and the arguments."""

    def add(function):
        CASES.update((name, lambda args=args: function(*args)) for name, *args in rows)
        return function

    return add


def case(name):
    return cases([name])


def deflate_cases(*rows):
    """Makes cases of compression."""
    return cases(*(rows if DEFLATE else ()))


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f"{short(actual)} instead of {short(expected)}")


def short(value):
    text = repr(value)
    return text if len(text) < 200 else text[:200] + "..."


def negotiated(ws):
    """The negotiated parameters, in the words of the server."""
    return ws.response.headers.get("Sec-WebSocket-Extensions")


def check_agreed(ws):
    if bool(negotiated(ws)) != bool(DEFLATE):
        raise AssertionError(f"negotiated {negotiated(ws)}")
    return ws


def counting(decode):
    """Adds up how long the frames are that come to an extension."""

    def counted(extension, frame, **options):
        extension.wire = wire(extension) + len(frame.data)
        return decode(extension, frame, **options)

    return counted


def wire(extension):
    return getattr(extension, "wire", 0)


PerMessageDeflate.decode = counting(PerMessageDeflate.decode)

# Parameters for the library, and those that must be negotiated. It cannot compress with a window of
# 8 bits.
NO_TAKEOVER = ["server_no_context_takeover", "client_no_context_takeover"]
PARAMS = [
    {},
    {NO_TAKEOVER[0]: True},
    {NO_TAKEOVER[1]: True},
    {NO_TAKEOVER[0]: True, NO_TAKEOVER[1]: True},
    *({"server_max_window_bits": bits} for bits in range(8, 16)),
    *({"client_max_window_bits": bits} for bits in range(8, 16)),
    {NO_TAKEOVER[0]: True, NO_TAKEOVER[1]: True, "server_max_window_bits": 9, "client_max_window_bits": 10},
]


def said(params):
    return "; ".join(["permessage-deflate", *(name if value is True else f"{name}={value}" for name, value in params.items())])


def check_wire(extension, before, messages):
    """The messages must have come compressed."""
    taken, whole = wire(extension) - before, sum(map(len, messages))
    if taken > whole * 0.8:
        raise AssertionError(f"{whole} bytes came as {taken}")


# Clients at echo_server


class EchoServer:
    async def __aenter__(self):
        options = ["--protocol", "chat", "--protocol", "superchat", "--max-message", str(MAX_MESSAGE), *DEFLATE]
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(ECHO_SERVER, "127.0.0.1:0", *options, stdout=pipe)
        line = (await self.process.stdout.readline()).decode()
        self.url = re.search(r"ws://\S+|$", line)[0]
        return self

    async def __aexit__(self, *_):
        self.process.kill()
        await self.process.wait()


class client(connect):
    def __init__(self, **options):
        super().__init__(server.url, max_size=None, proxy=None, **options)

    async def __aenter__(self):
        return check_agreed(await super().__aenter__())


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


@deflate_cases(
    *((f"client: {said(params)}", params) for params in PARAMS if params.get("client_max_window_bits") != 8),
    ("client: the library's parameters", None),
)
async def parameters(params):
    extensions = None if params is None else [ClientPerMessageDeflateFactory(**{"client_max_window_bits": True} | params)]
    async with client(extensions=extensions, max_queue=None) as ws:
        equal(negotiated(ws), said(params or {}))
        [extension] = ws.protocol.extensions

        async def parts():
            for part in ["Hel", "", "lo ", LONG_TEXT]:
                yield part
                await (await ws.ping())

        for message in ["Hello", "κόσμε 🦀" * 20, "", b"", bytes(range(256)), LONG_TEXT, LONG_BINARY]:
            await ws.send(message)
            equal(await ws.recv(), message)
        await ws.send(parts())
        equal(await ws.recv(), "Hello " + LONG_TEXT)
        before = wire(extension)
        pongs = []
        for message in SMALL:
            await ws.send(message)
            pongs.append(await ws.ping())
        equal([await ws.recv() for _ in SMALL], SMALL)
        await asyncio.gather(*pongs)
        check_wire(extension, before, SMALL)


def compressed(data):
    """A frame with data that is compressed already."""
    length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
    return b"\xc2" + length + bytes(4) + data


def deflated(data):
    compressor = zlib.compressobj(wbits=-9)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


@deflate_cases(
    ("client: a compressed message too big is answered with 1009", compressed(deflated(bytes(MAX_MESSAGE + 1))), 1009),
    ("client: a bomb is answered with 1009", compressed(deflated(bytes(30 * MIB))), 1009),
    ("client: what is no compressed data is answered with 1007", compressed(b"\xff\xff\xff"), 1007),
    ("client: RSV1 in a continuation is answered with 1002", b"\x42\x80" + bytes(4) + b"\xc0\x80" + bytes(4), 1002),
    ("client: RSV1 in a ping is answered with 1002", b"\xc9\x80" + bytes(4), 1002),
)
async def deflate_violation(frame, code):
    await violation(frame, code)


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
    ("client: a subprotocol is negotiated", ["other", "superchat"], "superchat"),
    ("client: no subprotocol that the server knows", ["other"], None),
    ("client: no subprotocol", None, None),
)
async def subprotocol(offered, negotiated):
    async with client(subprotocols=offered) as ws:
        equal(ws.subprotocol, negotiated)


@case("client: 100 connections at once")
async def many():
    async def opened():
        return check_agreed(await client())

    sockets = await asyncio.gather(*(opened() for _ in range(100)))

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
        self.seen = {"subprotocol": ws.subprotocol, "headers": ws.request.headers, "negotiated": negotiated(ws)}
        try:
            check_agreed(ws)
            await self.handler(ws)
            await ws.wait_closed()
        finally:
            self.seen["close"] = ws.protocol.close_rcvd and ws.protocol.close_rcvd.code

    async def __aenter__(self):
        self.server = await serve(self.handle, "127.0.0.1", 0, max_size=None, **self.options)
        url = "ws://127.0.0.1:{}/".format(self.server.sockets[0].getsockname()[1])
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(
            WSCAT, url, *DEFLATE, *self.args, stdin=pipe, stdout=pipe, stderr=pipe, limit=4 * MIB
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


LINES = ["Hello", "κόσμε 🦀" * 20, "", LONG_TEXT]


@deflate_cases(
    *((f"wscat: {said(params)}", params) for params in PARAMS if params.get("server_max_window_bits") != 8),
    ("wscat: the library's parameters", None),
)
async def wscat_parameters(params):
    async def handler(ws):
        [extension] = ws.protocol.extensions
        await ws.send(bytes(range(256)))
        await ws.send(["Hel", "", "lo ", LONG_TEXT])
        for _ in LINES:
            await ws.send(await ws.recv())
        before, pongs = wire(extension), []
        for message in SMALL:
            equal(await ws.recv(), message)
            await ws.send(message)
            pongs.append(await ws.ping())
        check_wire(extension, before, SMALL)
        await asyncio.gather(*pongs)
        await ws.send("compressed")

    extensions = None if params is None else [ServerPerMessageDeflateFactory(**params)]
    async with Served(handler, extensions=extensions) as cat:
        equal(await cat.line(), f"binary: {bytes(range(256)).hex()}")
        equal(await cat.line(), "Hello " + LONG_TEXT)
        for line in LINES:
            await cat.say(line)
            equal(await cat.line(), line)
        await cat.say("\n".join(SMALL))
        equal([await cat.line() for _ in [*SMALL, 1]], [*SMALL, "compressed"])
        equal(await cat.end(), 0)
    expected = said({"server_max_window_bits": 12, "client_max_window_bits": 12} if params is None else params)
    equal(cat.seen["negotiated"], expected)
    equal((await cat.process.stderr.readline()).decode(), f"extension: {expected}\n")
    equal(cat.seen["close"], 1000)


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
    ("wscat: a subprotocol is negotiated", ["superchat"], "superchat"),
    ("wscat: the server knows no subprotocol", None, None),
)
async def wscat_subprotocol(known, negotiated):
    async with Served(silent_handler, "--protocol", "chat", "--protocol", "superchat", subprotocols=known) as cat:
        equal(await cat.end(), 0)
    equal(cat.seen["subprotocol"], negotiated)


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
    library = "websockets, deflate" if DEFLATE else "websockets"
    async with EchoServer() as server:
        for name, run in CASES.items():
            try:
                await asyncio.wait_for(run(), 60)
                print(f"ok      {library}, {name}", flush=True)
            except Exception as error:
                failed = True
                print(f"FAILED  {library}, {name}: {error!r}", flush=True)
    return failed


logging.getLogger("websockets").setLevel(logging.CRITICAL)
sys.exit(asyncio.run(main()))
