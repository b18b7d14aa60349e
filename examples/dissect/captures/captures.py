#!/usr/bin/env python3
"""Holds conversations on the loopback interface, captures them, and compares dissect with tshark.

usage: captures.py ECHO_SERVER DISSECT DIR    (two programs' paths, and a folder for the captures)

All conversations are in one capture, which is made three times at once: of the interface itself (Ethernet), and of all
interfaces (both forms of Linux's cooked link layer); the first is converted to pcapng as well. Each conversation has a
port of its own, so that dissect --port shows only that. Prints a line for each case, `ok` or `FAILED`.
"""

import asyncio
import base64
import hashlib
import json
import os
import socket
import struct
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
import zlib
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

ECHO_SERVER, DISSECT, DIR = sys.argv[1:]
HERE = Path(__file__).resolve().parent
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
MASK = b"\x12\x34\x56\x78"
# Only these ports are captured, which are below those that systems choose for clients.
PORTS = range(21000, 22000)
free_ports = iter(PORTS)
# The name, the function that converses with a port, dissect's exit status, and texts that it must
# print.
CASES = []


def case(name, status=0, *texts):
    def add(function):
        CASES.append((name, function, status, texts))
        return function

    return add


# Conversations of libraries.


def listen(host):
    """Listens on a free port of those that are captured."""
    for port in free_ports:
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host.strip("[]"), port))
            listener.listen()
            return listener, port
        except OSError:
            listener.close()
    raise AssertionError("no port is free")


