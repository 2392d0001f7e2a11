"""A small web server that takes webhooks, with answers as a test wants them."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Post:
    path: str
    headers: Message
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


class Receiver(ThreadingHTTPServer):
    """Answers 200, or what stands in ``answers`` next; a `threading.Event` there holds the answer until it is set."""

    daemon_threads = False  # they are waited for

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.changed = threading.Condition()
        self.posts: list[Post] = []
        self.answers: deque[int | threading.Event] = deque()
        self.location: str | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"

    @property
    def events(self) -> list[str]:
        return [post.json["event"] for post in self.posts]

    def wait(self, count: int, timeout: float = 10.0) -> list[Post]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.posts) >= count, timeout), f"{len(self.posts)} of {count}"
            return list(self.posts)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        post = Post(self.path, self.headers, self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.changed:
            self.server.posts.append(post)
            answer = self.server.answers.popleft() if self.server.answers else 200
            self.server.changed.notify_all()
        if isinstance(answer, threading.Event):
            answer.wait(30)
            answer = 200
        self.send_response(answer)
        if self.server.location:
            self.send_header("Location", self.server.location)
        content = b"" if answer == 204 else b"ok"
        if content:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST  # noqa: N815 - a redirect that is followed may arrive so

    def log_message(self, format: str, *args: Any) -> None:
        """Not on stderr."""

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            """The sandbox hung up, as some tests want it to."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield receiver
        finally:
            for answer in receiver.answers:
                if isinstance(answer, threading.Event):
                    answer.set()
            receiver.shutdown()
            thread.join()
