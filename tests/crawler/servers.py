"""Real servers on loopback for the crawler's tests: websites that behave as told, and a name server."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Route = Callable[[BaseHTTPRequestHandler], None]


def page(body: str, status: int = 200, content_type: str = "text/html; charset=utf-8", **headers: str) -> Route:
    """Answer with a page."""
    return raw(body.encode(), status, content_type, **headers)


def raw(body: bytes, status: int = 200, content_type: str = "text/html; charset=utf-8", **headers: str) -> Route:
    """Answer with bytes."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Type", content_type)
        request.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(body)

    return answer


def redirect(location: str, status: int = 302) -> Route:
    return page("", status, Location=location)


def cut_chunks(request: BaseHTTPRequestHandler) -> None:
    """Send one chunk of a chunked body, then close the connection."""
    request.send_response(200)
    request.send_header("Content-Type", "text/html; charset=utf-8")
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    request.wfile.write(b"10\r\n<html><body>half\r\n")
    request.wfile.flush()
    request.connection.shutdown(socket.SHUT_RDWR)
    request.close_connection = True


def drip(request: BaseHTTPRequestHandler) -> None:
    """Send a byte now and then, for as long as the client listens."""
    request.send_response(200)
    request.send_header("Content-Type", "text/html")
    request.end_headers()
    request.close_connection = True
    with contextlib.suppress(OSError):
        while not request.server.stopped.wait(0.05):
            request.wfile.write(b"<")
            request.wfile.flush()


def drop(request: BaseHTTPRequestHandler) -> None:
    """Close the connection without a word."""
    request.connection.shutdown(socket.SHUT_RDWR)
    request.close_connection = True


@dataclass
class Website:
    """A website: its routes by path, and what was asked of it."""

    routes: dict[str, Route] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    most_at_once: int = 0
    refuses_head: bool = True
    missing: Route = field(default_factory=lambda: page("<html><body>没有这个页面</body></html>", 404))  # other paths
    released: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def hang(self, _request: BaseHTTPRequestHandler) -> None:
        """Answer nothing for as long as the server lives."""
        self.released.wait(60)

    def asked(self, path: str) -> int:
        return self.log.count(path)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    stopped: threading.Event
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is what some tests are about."""


class _Server6(_Server):
    address_family = socket.AF_INET6


@contextlib.contextmanager
def serve(website: Website, addresses: tuple[str, ...] = ("127.0.0.1",)) -> Iterator[Website]:
    """Serve a website on the same port of all addresses."""
    lock, busy = threading.Lock(), [0]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            if website.refuses_head:
                page("", 501)(self)
            else:
                self.do_GET()

        def do_GET(self) -> None:
            with lock:
                website.log.append(self.path)
                website.agents.add(self.headers.get("User-Agent", ""))
                busy[0] += 1
                website.most_at_once = max(website.most_at_once, busy[0])
            try:
                website.routes.get(self.path, website.missing)(self)
            finally:
                with lock:
                    busy[0] -= 1

        def log_message(self, *_: object) -> None:
            """Keep the test's output quiet."""

    servers = []
    for address in addresses:
        kind = _Server6 if ":" in address else _Server
        servers.append(kind((address, website.port), Handler))
        servers[-1].stopped = website.released
        website.port = servers[0].server_address[1]
    for server in servers:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield website
    finally:
        website.released.set()
        for server in servers:
            server.shutdown()
            server.server_close()


Zone = dict[tuple[str, str], list[str]]
SILENT = "silent"  # a record that makes the server say nothing


@contextlib.contextmanager
def name_server(zone: Zone, addresses: tuple[str, ...] = ("127.0.0.1",)) -> Iterator[int]:
    """Answer DNS queries over UDP from (name, type) -> values; yield the port. Names without records do not exist."""
    sockets: list[socket.socket] = []
    port = 0
    for address in addresses:
        listening = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        listening.bind((address, port))
        port = listening.getsockname()[1]
        sockets.append(listening)
        threading.Thread(target=_answer_all, args=(listening, zone), daemon=True).start()
    try:
        yield port
    finally:
        for listening in sockets:
            listening.close()


def _answer_all(listening: socket.socket, zone: Zone) -> None:
    while True:
        try:
            wire, client = listening.recvfrom(4096)
            answer = _answer(dns.message.from_wire(wire), zone)
            if answer is not None:
                listening.sendto(answer.to_wire(), client)
        except OSError:
            return


def _answer(query: dns.message.Message, zone: Zone) -> dns.message.Message | None:
    question = query.question[0]
    name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
    values = zone.get((name, kind), [])
    if values == [SILENT]:
        return None
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.AA | dns.flags.RA
    if values:
        answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, values))
    elif values == [] and (name, kind) not in zone and not any(known == name for known, _ in zone):
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer
