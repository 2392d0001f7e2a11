"""The web server of a receiver: uvicorn on a thread of its own.

Not on the package's loop thread: whoever floods or starves this port from outside must not slow down what is being
fetched, and the sender has its answer also while that loop is busy.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from typing import Any, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ipyassets.webhooks.app import WebhookApp

__all__ = ["Server"]

log = logging.getLogger("ipyassets.webhooks.server")
# What strangers send to an open port is no news; what goes wrong in here is.
log.setLevel(logging.ERROR)

_CONNECTIONS: Final = 100
"""At once; more are told to come again."""
_HEAD_TIMEOUT: Final = 10.0
"""Seconds in which the head of a request has to come whole."""
_KEEP_ALIVE: Final = 30
_LARGEST_HEAD: Final = 16 * 1024
_GRACE: Final = 2.0
"""Seconds for answers under way when the end is asked for."""
_PATIENCE: Final = 10.0
"""Seconds to wait for the thread."""


class _Connection(H11Protocol):
    """Hangs up on those who never finish their request's head: uvicorn has no limit for that."""

    _late: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.logger = log

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # asyncio does it only for sockets made with IPPROTO_TCP, and ours are not; without it each answer of two
        # packets waits 40 ms for the sender's delayed acknowledgement.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._unwatch()
        elif self._late is None:
            self._late = self.loop.call_later(_HEAD_TIMEOUT, self.transport.abort)

    def _unwatch(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        if self.server_state.tasks:
            await asyncio.wait(tuple(self.server_state.tasks), timeout=_GRACE)
        for connection in tuple(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await super().shutdown(sockets)


class Server:
    """One run, on a socket that is bound already."""

    def __init__(self, app: WebhookApp, listener: socket.socket) -> None:
        self.listener = listener
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        config = uvicorn.Config(
            app,
            http=_Connection,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_CONNECTIONS,
            h11_max_incomplete_event_size=_LARGEST_HEAD,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config, self._ready)
        # A daemon: a script that never stops its receiver still ends, by way of atexit.
        self._thread = threading.Thread(target=self._run, name="ipyassets-webhooks", daemon=True)

    def start(self) -> None:
        self._thread.start()
        if not self._ready.wait(_PATIENCE) or self._failure is not None:
            self.stop()
            raise RuntimeError("the webhook receiver did not start") from self._failure

    def stop(self) -> None:
        """Answer what is under way, then close every connection and the port."""
        self._server.should_exit = True
        if self._thread is not threading.current_thread():
            self._thread.join(_PATIENCE)
        with contextlib.suppress(OSError):
            self.listener.close()

    def _run(self) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._server.serve(sockets=[self.listener]))
        except BaseException as error:  # handed to start(), or logged
            self._failure = error
            if self._ready.is_set():
                log.exception("the webhook receiver broke off")
        finally:
            self._ready.set()
