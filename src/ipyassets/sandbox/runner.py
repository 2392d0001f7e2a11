"""The web server of a sandbox: uvicorn in a thread, around the services and the faults layer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import uvicorn
from starlette.routing import BaseRoute, Mount, Route, Router
from uvicorn.protocols.http.h11_impl import H11Protocol

from ipyassets.sandbox.background import Background
from ipyassets.sandbox.fault_actions import TRANSPORT
from ipyassets.sandbox.faults import App, FaultLayer, Faults, Message, Receive, Send
from ipyassets.sandbox.guests import guarded

__all__ = ["Runner", "application"]

log = logging.getLogger("ipyassets.sandbox.server")
# What strangers send to an open port is no news, and would fill the notebook; what goes wrong in here is.
log.setLevel(logging.ERROR)

KEEP_ALIVE = 75
"""Seconds an idle connection stays open: longer than clients keep theirs, so that they never race with us."""


def application(
    prefixes: Mapping[str, Sequence[BaseRoute]],
    faults: Faults,
    latency: Callable[[], float],
    *,
    hosts: Sequence[str],
) -> App:
    """The ASGI application: who may ask, what goes wrong, then the routes below each prefix."""
    mounts = [Mount(prefix, app=Router(_any(routes), redirect_slashes=False)) for prefix, routes in prefixes.items()]
    return guarded(FaultLayer(Router(_any(mounts), redirect_slashes=False), faults, latency), hosts)


def _any(routes: Sequence[BaseRoute]) -> Sequence[BaseRoute]:
    """``routes``, also for paths with line breaks in them: Starlette's expressions pass those by, or cut them off."""
    for route in routes:
        if isinstance(route, Route | Mount):
            route.path_regex = re.compile(route.path_regex.pattern.removesuffix("$") + r"\Z", re.DOTALL)
    return routes


class Connection(H11Protocol):
    """Puts each connection's transport into the scope, for the faults layer to break."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.logger = log

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # asyncio does it only for sockets made with IPPROTO_TCP, and ours are not; without it each answer of two
        # packets waits 40 ms for the client's delayed acknowledgement.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        app: Any = self.app

        async def with_transport(scope: Message, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[TRANSPORT] = transport
            await app(scope, receive, send)

        self.app = with_transport


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Answers that stall on purpose, and clients that keep their connections, would hold us up.
        for connection in tuple(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await super().shutdown(sockets)


class Runner:
    """One run of the server, on a socket that is bound already.

    ``background`` is open from before the first request until the end is asked for.
    """

    def __init__(self, app: App, listener: socket.socket, background: Background) -> None:
        self.listener = listener
        self._background = background
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        config = uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config, self._ready)
        # A daemon: a script that never stops its sandbox still ends, by way of atexit.
        self._thread = threading.Thread(target=self._run, name="ipyassets-sandbox", daemon=True)

    def start(self, timeout: float) -> None:
        self._thread.start()
        if not self._ready.wait(timeout) or self._failure is not None:
            self.stop(timeout)
            raise RuntimeError("the sandbox did not start") from self._failure

    def stop(self, timeout: float) -> None:
        self._background.close()
        self._server.should_exit = True
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)
        with contextlib.suppress(OSError):
            self.listener.close()

    def _run(self) -> None:
        try:
            with asyncio.Runner() as runner:
                self._background.open(runner.get_loop())
                runner.run(self._server.serve(sockets=[self.listener]))
        except BaseException as error:  # handed to start(), or logged
            self._failure = error
            if self._ready.is_set():
                logging.getLogger("ipyassets.sandbox").exception("the sandbox's server broke off")
        finally:
            self._background.close()
            self._ready.set()
