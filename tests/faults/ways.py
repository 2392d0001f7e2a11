"""Places that are not the service: another server, one with a certificate nobody knows; and what is logged."""

from __future__ import annotations

import contextlib
import http.server
import logging
import socket
import ssl
import threading
from typing import Any, Self

__all__ = ["Elsewhere", "Log", "Stranger"]


class Log(logging.Handler):
    """Keeps what the package logs."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith("ipyassets.sandbox"):
            self.lines.append(self.format(record))

    def __enter__(self) -> Self:
        log = logging.getLogger("ipyassets")
        self._before = log.level
        log.addHandler(self)
        log.setLevel(logging.DEBUG)
        return self

    def __exit__(self, *_: object) -> None:
        log = logging.getLogger("ipyassets")
        log.removeHandler(self)
        log.setLevel(self._before)


class Elsewhere:
    """Another server, which answers whatever it is asked and remembers what it was sent."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        heard = self.heard

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                heard.append(f"{self.requestline}\n{self.headers}")
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.send_header("Connection", "close")
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(b"{}")

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  # names of http.server's

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, name="elsewhere", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Stranger:
    """A TLS server with a certificate that nobody knows."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(2)
                self._context.wrap_socket(connection, server_side=True).close()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._serve, name="stranger", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
