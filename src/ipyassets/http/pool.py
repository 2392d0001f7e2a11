"""Connections that are kept for the next request, and made where there is none."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

from ipyassets.http.head import Trouble, WireError
from ipyassets.http.race import connected
from ipyassets.http.secret import Secret
from ipyassets.http.wire import Connection, Incoming, Origin

__all__ = ["Pool"]

_KEPT: Final = 30.0
"""Seconds an idle connection is kept."""
_PARTING: Final = 1.0
"""Seconds a closed connection gets to go."""


class Pool:
    """Connections to any number of origins, kept for the next request. How many there are is the caller's business."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._idle: dict[Origin, list[Connection]] = {}
        self._all: set[Connection] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    async def request(
        self,
        origin: Origin,
        request: Secret,
        *,
        bodyless: bool,
        repeatable: bool,
        connect: float,
        patience: float,
    ) -> Incoming:
        """Send a request, given as it goes out, and wait for its answer to begin.

        ``connect``, ``patience``: seconds to connect, and of silence. ``repeatable``: whether to send it again, once
        and on a new connection, where a kept one turns out to have been closed by the server meanwhile. Raises
        `WireError`.
        """
        connection = self._kept(origin)
        if connection is not None:
            try:
                return await connection.ask(request, bodyless=bodyless, patience=patience)
            except WireError as error:
                if not repeatable or error.answered:
                    raise
        connection = await self._opened(origin, connect)
        return await connection.ask(request, bodyless=bodyless, patience=patience)

    async def aclose(self) -> None:
        """Close all connections for good, and wait until they are."""
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        parting = list(self._all)
        self._idle.clear()
        for connection in parting:
            connection.abort()
        if parting:
            await asyncio.wait([connection.lost for connection in parting], timeout=_PARTING)

    # -- for connections ------------------------------------------------------------------------------------------

    def keep(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        connection.since = loop.time()
        self._idle.setdefault(connection.origin, []).append(connection)
        if self._sweep is None:
            self._sweep = loop.call_later(_KEPT, self._swept)

    def forget(self, connection: Connection) -> None:
        self._all.discard(connection)
        idle = self._idle.get(connection.origin)
        if idle is not None and connection in idle:
            idle.remove(connection)

    def _kept(self, origin: Origin) -> Connection | None:
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()  # the one used last: the others may go
            if connection.usable:
                return connection
        return None

    def _swept(self) -> None:
        """Close what has been idle for long."""
        now = asyncio.get_running_loop().time()
        self._sweep = None
        left = False
        for idle in self._idle.values():
            for connection in list(idle):
                if now - connection.since >= _KEPT:
                    idle.remove(connection)
                    connection.abort()
                else:
                    left = True
        if left:
            self._sweep = asyncio.get_running_loop().call_later(_KEPT / 2, self._swept)

    async def _opened(self, origin: Origin, patience: float) -> Connection:
        if self._closed:
            raise WireError("connect")
        scheme, host, port = origin
        tls = self._tls if scheme == "https" else None
        trouble: Trouble
        try:
            async with asyncio.timeout(patience):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self, origin),
                    sock=await connected(host, port),
                    ssl=tls,
                    server_hostname=host if tls is not None else None,
                )
        except TimeoutError:
            trouble = "connect in time"
        except ssl.SSLCertVerificationError:
            trouble = "certificate"
        except (OSError, ssl.SSLError, UnicodeError):  # UnicodeError: no such name could ever be looked up
            trouble = "connect"
        else:
            if not self._closed:
                self._all.add(connection)
                return connection
            connection.abort()  # closed in the meantime, it has nobody left who would close this one
            trouble = "connect"
        raise WireError(trouble)
