"""A feed's server on the loopback, which answers as each test would have it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """One question: its path, its parameters from address or form, its JSON body and its headers."""

    path: str
    params: dict[str, str]
    body: Any
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """One answer."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    kind: str | None = "application/json"


@dataclass
class Station:
    """A server that answers as `answer` does, and remembers what it was asked."""

    url: str
    answer: Callable[[Asked], Any] = lambda _: []
    asked: list[Asked] = field(default_factory=list)

    def reply(self, question: Asked) -> Reply:
        self.asked.append(question)
        found = self.answer(question)
        return found if isinstance(found, Reply) else Reply(json.dumps(found).encode())


@contextmanager
def serve() -> Iterator[Station]:
    """A station on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            form = self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
            params = dict(parse_qsl(parts.query, keep_blank_values=True))
            params |= dict(parse_qsl(sent.decode(), keep_blank_values=True)) if form else {}
            body = json.loads(sent) if sent and not form else None
            reply = here.reply(Asked(parts.path, params, body, dict(self.headers)))
            self.send_response_only(reply.status)  # no date of its own
            if reply.kind is not None:
                self.send_header("Content-Type", reply.kind)
            for name, value in ({"Content-Length": str(len(reply.body))} | reply.headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection = "Content-Length" in reply.headers

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here = Station(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
