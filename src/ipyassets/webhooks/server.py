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
from functools import partial
from typing import Any, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ipyassets.webhooks.app import WebhookApp

__all__ = ["Server", "configured"]

log = logging.getLogger("ipyassets.webhooks.server")
# What strangers send to an open port is no news; what goes wrong in here is.
log.setLevel(logging.ERROR)

_CONNECTIONS: Final = 100
"""At once; for one more, another is hung up on."""
_QUEUE: Final = 1024
"""Connections that may wait in the operating system to be taken up."""
_HEAD_TIMEOUT: Final = 10.0
"""Seconds in which the head of a request has to come whole."""
_WRITE_TIMEOUT: Final = 10.0
"""Seconds in which an answer has to be read."""
_KEEP_ALIVE: Final = 30
_LARGEST_HEAD: Final = 16 * 1024
_GRACE: Final = 2.0
"""Seconds for answers under way when the end is asked for."""
_PATIENCE: Final = 10.0
"""Seconds to wait for the thread."""


class _Room:
    """The connections there are, no more than a number of them.

    Whoever comes has a place, or nobody would once strangers hold all of them: the connection that did nothing for the
    longest time goes, and one in the middle of a request only if all are.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._closed = False
        self._guests: dict[_Connection, None] = {}  # the latest to do something whole is the last

    def enter(self, guest: _Connection) -> None:
        if self._closed:
            guest.hang_up()
            return
        if len(self._guests) >= self._most:
            idle = next((each for each in self._guests if not each.asking), None)
            self.leave(idle or next(iter(self._guests))).hang_up()
        self._guests[guest] = None

    def leave(self, guest: _Connection) -> _Connection:
        self._guests.pop(guest, None)
        return guest

    def served(self, guest: _Connection) -> None:
        if guest in self._guests:
            self._guests[self.leave(guest)] = None

    def close(self) -> None:
        """Hang up on all, and on those who were let in but not announced yet."""
        self._closed = True
        for guest in tuple(self._guests):
            self.leave(guest).hang_up()


class _Connection(H11Protocol):
    """Hangs up on those who never finish their request's head or read no answer: uvicorn has no limit for either."""

    _late: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def __init__(self, room: _Room, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.logger = log
        self._room = room

    @property
    def asking(self) -> bool:
        """Whether it is in the middle of a request that is to be answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def hang_up(self) -> None:
        self.connections.discard(self)
        self.transport.abort()

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # asyncio does it only for sockets made with IPPROTO_TCP, and ours are not; without it each answer of two
        # packets waits 40 ms for the sender's delayed acknowledgement.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.set_write_buffer_limits(0)  # so that we are told of every answer that does not go out at once
        self._watch()
        self._room.enter(self)

    def data_received(self, data: bytes) -> None:
        # h11 asks only of a head that is not whole yet whether it is too long.
        for start in range(0, len(data), _LARGEST_HEAD):
            if self.transport.is_closing():
                break
            super().data_received(data[start : start + _LARGEST_HEAD])
        self._watch()

    def send_400_response(self, msg: str) -> None:
        # Else whoever answers what came before finds the connection closed, and a traceback goes to the log.
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        try:
            super().send_400_response(msg)
        except h11.LocalProtocolError:  # in the middle of an answer, or after the last one
            self.transport.close()

    def on_response_complete(self) -> None:
        self._room.served(self)
        super().on_response_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(_WRITE_TIMEOUT, self.hang_up)

    def resume_writing(self) -> None:
        self._ended("_unread")
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended("_late", "_unread")
        self._room.leave(self)
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._ended("_late")
        elif self._late is None:
            self._late = self.loop.call_later(_HEAD_TIMEOUT, self.hang_up)

    def _ended(self, *names: str) -> None:
        for name in names:
            timer: asyncio.TimerHandle | None = getattr(self, name)
            if timer is not None:
                timer.cancel()
            setattr(self, name, None)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, room: _Room, ready: threading.Event) -> None:
        super().__init__(config)
        self._room = room
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(_QUEUE)
        self._ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        if self.server_state.tasks:
            await asyncio.wait(tuple(self.server_state.tasks), timeout=_GRACE)
        self._room.close()
        await super().shutdown(sockets)


def configured(app: WebhookApp, connection: Any) -> uvicorn.Config:
    """How uvicorn serves ``app`` to whoever comes, with a ``connection`` for each."""
    return uvicorn.Config(
        app,
        http=connection,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_CONNECTIONS,  # asyncio takes up so many at a time, before any of them is announced
        h11_max_incomplete_event_size=_LARGEST_HEAD,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=1,
    )


class Server:
    """One run, on a socket that is bound already."""

    def __init__(self, app: WebhookApp, listener: socket.socket) -> None:
        self.listener = listener
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        room = _Room(_CONNECTIONS)
        connection: Any = partial(_Connection, room)  # uvicorn calls it, whatever it is
        config = configured(app, connection)
        self._server = _Server(config, room, self._ready)
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
