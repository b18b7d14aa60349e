#!/usr/bin/env python3
"""Drives the hosts with the Python library websockets, and with sockets where a peer must misbehave. Those peers
are dropped after the default timeouts, the last of them after a minute, while the other cases run.

usage: [RELAYED=MIB] drive.py DIR    (where the programs are; the length of the message that is relayed, by default 64)
Prints a line for each case, `ok` or `FAILED`.
"""

import asyncio
import base64
import hashlib
import logging
import os
import random
import re
import resource
import socket
import ssl
import sys
import tempfile
import time
from contextlib import asynccontextmanager

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

DIR = sys.argv[1]
MIB = 1 << 20
NAME = "name:pass:word"
BASIC = f"Basic {base64.b64encode(NAME.encode()).decode()}"
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
failed = False


def equal(actual, expected):
    if actual != expected:
        short = (text if len(text) < 200 else text[:200] + "..." for text in (repr(actual), repr(expected)))
        raise AssertionError(" instead of ".join(short))


async def case(name, run):
    """Runs a case. Its result is printed."""
    global failed
    start = time.monotonic()
    try:
        note = await asyncio.wait_for(run, 100)
        print(f"ok      {name} ({time.monotonic() - start:.1f} s)" + (f": {note}" if note else ""), flush=True)
    except Exception as error:
        failed = True
        print(f"FAILED  {name}: {error!r}", flush=True)


