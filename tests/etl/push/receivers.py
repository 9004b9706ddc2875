"""Offices that news is sent to: a real HTTP server and a real mail server on loopback."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Office:
    """What arrived; `answers` are the statuses of the first requests, then 200. Where `stalls` it answers nothing."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    stalls: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?channel=1"


@contextmanager
def office() -> Iterator[Office]:
    """An office that takes webhooks."""
    desk, over = Office(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            desk.got.append((dict(self.headers) | {"path": self.path}, body))
            desk.arrived.release()
            if desk.stalls.is_set():
                over.wait(20)
                return
            status = desk.answers.pop(0) if desk.answers else 200
            self.send_response(status)
            if status == 302:
                self.send_header("Location", self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    desk.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield desk
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class PostOffice:
    """Mails that were handed over; `refuses` are recipients that it does not know."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)


@contextmanager
def post_office() -> Iterator[PostOffice]:
    """A mail server that takes mails, as RFC 5321 has it and no more."""
    desk = PostOffice()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 post.test\r\n")
            while line := self.rfile.readline():
                word = line.decode().strip()
                desk.said.append(word)
                verb = word[:4].upper()
                if verb == "DATA":
                    self.wfile.write(b"354 go on\r\n")
                    raw = b""
                    while (part := self.rfile.readline()) != b".\r\n":
                        raw += part.removeprefix(b".") if part.startswith(b"..") else part
                    desk.mails.append(message_from_bytes(raw, policy=policy.default))
                    self.wfile.write(b"250 taken\r\n")
                elif verb == "RCPT" and any(one in word for one in desk.refuses):
                    self.wfile.write(b"550 unknown\r\n")
                elif verb == "QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                elif verb == "EHLO":
                    self.wfile.write(b"250-post.test\r\n250 8BITMIME\r\n")
                else:
                    self.wfile.write(b"250 well\r\n")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    desk.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield desk
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