def echo_server(host, *options):
    listener, port = listen(host)
    listener.close()
    process = subprocess.Popen([ECHO_SERVER, f"{host}:{port}", *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    process.stdout.readline()
    return process, port


def with_server(*options, host="127.0.0.1"):
    """Gives the function a port at which echo_server listens."""

    def wrap(function):
        def run():
            server, port = echo_server(host, *options)
            try:
                function(f"ws://{host}:{port}/chat", port)
                time.sleep(0.05)
            finally:
                server.kill()
                server.wait()
            return port

        return run

    return wrap


TEXT = "κόσμε and more text, " * 30


async def python_chat(url, close, **options):
    async with connect(url, proxy=None, max_size=None, **options) as ws:
        for message in ["Hello", TEXT, "", b"", bytes(range(256)), "x" * 70000, ["frag", "", "ments"], [b"\0" * 300, b"\1"]]:
            await ws.send(message)
            await ws.recv()
        await (await ws.ping(b"a ping"))
        await (await ws.ping(b"\x00\xff"))
        await ws.pong(b"unasked")
        await close(ws)


def python_case(name, host="127.0.0.1", server=(), params=None, close=None, texts=()):
    @case(f"websockets, {name}", 0, *texts)
    @with_server(*server, host=host)
    def run(url, _port):
        options = {"compression": None}
        if params is not None:
            options = {"extensions": [ClientPerMessageDeflateFactory(**params)]}

        async def code(ws):
            await ws.close(1000, "good bye")

        asyncio.run(python_chat(url, close or code, **options))


async def abort(ws):
    ws.transport.abort()


async def end(ws):
    ws.transport.write_eof()
    await ws.wait_closed()


python_case("uncompressed", texts=['masked text, 5 bytes: "Hello"', "closed by the client with 1000, answered with 1000"])
python_case("uncompressed, IPv6", host="[::1]")
python_case("compressed", server=["--deflate"], params={}, texts=["inflated from", '"Hello"'])
python_case("compressed, IPv6", host="[::1]", server=["--deflate"], params={})
python_case(
    "without context takeover, with small windows",
    server=["--deflate"],
    params={
        "server_no_context_takeover": True,
        "client_no_context_takeover": True,
        "server_max_window_bits": 9,
        "client_max_window_bits": 10,
    },
    texts=["client window 1024 bytes, no context takeover; server window 512 bytes, no context takeover"],
)
python_case("no Close, but the end of TCP", close=end, texts=["but the client closed TCP (FIN)"])
python_case("no Close, but a reset", close=abort, texts=["no Close was sent, but the "])


def run_node(script, *args):
    subprocess.run(["node", HERE / script, *args], check=True, timeout=100)


@case("ws, uncompressed, closes with 3000", 0, '3000 (registered by a library or framework) "good bye"')
@with_server()
def node_plain(url, _port):
    run_node("client.js", url, "3000")


@case("ws, compressed, closes with 1001", 0, "permessage-deflate: ", "1001 (going away)")
@with_server("--deflate")
def node_deflate(url, _port):
    run_node("client.js", url, "1001", "deflate")


CHAT = ['"{"user":"me","text":"Hello"}"', 'subprotocol "chat"', "inflated from", "closed by the client with 1000"]


@case("Chromium's compressed chat", 0, *CHAT)
@with_server("--deflate", "--protocol", "chat")
def chromium_chat(url, _port):
    run_node("chromium.js", url, os.environ["CHROMIUM"], Path(DIR) / "chromium.json")


# Conversations by hand, with all the faults that libraries do not make.


def frame(first, payload=b"", mask=MASK, length=None):
    n = len(payload)
    form = bytes([n]) if n < 126 else b"\x7e" + struct.pack(">H", n) if n < 65536 else b"\x7f" + struct.pack(">Q", n)
    form = length or form
    if mask is None:
        return bytes([first]) + form + payload
    form = bytes([form[0] | 0x80]) + form[1:]
    return bytes([first]) + form + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def deflated(data):
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def request(*lines, key=KEY, version="13", first="GET /chat HTTP/1.1"):
    fields = ["Host: localhost", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}"]
    return "\r\n".join([first, *fields, f"Sec-WebSocket-Version: {version}", *lines, "", ""]).encode()


def accept_key(key):
    return base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()


def response(*lines, accept=accept_key(KEY)):
    fields = ["Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}"]
    return "\r\n".join(["HTTP/1.1 101 Switching Protocols", *fields, *lines, "", ""]).encode()


def script(*steps):
    """Makes a conversation of byte strings: `>` for those of the client, `<` for those of the server."""
    listener, port = listen("127.0.0.1")
    with listener:
        with socket.create_connection(("127.0.0.1", port)) as client, listener.accept()[0] as server:
            for end in client, server:
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for direction, data in steps:
                sender, receiver = (client, server) if direction == ">" else (server, client)
                sender.sendall(data)
                left = len(data)
                while left:
                    left -= len(receiver.recv(left))
    return port


def hello(*lines, **options):
    return [(">", request(*lines)), ("<", response(**options))]


CLOSE = [(">", frame(0x88, b"\x03\xe8")), ("<", frame(0x88, b"\x03\xe8", None))]
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"


def scripted(name, status, texts, *steps):
    @case(name, status, *texts)
    def run():
        return script(*steps)


def client_fault(name, rule, *frames, lines=(), where=None):
    texts = [f"VIOLATION: {rule}"] + ([where] if where else [])
    answer = response(*lines)
    scripted(f"fault of a client: {name}", 1, texts, (">", request(*lines)), ("<", answer), *[(">", data) for data in frames])


def server_fault(name, rule, *frames, lines=()):
    steps = [(">", request(*lines)), ("<", response(*lines)), *[("<", data) for data in frames]]
    scripted(f"fault of a server: {name}", 1, [f"VIOLATION: {rule}"], *steps)


client_fault("no mask", "unmasked client frame (RFC 6455 section 5.1)", frame(0x81, b"Hello", None))
client_fault("a reserved opcode", "reserved opcode 3 (RFC 6455 section 5.2)", frame(0x83, b"Hello"))
client_fault("RSV2", "reserved bit set (0b010)", frame(0xA1, b"Hello"))
client_fault("RSV1 without compression", "reserved bit set (0b100)", frame(0xC1, b"Hello"))
client_fault("RSV1 in a continuation", "reserved bit set (0b100)", frame(0x41, deflated(b"a")), frame(0xC0), lines=[DEFLATE])
client_fault("a fragmented ping", "fragmented control frame (ping)", frame(0x09, b"a"))
client_fault("a long ping", "control frame payload longer than 125 bytes (ping)", frame(0x89, bytes(126)))
client_fault("bad UTF-8", "invalid UTF-8 (RFC 6455 section 8.1)", frame(0x81, b"caf\xe9"))
client_fault("bad UTF-8 in a fragment", "invalid UTF-8", frame(0x01, b"caf\xc3"), frame(0x80, b"\xa9\xff"))
client_fault("text that ends inside a character", "invalid UTF-8", frame(0x81, b"caf\xc3"))
client_fault("bad UTF-8 when inflated", "invalid UTF-8", frame(0xC1, deflated(b"\xff\xfe")), lines=[DEFLATE])
client_fault("no first fragment", "unexpected continuation frame", frame(0x80, b"a"))
client_fault("a message in a message", "expected continuation frame of a text message, not a binary", frame(0x01, b"a"), frame(0x82, b"b"))
client_fault("a length in a longer form", "payload length not in its shortest form", frame(0x81, b"Hello", length=b"\x7e\0\x05"))
client_fault("a Close with 1005", "invalid status code 1005 (RFC 6455 section 7.4)", frame(0x88, b"\x03\xed"))
client_fault("a Close of a byte", "Close body of one byte", frame(0x88, b"\x03"))
client_fault("a Close with bad UTF-8", "invalid UTF-8 in Close reason", frame(0x88, b"\x03\xe8\xff"))
client_fault("data after a Close", "data frame after a Close (RFC 6455 section 5.5.1)", frame(0x88, b"\x03\xe8"), frame(0x81, b"late"), where="discarded")
client_fault("corrupt compression", "invalid compressed data (RFC 7692 section 7.2.2)", frame(0xC2, b"\xff\xff\xff"), lines=[DEFLATE])
client_fault("truncated compression", "invalid compressed data", frame(0x42, deflated(TEXT.encode())[:9]), frame(0x80), lines=[DEFLATE])
server_fault("a mask", "masked server frame (RFC 6455 section 5.1)", frame(0x81, b"Hello"))
server_fault("a reserved opcode", "reserved opcode 11", frame(0x8B, b"", None))
server_fault("corrupt compression", "invalid compressed data", frame(0xC1, b"\x07\x07", None), lines=[DEFLATE])


def handshake_fault(name, rule, request, answer):
    scripted(f"fault in a handshake: {name}", 1, [f"VIOLATION: {rule}"], (">", request), ("<", answer), *CLOSE)


handshake_fault("a wrong Accept", "Sec-WebSocket-Accept is not valid (RFC 6455 section 4.1)", request(), response(accept="s3pPLMBiTxaQ9kYGzzhZRbK+xOO="))
handshake_fault("a short key", "Sec-WebSocket-Key is not valid (RFC 6455 section 4.2.1)", request(key="c2hvcnQ="), response(accept=accept_key("c2hvcnQ=")))
handshake_fault("another version", "Sec-WebSocket-Version is missing or is not 13", request(version="8"), response())
handshake_fault("an extension from nowhere", "the server accepted an extension that was not offered", request(), response(DEFLATE))
handshake_fault("a parameter from nowhere", "a parameter of an extension is invalid or does not match", request(DEFLATE), response(DEFLATE + "; client_max_window_bits=10"))
handshake_fault("a window from nowhere", "a parameter of an extension is invalid", request(DEFLATE + "; server_max_window_bits=9"), response(DEFLATE + "; server_max_window_bits=10"))
handshake_fault("a subprotocol from nowhere", "the server selected a subprotocol that was not requested", request("Sec-WebSocket-Protocol: a"), response("Sec-WebSocket-Protocol: b"))
scripted(
    "fault in a handshake: frames before the response",
    1,
    ["VIOLATION: data before the response to the handshake (RFC 6455 section 4.1)", '"early"'],
    (">", request() + frame(0x81, b"early")),
    ("<", response()),
    *CLOSE,
)

scripted(
    "refused with 401 and a body, then accepted",
    0,
    ["401 Unauthorized", "refused with 401", 'body, 9 bytes: "no entry\\n"', "101 Switching Protocols", '"Hello"'],
    (">", request()),
    ("<", b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 9\r\n\r\nno entry\n"),
    (">", request("Authorization: Basic YTpi")),
    ("<", response()),
    (">", frame(0x81, b"Hello")),
    *CLOSE,
)
scripted(
    "other requests before the handshake",
    0,
    ["GET /chat", '"Hello"'],
    (">", b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("<", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n0\r\n\r\n"),
    (">", b"POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nHello"),
    ("<", b"HTTP/1.1 204 No Content\r\n\r\n"),
    (">", b"HEAD /c HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("<", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"),
    *hello(),
    (">", frame(0x81, b"Hello")),
    *CLOSE,
)
scripted(
    "a tunnel through a proxy",
    0,
    ["GET /chat", '"Hello"'],
    (">", b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("<", b"HTTP/1.1 200 OK\r\n\r\n"),
    *hello(),
    (">", frame(0x81, b"Hello")),
    *CLOSE,
)
scripted(
    "several offers, of which one is accepted",
    0,
    ["client window 32768 bytes", '"Hello"'],
    (">", request(DEFLATE + "; server_max_window_bits=8, permessage-deflate; client_max_window_bits", "Sec-WebSocket-Protocol: a, b")),
    ("<", response(DEFLATE, "Sec-WebSocket-Protocol: b")),
    ("<", frame(0xC1, deflated(b"Hello"), None)),
    *CLOSE,
)
scripted(
    "frames in one packet, and a frame in many",
    0,
    ['"one"', '"two"', '"many packets"'],
    *hello(),
    (">", frame(0x81, b"one") + frame(0x81, b"two") + frame(0x89)),
    *[(">", bytes([byte])) for byte in frame(0x81, b"many packets")],
    *CLOSE,
)
scripted("a Close without a code, and none in return", 0, ["the client sent a Close with no code, the server sent none"], *hello(), (">", frame(0x88)))
scripted("a Close by the server", 0, ["closed by the server with 1001, answered with 1001"], *hello(), ("<", frame(0x88, b"\x03\xe9", None)), (">", frame(0x88, b"\x03\xe9")))
scripted("no WebSocket", 2, [], (">", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), ("<", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"))
scripted("TLS", 2, ["1 TLS"], (">", b"\x16\x03\x01\x00\x05hello"))


# Capturing.


class NotCaptured(Exception):
    pass


def start_tcpdump(file, *options):
    file.unlink(missing_ok=True)
    ports = f"tcp portrange {PORTS[0]}-{PORTS[-1]}"
    command = ["tcpdump", *options, "-Z", "root", "-B", "65536", "-w", str(file), ports]
    try:
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    except OSError as error:
        raise NotCaptured(str(error)) from error
    for line in process.stderr:
        if "listening on" in line:
            return process
        last = line
    raise NotCaptured(last.strip())


def stop_tcpdump(process):
    process.send_signal(subprocess.signal.SIGINT)
    text = process.stderr.read()
    process.wait()
    if "\n0 packets dropped by kernel" not in "\n" + text:
        print(f"FAILED  packets were lost: {text}")


def capture(files):
    """Holds all conversations, and returns their ports."""
    running = []
    try:
        running += [start_tcpdump(file, *options) for file, options in files.items()]
        ports = [function() for _, function, _, _ in CASES]
        # The system hands packets over every second.
        time.sleep(2)
        return ports
    finally:
        for process in running:
            stop_tcpdump(process)


# Comparing.


def tshark(file, *args):
    command = ["tshark", "-r", str(file), *args]
    return subprocess.run(command, check=True, capture_output=True, timeout=120).stdout


def tshark_frames(file, ports):
    """The frames in each direction, as tshark sees them: (stream, from) to a list of frames."""
    decode = [arg for port in ports for arg in ("-d", f"tcp.port=={port},http")]
    pdml = tshark(file, *decode, "-Y", "websocket", "-T", "pdml", "-J", "tcp websocket data")
    frames = {}
    for packet in ElementTree.fromstring(pdml):
        tcp = next(proto for proto in packet if proto.get("name") == "tcp")
        field = lambda name: next(field.get("show") for field in tcp.iter("field") if field.get("name") == name)
        sender = "server" if int(field("tcp.srcport")) in ports else "client"
        stream = frames.setdefault((int(field("tcp.stream")), sender), [])
        for proto in packet:
            if proto.get("name") == "websocket":
                stream.append(tshark_frame(proto))
    return frames


def tshark_frame(proto):
    fields = {field.get("name"): field.get("show") for field in proto.iter("field")}
    lengths = [fields.get(f"websocket.payload_length{form}") for form in ("_ext_64", "_ext_16", "")]
    return {
        "fin": fields["websocket.fin"] == "1",
        "rsv": int(fields["websocket.rsv"], 16),
        "opcode": int(fields["websocket.opcode"]),
        "masked": fields["websocket.mask"] == "1",
        "length": int(next(length for length in lengths if length)),
        "key": (fields.get("websocket.masking_key") or "").replace(":", "") or None,
        "close_code": int(code) if (code := fields.get("websocket.payload.close.status_code")) else None,
    }


def tshark_bytes(file, ports):
    """The bytes that each end sent, put in order: (stream, from) to bytes."""
    fields = ["tcp.stream", "tcp.srcport", "tcp.seq", "tcp.payload"]
    lines = tshark(file, "-Y", "tcp.len > 0", "-T", "fields", *[arg for field in fields for arg in ("-e", field)])
    streams = {}
    for line in lines.decode().splitlines():
        stream, port, seq, payload = line.split("\t")
        sender = "server" if int(port) in ports else "client"
        # Relative sequence numbers begin after the SYN.
        start, payload = int(seq) - 1, bytes.fromhex(payload)
        data = streams.setdefault((int(stream), sender), bytearray())
        data[start : start + len(payload)] = payload
    return streams


def dissect(*args):
    return subprocess.run([DISSECT, *map(str, args)], capture_output=True, text=True, timeout=120)


# tshark leaves out bytes that it does not recognize as WebSocket.
NOT_IN_TSHARK = {
    "fault in a handshake: frames before the response": "what comes before the response is HTTP to tshark",
    "a tunnel through a proxy": "it does not look into tunnels",
}


def compare(file, ports, with_bytes):
    """Compares all frames of a capture, with or without their payloads. Returns how many there are."""
    run = dissect("--json", "--show", 1 << 30, file)
    if run.stderr:
        raise AssertionError(run.stderr)
    objects = [json.loads(line) for line in run.stdout.splitlines()]
    streams = {object["stream"]: object for object in objects if object["type"] == "stream"}
    names = {port: name for port, (name, *_) in zip(ports, CASES)}
    frames = {}
    for object in objects:
        if object["type"] == "frame":
            frames.setdefault((object["stream"], object["from"]), []).append(object)
    theirs = tshark_frames(file, set(ports))
    data = tshark_bytes(file, set(ports)) if with_bytes else {}
    count = 0
    for key in sorted(frames.keys() | theirs.keys()):
        name = names[int(streams[key[0]]["server"].rsplit(":", 1)[1])]
        ours = frames.get(key, [])
        for frame in ours if with_bytes else []:
            check_payload(frame, data[key], f"{name}, {key}")
        if name in NOT_IN_TSHARK:
            continue
        seen = [{field: frame.get(field) for field in FIELDS} for frame in ours]
        if seen != theirs.get(key, []):
            raise AssertionError(f"{name}, {key}: {first_difference(seen, theirs.get(key, []))}")
        count += len(ours)
    return count


FIELDS = ["fin", "rsv", "opcode", "masked", "length", "key", "close_code"]


def first_difference(ours, theirs):
    for n, (a, b) in enumerate(zip(ours + [None], theirs + [None])):
        if a != b:
            return f"frame {n} is {a}, to tshark {b}"
    return f"{len(ours)} frames, to tshark {len(theirs)}"


def check_payload(frame, data, where):
    start = frame["offset"] + frame["header_length"]
    payload = data[start : start + frame["length"]]
    if frame["masked"]:
        key = bytes.fromhex(frame["key"])
        key = (key * (len(payload) // 4 + 1))[: len(payload)]
        payload = (int.from_bytes(payload) ^ int.from_bytes(key)).to_bytes(len(payload))
    if bytes.fromhex(frame["payload"]) != payload:
        raise AssertionError(f"{where}: the payload of {frame}")


def check_case(status, texts, *args):
    """Checks the exit status and the output for people."""
    run = dissect(*args)
    if run.returncode != status:
        raise AssertionError(f"status {run.returncode} instead of {status}: {run.stdout} {run.stderr}")
    for text in texts:
        if text not in run.stdout:
            raise AssertionError(f"no {text!r} in {run.stdout}")
    if status == 1 and run.stdout.count("VIOLATION") != 1:
        raise AssertionError(f"not one violation in {run.stdout}")


def main():
    dir = Path(DIR)
    files = {
        dir / "ethernet.pcap": ["-i", "lo"],
        dir / "cooked1.pcap": ["-i", "any", "-y", "LINUX_SLL"],
        dir / "cooked2.pcap": ["-i", "any", "-y", "LINUX_SLL2"],
    }
    try:
        ports = capture(files)
    except NotCaptured as error:
        print(f"skipped: tcpdump cannot capture here: {error}")
        return 0
    pcapng = dir / "ethernet.pcapng"
    subprocess.run(["editcap", "-F", "pcapng", dir / "ethernet.pcap", pcapng], check=True)
    failed = 0

    def check(name, function, *args):
        nonlocal failed
        try:
            result = function(*args)
            print(f"ok      {name}{f': {result}' if result is not None else ''}")
        except Exception as error:
            failed += 1
            print(f"FAILED  {name}: {type(error).__name__}: {error}")

    for file in [*files, pcapng]:
        check(f"all frames of {file.name} are as tshark shows them", compare, file, ports, file == pcapng)
    for port, (name, _, status, texts) in zip(ports, CASES):
        check(name, check_case, status, texts, "--port", port, dir / "ethernet.pcap")
    check("Chromium's own log", check_case, 0, CHAT, dir / "chromium.json")
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