@asynccontextmanager
async def host(name, *args):
    """A host that serves, as its process, with its `url` and `port`; `None` if it cannot."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(f"{DIR}/{name}", "127.0.0.1:0", *args, stdout=pipe)
    line = (await process.stdout.readline()).decode()
    if line.startswith("skipped: "):
        equal(await process.wait(), 0)
        print(f"skipped {name}: {line.removeprefix('skipped: ').strip()}", flush=True)
        yield None
        return
    process.url = re.search(r"\S+://127.0.0.1:(\d+)/", line)
    process.url, process.port = process.url[0], int(process.url[1])
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def echoes(url, unit=MIB, **options):
    """All that an echo server is asked for in a usual conversation, with messages up to this size."""
    async with connect(url, max_size=None, proxy=None, **options) as ws:

        async def parts():
            for part in ["frag", "", "ments κόσ", "με"]:
                yield part
                await (await ws.ping())

        for message in ["Hello", "κόσμε 🦀", "", b"", bytes(range(256)), "é" * (unit // 2), random.randbytes(unit)]:
            await ws.send(message)
            equal(await ws.recv(), message)
        await ws.send(parts())
        equal(await ws.recv(), "fragments κόσμε")
        await ws.send([b"a", bytes(70000), b""])
        equal(await ws.recv(), b"a" + bytes(70000))
        await (await ws.ping(bytes(range(125))))
        # Much (of a MiB, four) before any of it is read: its output waits, and so do we.
        messages = [random.randbytes(unit // 16) for _ in range(64)]
        sender = asyncio.create_task(asyncio.wait_for(send_all(ws, messages), 30))
        equal([await ws.recv() for _ in messages], messages)
        await sender
        await ws.close(4321, "good bye")
        equal(ws.protocol.close_rcvd.code, 4321)
        return ws.response.headers.get("Sec-WebSocket-Extensions")


async def send_all(ws, messages):
    for message in messages:
        await ws.send(message)


async def at_once(count, url, **options):
    await asyncio.gather(*(echoes(url, **options) for _ in range(count)))


async def violates(url, **options):
    async with connect(url, proxy=None, **options) as ws:
        ws.transport.write(b"\x81\x81\0\0\0\0\xff")
        try:
            raise AssertionError(f"received {await ws.recv()!r}")
        except ConnectionClosed as closed:
            equal(closed.rcvd and closed.rcvd.code, 1007)


async def other_origin(url, **options):
    try:
        await connect(url, proxy=None, origin="https://example.com", **options)
    except Exception as error:
        equal(error.response.status_code, 403)
    else:
        raise AssertionError("accepted")


async def opened(port, path="/"):
    """A socket, after the opening handshake."""
    sock = socket.socket()
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, ("127.0.0.1", port))
    fields = f"Host: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n{KEY}"
    await loop.sock_sendall(sock, f"GET {path} HTTP/1.1\r\n{fields}\r\n".encode())
    response = await loop.sock_recv(sock, 4096)
    equal((response[:12], response[-4:]), (b"HTTP/1.1 101", b"\r\n\r\n"))
    return sock


def between(least, seconds, most):
    if not least <= seconds <= most:
        raise AssertionError(f"after {seconds:.1f} s")
    return f"dropped after {seconds:.1f} s"


async def read_to_end(sock):
    received = b""
    try:
        while chunk := await asyncio.get_running_loop().sock_recv(sock, 1 << 16):
            received += chunk
    except ConnectionError:
        pass
    return received


async def no_request(port):
    """A byte of a request now and then does not prolong the time for it."""
    start = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    ended = asyncio.ensure_future(reader.read())
    for byte in b"GET / HTTP/1.1\r\nHost: example.com\r\n":
        writer.write(bytes([byte]))
        if (await asyncio.wait([ended], timeout=0.5))[0]:
            break
    writer.close()
    equal(await asyncio.wait_for(ended, 1), b"")
    return between(9.5, time.monotonic() - start, 15)


async def never_reads(port):
    """Its own output is read, until it must wait for ours."""
    sock = await opened(port)
    message = b"\x82\xff" + (70000).to_bytes(8, "big") + bytes(70004)
    progress = start = time.monotonic()
    try:
        while True:
            await asyncio.get_running_loop().sock_sendall(sock, message)
            progress = time.monotonic()
            if progress - start > 10:
                raise AssertionError("it reads without end")
    except ConnectionError:
        pass
    # A write at the deadline may succeed once more, and prolong it: acknowledgements free room
    # without an event.
    return between(29, time.monotonic() - progress, 75)


async def never_answers(port):
    """A Ping after 30 seconds of silence, and 30 more for the Pong."""
    start = time.monotonic()
    received = await read_to_end(await opened(port))
    equal(received[:2], b"\x89\x08")
    return between(59, time.monotonic() - start, 70)


async def never_ends(port):
    """The Close is answered, but this end of the stream stays open."""
    sock = await opened(port)
    await asyncio.get_running_loop().sock_sendall(sock, b"\x88\x82\0\0\0\0\x03\xe8")
    start = time.monotonic()
    equal(await read_to_end(sock), b"\x88\x02\x03\xe8")
    if time.monotonic() - start > 4:
        raise AssertionError("the stream of the server must end at once")
    try:
        while True:
            await asyncio.get_running_loop().sock_sendall(sock, b"x")
            await asyncio.sleep(0.1)
    except ConnectionError:
        return between(4.5, time.monotonic() - start, 9)


def resident(process, which="VmRSS"):
    with open(f"/proc/{process.pid}/status") as status:
        return int(re.search(rf"{which}:\s+(\d+) kB", status.read())[1])


async def idle(name, most):
    """Many connections that have had a conversation, and are quiet now. A new process has them, so that no memory of
    earlier connections is used again."""
    loop = asyncio.get_running_loop()
    count = min(10_000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500)
    socks = []
    async with host(name) as process:
        before = resident(process)
        for _ in range(count):
            sock = await opened(process.port)
            socks.append(sock)
            await loop.sock_sendall(sock, b"\x81\x85\0\0\0\0Hello")
            equal(await loop.sock_recv(sock, 100), b"\x81\x05Hello")
        together = resident(process)
        for sock in socks:
            sock.close()
    each = (together - before) / count
    if each > most:
        raise AssertionError(f"{each:.2f} KiB each")
    return f"{count:,} connections need {each:.2f} KiB each, {together:,} KiB in all"


async def echo_hosts():
    async with host("mio_echo") as mio, host("tokio_echo") as tokio, host("uring_echo") as uring:
        slow = []
        hosts = [(mio, "mio_echo"), (tokio, "tokio_echo"), (uring, "uring_echo")]
        hosts = [(process, name) for process, name in hosts if process]
        for process, name in hosts:
            for title, run in [
                ("a request that does not end", no_request),
                ("a client that never reads", never_reads),
                ("a client that answers no Ping", never_answers),
                ("a client that does not close its stream", never_ends),
            ]:
                slow.append(asyncio.create_task(case(f"{name}, {title}", run(process.port))))
        for process, name in hosts:
            await case(f"{name}, echoes", echoes(process.url))
            await case(f"{name}, 20 at once", at_once(20, process.url))
            await case(f"{name}, invalid UTF-8 is answered with 1007", violates(process.url))
            await case(f"{name}, a page of another site is refused", other_origin(process.url))
            await case(f"{name}, idle connections", idle(name, 4 if process is tokio else 1.5))
        await asyncio.gather(*slow)


async def hyper_upgrade():
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    async with host("hyper_upgrade") as process:
        url = process.url.replace("https", "wss") + "ws"
        own = {"ssl": tls, "origin": process.url.rstrip("/")}
        await case("hyper_upgrade, an upgrade of HTTP/1.1 echoes", echoes(url, **own))
        await case("hyper_upgrade, the same without compression", echoes(url, compression=None, **own))
        await case("hyper_upgrade, 5 at once", at_once(5, url, **own))
        await case("hyper_upgrade, invalid UTF-8 is answered with 1007", violates(url, **own))
        await case("hyper_upgrade, a page of another site is refused", other_origin(url, ssl=tls))


async def tls_echo(directory):
    """The certificate is made by the host, and verified."""
    file = f"{directory}/echo.pem"
    async with host("tokio_echo", file) as process:
        tls = ssl.create_default_context(cafile=file)
        await case("tokio_echo, TLS, echoes", echoes(process.url, ssl=tls))
        await case("tokio_echo, TLS, 10 at once", at_once(10, process.url, ssl=tls))
        await case("tokio_echo, TLS, invalid UTF-8 is answered with 1007", violates(process.url, ssl=tls))
        own = process.url.rstrip("/")
        await case("tokio_echo, TLS, a page of another site is refused", other_origin(process.url, ssl=tls))
        await case("tokio_echo, TLS, its own page is accepted", echoes(process.url, ssl=tls, origin=own.replace("wss", "https")))


async def tokio_client(directory):
    """Lines are sent while messages arrive, over TCP and TLS."""
    key, file = f"{directory}/key.pem", f"{directory}/server.pem"
    with open(f"{directory}/openssl.conf", "w") as config:
        config.write("[req]\ndistinguished_name=name\n[name]\n")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    name = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-config", config.name)
    quiet = {"stderr": asyncio.subprocess.DEVNULL}
    openssl = await asyncio.create_subprocess_exec("openssl", "req", "-x509", *curve, *name, "-keyout", key, "-out", file, **quiet)
    equal(await openssl.wait(), 0)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(file, key)

    async def answer(ws):
        if ws.request.path == "/wrong":
            ws.transport.write(b"\x83\0")
        if ws.request.path == "/end":
            await ws.close(1001, "enough")
        async for message in ws:
            await asyncio.gather(ws.send(message.upper()), ws.ping())
            await ws.send(bytes(100_000))

    async def converses(lines, expected, scheme="wss", path="", trusted=file, status=0):
        options = {"ssl": tls} if scheme == "wss" else {}
        async with serve(answer, "127.0.0.1", 0, **options) as server:
            url = f"{scheme}://localhost:{server.sockets[0].getsockname()[1]}/{path}"
            pipe = asyncio.subprocess.PIPE
            args = [url, trusted] if scheme == "wss" else [url]
            process = await asyncio.create_subprocess_exec(f"{DIR}/tokio_client", *args, stdin=pipe, stdout=pipe, stderr=pipe)
            process.stdin.write(lines.encode())
            out = await asyncio.wait_for(process.stdout.readexactly(len(expected[0].encode())), 60)
            process.stdin.close()
            rest, told = await asyncio.wait_for(process.communicate(), 60)
            equal(((out + rest).decode(), process.returncode), (expected[0], status))
            if expected[1] not in told.decode():
                raise AssertionError(told.decode())

    many = [f"line {number} κόσμε" for number in range(200)]
    lines, answers = "".join(f"{line}\n" for line in many), "".join(f"{line.upper()}\n100000 bytes\n" for line in many)
    await asyncio.gather(
        case("tokio_client, TLS, 200 lines", converses(lines, (answers, "closed: 1000"))),
        case("tokio_client, TCP, 200 lines", converses(lines, (answers, "closed: 1000"), "ws")),
        case("tokio_client, the server closes", converses("", ("", "closed: 1001 enough"), path="end")),
        case("tokio_client, the server violates the protocol", converses("", ("", "reserved opcode"), path="wrong", status=1)),
        case("tokio_client, a certificate of another", converses("", ("", "invalid peer certificate"), trusted=f"{directory}/echo.pem", status=1)),
    )


async def tokio_chat():
    async with host("tokio_chat") as process:
        url = process.url.replace("http", "ws") + "chat/"

        async def rooms():
            bare = connect(url + "a", proxy=None, compression=None)
            async with connect(url + "a", proxy=None) as ann, bare as bob, connect(url + "b", proxy=None) as zoe:
                await zoe.send("Zoe")
                equal(await zoe.recv(), "Zoe is here")
                for ws, name in [(ann, "Ann"), (bob, "Bob")]:
                    await ws.send(name)
                    equal([await ann.recv(), await bob.recv()], [f"{name} is here"] * 2)
                for text in ["hi", "κόσμε 🦀 " * 50, "<b>x</b>" * 100]:
                    await ann.send(text)
                    equal([await ann.recv(), await bob.recv()], [f"Ann: {text}"] * 2)
                await bob.close()
                equal(await ann.recv(), "Bob left")
                await zoe.send("all alone")
                equal(await zoe.recv(), "Zoe: all alone")

        async def many():
            members = await asyncio.gather(*(connect(url + "many", proxy=None) for _ in range(100)))
            await members[0].send("Ann")
            for number in range(50):
                await members[0].send(f"{number} " * 100)
            for ws in members:
                equal(await ws.recv(), "Ann is here")
                equal([await ws.recv() for _ in range(50)], [f"Ann: {f'{number} ' * 100}" for number in range(50)])
            await asyncio.gather(*(ws.close() for ws in members))

        async def too_slow():
            async with connect(url + "slow", proxy=None) as ann:
                slow = await opened(process.port, "/chat/slow")
                await asyncio.get_running_loop().sock_sendall(slow, b"\x81\x84\0\0\0\0Slow")
                equal(await ann.recv(), "Slow is here")
                await ann.send("Ann")
                equal(await ann.recv(), "Ann is here")
                for number in range(20_000):
                    await ann.send("x" * 4000)
                    message = await ann.recv()
                    if message == "Slow left":
                        break
                equal(message, "Slow left")
                await asyncio.get_running_loop().sock_sendall(slow, b"\x88\x82\0\0\0\0\x03\xf0")
                received = await asyncio.wait_for(read_to_end(slow), 10)
                equal(received[-12:], b"\x88\x0a\x03\xf0too slow")
                return f"after {number * 4 >> 10} MiB"

        async def too_long():
            async with connect(url + "long", proxy=None) as ws:
                await ws.send("x" * 5000)
                try:
                    raise AssertionError(await ws.recv())
                except ConnectionClosed as closed:
                    equal(closed.rcvd and closed.rcvd.code, 1009)

        await case("tokio_chat, rooms, with and without compression", rooms())
        await case("tokio_chat, 50 messages to 100 members", many())
        await case("tokio_chat, a member that does not read is closed, and the others go on", too_slow())
        await case("tokio_chat, a message that is too long", too_long())
        await case("tokio_chat, a page of another site is refused", other_origin(url + "a"))


class Proxy:
    """An HTTP proxy that opens tunnels for who is known to it, and answers each CONNECT on a connection of its own."""

    def __init__(self):
        self.seen = []

    async def __call__(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, authority, _ = head.split(" ", 2)
        known = f"\r\nProxy-Authorization: {BASIC}\r\n" in head
        self.seen.append((method, authority, known))
        if not known:
            writer.write(b"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 2\r\n\r\nno")
        else:
            host, port = authority.rsplit(":", 1)
            to_server, from_client = await asyncio.open_connection(host, int(port))
            # Interim responses may precede.
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n")
            await asyncio.gather(copy(reader, from_client), copy(to_server, writer))
        writer.close()


async def copy(reader, writer):
    try:
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()
    except ConnectionError:
        pass


class Server:
    """A server that redirects, asks for a name, then sends some messages and closes."""

    def __init__(self, failures=0):
        self.seen, self.failures = [], failures

    def process_request(self, ws, request):
        known = request.headers.get("Authorization") == BASIC
        self.seen.append((request.path, known))
        if request.path == "/again":
            location = "/again"
        elif request.path == "/old":
            location = "sub/../new?x=1#y"
        elif request.path.startswith("/new"):
            location = f"http://localhost:{self.port}/secret"
        elif not known and request.path == "/secret":
            response = ws.respond(401, "no entry")
            response.headers["WWW-Authenticate"] = "Basic realm=x"
            return response
        else:
            return None
        response = ws.respond(302, "elsewhere")
        response.headers["Location"] = location
        return response

    async def __call__(self, ws):
        if self.failures:
            self.failures -= 1
            ws.transport.abort()
            return
        # The first message arrives together with the response.
        await ws.send("Hello κόσμε")
        await ws.send(["frag", "ments"])
        await ws.send(bytes(MIB))
        await asyncio.wait_for(await ws.ping(b"x"), 5)
        await ws.close(1000)

    @asynccontextmanager
    async def listening(self):
        async with serve(self, "127.0.0.1", 0, process_request=self.process_request) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield self


ALL = "Hello κόσμε\nfragments\n1048576 bytes\n"


async def client_of(server, path, *args, proxy=None, until=None):
    """Runs proxy_client to its end, or until a line of stderr. Returns stdout and stderr."""
    pipe = asyncio.subprocess.PIPE
    url = f"ws://127.0.0.1:{server.port}{path}"
    if proxy:
        listener = await asyncio.start_server(proxy, "127.0.0.1", 0)
        args += ("--proxy", f"127.0.0.1:{listener.sockets[0].getsockname()[1]}")
    process = await asyncio.create_subprocess_exec(f"{DIR}/proxy_client", url, *args, stdout=pipe, stderr=pipe)
    try:
        if until:
            return (await asyncio.wait_for(process.stderr.readline(), 30)).decode()
        out, told = await asyncio.wait_for(process.communicate(), 60)
        equal(process.returncode, 0)
        return out.decode(), told.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        if proxy:
            listener.close()


async def proxy_client():
    user = ("--user", NAME)

    async def straight():
        async with Server().listening() as server:
            equal(await client_of(server, "/"), (ALL, ""))

    async def by_proxy():
        proxy = Proxy()
        async with Server().listening() as server:
            equal(await client_of(server, "/", *user, proxy=proxy), (ALL, ""))
            at = f"127.0.0.1:{server.port}"
            equal(proxy.seen, [("CONNECT", at, False), ("CONNECT", at, True)])
            # The name for the proxy is not for the server.
            equal(server.seen, [("/", False)])

    async def redirected():
        async with Server().listening() as server:
            equal(await client_of(server, "/old", *user), (ALL, ""))
            equal(server.seen, [("/old", False), ("/new?x=1", False), ("/secret", False), ("/secret", True)])

    async def by_proxy_redirected():
        proxy = Proxy()
        async with Server().listening() as server:
            equal(await client_of(server, "/old", *user, proxy=proxy), (ALL, ""))
            equal(server.seen, [("/old", False), ("/new?x=1", False), ("/secret", False), ("/secret", True)])
            equal({authority.split(":")[0] for _, authority, _ in proxy.seen}, {"127.0.0.1", "localhost"})

    async def again():
        async with Server(failures=1).listening() as server:
            out, told = await client_of(server, "/")
            equal(out, ALL)
            equal(len(server.seen), 2)
            wait = float(re.fullmatch(r".+\nagain in ([\d.]+)(m?)s\n", told)[1])
            return f"after {wait} of at most 5 s" if "ms" not in told else "at once"

    async def tells(line, path, *args, proxy=None):
        async with Server().listening() as server:
            equal(await client_of(server, path, *args, proxy=proxy, until=True), line)

    await asyncio.gather(
        case("proxy_client, without a proxy", straight()),
        case("proxy_client, CONNECT and 407", by_proxy()),
        case("proxy_client, redirects and 401", redirected()),
        case("proxy_client, all of these", by_proxy_redirected()),
        case("proxy_client, a lost connection is opened again", again()),
        case("proxy_client, redirects without end", tells("too many redirects\n", "/again")),
        case("proxy_client, 401 without a name", tells("the server answered with 401 Unauthorized\n", "/secret")),
        case("proxy_client, 401 with a wrong name", tells("the server answered with 401 Unauthorized\n", "/secret", "--user", "x:y")),
        case("proxy_client, 407 with a wrong name", tells("the proxy answered with 407 Who are you\n", "/", "--user", "x:y", proxy=Proxy())),
    )


async def echo(ws):
    async for message in ws:
        await ws.send(message)


@asynccontextmanager
async def relay(handler, **options):
    """The relay, in front of a server of websockets."""
    async with serve(handler, "127.0.0.1", 0, max_size=None, **options) as server:
        async with host("relay", f"127.0.0.1:{server.sockets[0].getsockname()[1]}") as process:
            yield process


@asynccontextmanager
async def raw_relay():
    """The relay, in front of a server that keeps its stream as it is: its future is in `process.stream`."""
    stream = asyncio.get_running_loop().create_future()

    async def accept(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = re.search(r"Sec-WebSocket-Key: (\S+)", head)[1]
        digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        fields = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {base64.b64encode(digest).decode()}\r\n"
        if offer := re.search(r"Sec-WebSocket-Extensions: .+\r\n", head):
            fields += offer[0]
        # The first frame arrives together with the response.
        writer.write(f"HTTP/1.1 101 Yes\r\n{fields}\r\n".encode() + b"\x89\x02hi")
        stream.set_result((reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        async with host("relay", f"127.0.0.1:{server.sockets[0].getsockname()[1]}") as process:
            process.stream = stream
            yield process
    finally:
        server.close()


async def raw_client(port, extensions=""):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    fields = f"Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n{KEY}{extensions}"
    writer.write(f"GET /a?b HTTP/1.1\r\n{fields}\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    equal(head[:12], b"HTTP/1.1 101")
    equal(await reader.readexactly(4), b"\x89\x02hi")
    return reader, writer, head.decode()


def masked(first, payload):
    short = len(payload) < 126
    length = bytes([0x80 | len(payload)]) if short else b"\xfe" + len(payload).to_bytes(2, "big")
    return bytes([first]) + length + bytes(4) + payload


async def frame(reader):
    """The first byte of a frame and its payload, without its mask."""
    first, length = await reader.readexactly(2)
    mask, length = length & 0x80, length & 0x7F
    if length > 125:
        length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
    key = await reader.readexactly(4) if mask else bytes(4)
    return first, bytes(byte ^ key[i % 4] for i, byte in enumerate(await reader.readexactly(length)))


async def frames_pass():
    """Each frame as it was sent: empty ones, compressed ones, control frames between them, and the Close."""
    offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=9\r\n"
    async with raw_relay() as process:
        reader, writer, head = await raw_client(process.port, offer)
        equal(offer in head, True)
        reader_of_server, writer_of_server = await process.stream
        sent = [
            *[(0x01, b""), (0x00, "κό".encode()[:3]), (0x89, b"ping"), (0x00, b""), (0x80, "κό".encode()[3:])],
            *[(0x42, b"not deflated, but nobody asks"), (0x8A, b""), (0x80, bytes(300)), (0xC1, b"\xff\xfe")],
            (0x88, b"\x10\xe1good bye"),
        ]
        for first, payload in sent:
            for byte in masked(first, payload):
                writer.write(bytes([byte]))
        equal([await frame(reader_of_server) for _ in sent], sent)
        # The client has sent its Close, but the server has not.
        sent = [(0x82, bytes(1000)), (0x88, b"\x10\xe2and you")]
        for first, payload in sent:
            writer_of_server.write(bytes([first]) + (b"\x7e\x03\xe8" if len(payload) > 125 else bytes([len(payload)])) + payload)
        equal([await frame(reader) for _ in sent], sent)
        writer_of_server.close()
        equal(await asyncio.wait_for(reader.read(), 4), b"")
        writer.close()


async def message_passes(mib):
    """A message in one frame, longer than the memory of the relay, in both directions."""
    length, chunk = mib * MIB, bytes(MIB)
    async with raw_relay() as process:
        reader, writer, _ = await raw_client(process.port)
        reader_of_server, writer_of_server = await process.stream
        before = resident(process, "VmHWM")

        async def send(writer, header):
            writer.write(header)
            for _ in range(mib):
                writer.write(chunk)
                await writer.drain()

        async def receive(reader, header_length):
            header = await reader.readexactly(header_length)
            equal((header[0], header[1] & 0x7F, int.from_bytes(header[2:10], "big")), (0x82, 127, length))
            left = length
            while left:
                left -= len(await reader.readexactly(min(left, MIB)))

        long = length.to_bytes(8, "big")
        await asyncio.gather(
            send(writer, b"\x82\xff" + long + bytes(4)),
            receive(reader_of_server, 14),
            send(writer_of_server, b"\x82\x7f" + long),
            receive(reader, 10),
        )
        peak = resident(process, "VmHWM")
        if peak - before > 1024:
            raise AssertionError(f"{peak - before} KiB")
        writer.close()
        return f"{mib} MiB each way, {peak} KiB at most, {peak - before} KiB of them for the message"


async def relays():
    async def echoed():
        async with relay(echo) as process:
            equal(await echoes(process.url), "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12")
            equal(await echoes(process.url, compression=None), None)
            await at_once(3, process.url)

    async def large():
        async with relay(echo) as process:
            async with connect(process.url, max_size=None, proxy=None, compression=None) as ws:
                message = random.randbytes(MIB) * 64
                await ws.send(message)
                equal(await ws.recv() == message, True)
            return f"{resident(process, 'VmHWM')} KiB at most"

    async def options():
        def headers(ws, _, response):
            response.headers["Set-Cookie"] = "c=d"

        async def tell(ws):
            await ws.send(f"{ws.request.path} {ws.request.headers['Cookie']} {ws.request.headers['Origin']}")

        async with relay(tell, subprotocols=["b"], process_response=headers) as process:
            url, given = process.url + "p?q", {"Cookie": "a=b"}
            async with connect(url, proxy=None, subprotocols=["a", "b"], origin="http://x", additional_headers=given) as ws:
                equal((ws.subprotocol, ws.response.headers["Set-Cookie"]), ("b", "c=d"))
                equal(await ws.recv(), "/p?q a=b http://x")

    async def refused():
        async with relay(echo, origins=["https://example.org"]) as process:
            await other_origin(process.url)

    async def no_server():
        async with host("relay", "127.0.0.1:1") as process:
            try:
                await connect(process.url, proxy=None)
            except Exception as error:
                equal(error.response.status_code, 502)
            else:
                raise AssertionError("accepted")

    async def closed_by_server():
        async def close(ws):
            await ws.close(4001, "enough")
            equal((ws.protocol.close_rcvd.code, ws.protocol.close_sent.code), (4001, 4001))

        async with relay(close) as process:
            async with connect(process.url, proxy=None) as ws:
                await ws.wait_closed()
                equal((ws.protocol.close_rcvd.code, ws.protocol.close_rcvd.reason), (4001, "enough"))

    async def lost(by_server):
        """A stream that ends without a Close ends without one at the other end, too."""
        ended = asyncio.get_running_loop().create_future()

        async def abort(ws):
            if by_server:
                ws.transport.abort()
            await ws.wait_closed()
            ended.set_result(ws.protocol.close_rcvd)

        async with relay(abort) as process:
            async with connect(process.url, proxy=None) as ws:
                if not by_server:
                    ws.transport.abort()
                equal(await asyncio.wait_for(ended, 5), None)
                await asyncio.wait_for(ws.wait_closed(), 5)
                equal(ws.protocol.close_rcvd, None)

    async def violated():
        async with relay(echo) as process:
            await violates(process.url)

    await asyncio.gather(
        case("relay, echoes, with compression and without", echoed()),
        case("relay, frames are kept from end to end", frames_pass()),
        case("relay, subprotocol, cookies and origin", options()),
        case("relay, a refusal by the server", refused()),
        case("relay, no server", no_server()),
        case("relay, a Close by the server", closed_by_server()),
        case("relay, a server that is lost", lost(True)),
        case("relay, a client that is lost", lost(False)),
        case("relay, invalid UTF-8 is answered with 1007", violated()),
    )
    # These keep this process busy.
    await case("relay, 64 MiB by websockets", large())
    await case("relay, a message longer than its memory", message_passes(int(os.environ.get("RELAYED", 64))))


async def device():
    """The device serves one connection at a time, in a kilobyte."""

    async def cookies(url):
        """A head that is many times as long as the memory for it."""
        given = {"Cookie": "c" * 6000, "Origin": "http://example.com"}
        async with connect(url, proxy=None, additional_headers=given, subprotocols=["x", "echo"]) as ws:
            equal(ws.subprotocol, "echo")
            await ws.send("Hello")
            equal(await ws.recv(), "Hello")

    async def no_room(url):
        try:
            await connect(url, proxy=None, origin="http://" + "a" * 500)
        except Exception as error:
            equal(error.response.status_code, 431)
        else:
            raise AssertionError("accepted")

    async with host("device") as process:
        # Each read is a fragment, of which a peer accepts a limited number.
        await case("device, echoes", echoes(process.url, unit=64 << 10))
        await case("device, a request with long cookies", cookies(process.url))
        await case("device, a request that needs more memory", no_room(process.url))
        await case("device, invalid UTF-8 is answered with 1007", violates(process.url))


async def main():
    with tempfile.TemporaryDirectory() as directory:

        async def with_tls():
            await tls_echo(directory)
            await tokio_client(directory)

        await relays()
        await device()
        await asyncio.gather(echo_hosts(), hyper_upgrade(), proxy_client(), with_tls(), tokio_chat())
    return failed


hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000), hard))
logging.getLogger("websockets").setLevel(logging.CRITICAL)
sys.exit(asyncio.run(main()))
