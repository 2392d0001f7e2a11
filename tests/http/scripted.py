"""For tests of connections: servers whose every byte the test writes, on the test's own loop, and no server at all."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ipyassets.http.pool import Pool
from ipyassets.http.secret import Secret
from ipyassets.http.wire import Connection, Incoming

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

ORIGIN = ("http", "example.org", 80)
_UNUSED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


async def heard(reader: asyncio.StreamReader) -> bytes:
    """One request, as it came; empty if the other side has gone."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            head += await reader.readexactly(int(line.partition(b":")[2]))
    return head


async def gone(reader: asyncio.StreamReader) -> bool:
    """Wait until the other side has closed."""
    with contextlib.suppress(ConnectionError):
        while await reader.read(65536):
            pass
    return True


async def until(so: Callable[[], object]) -> None:
    """Let the loop go on until ``so()`` holds, of what nobody tells."""
    while not so():  # noqa: ASYNC110  # there is no event
        await asyncio.sleep(0)


class Guests:
    """Who comes to a server of asyncio's: each is met by a task, and at the end all connections are closed.

    Also those that were only just accepted: a task that is cancelled before it begins closes nothing, and what it was
    to close was found by the garbage collector in the middle of some other test.
    """

    def __init__(self, meet: Script) -> None:
        self._meet = meet
        self._tasks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks[asyncio.create_task(self._met(reader, writer))] = writer

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            await self._meet(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()
            del self._tasks[task]

    async def end(self, server: asyncio.Server) -> None:
        """Close the server and all its connections."""
        for _ in range(100):  # no more, since who says nothing of TLS is waited for by asyncio
            if not self._coming():
                break
            await asyncio.sleep(0)
        server.close()
        ending = [*self._coming(), *self._tasks]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        for writer in self._tasks.values():  # their tasks never began
            writer.close()
        await asyncio.sleep(0)

    @staticmethod
    def _coming() -> list[asyncio.Task[Any]]:
        """Those whom asyncio has accepted and not announced yet."""
        return [
            task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__name__", "") == "_accept_connection2"
        ]


class Place:
    """A port, and what was heard on each connection to it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connections = 0

    def origin(self, scheme: str = "http", host: str = "127.0.0.1") -> tuple[str, str, int]:
        return (scheme, host, self.port)


@contextlib.asynccontextmanager
async def serving(*scripts: Script, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[Place]:
    """The first connection meets the first script, …; the last one all further ones. A script's error is the test's."""
    failures: list[BaseException] = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = scripts[min(place.connections, len(scripts) - 1)]
        place.connections += 1
        try:
            await script(reader, writer)
        except ConnectionError:
            pass
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    guests = Guests(meet)
    server = await asyncio.start_server(guests, host, 0, ssl=tls)
    place = Place(server.sockets[0].getsockname()[1])
    try:
        yield place
    finally:
        await guests.end(server)
    assert failures == []


async def ask(
    pool: Pool,
    origin: tuple[str, str, int],
    *,
    method: str = "GET",
    body: str = "",
    repeatable: bool = True,
    connect: float = 5.0,
    patience: float = 5.0,
) -> Incoming:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return await pool.request(
        origin,
        Secret(f"{method} /x HTTP/1.1\r\nHost: here\r\n{length}\r\n{body}"),
        bodyless=method == "HEAD",
        repeatable=repeatable,
        connect=connect,
        patience=patience,
    )


async def content(incoming: Incoming) -> bytes:
    return b"".join([piece async for piece in incoming.pieces()])


class Line(asyncio.Transport):
    """A transport whose other side is the test: `say` gives the connection bytes as a socket would."""

    def __init__(self, *, bodyless: bool = False) -> None:
        super().__init__()
        self.pool = Pool(_UNUSED)
        self.written = b""
        self.paused = False
        self._gone = False
        self.connection = Connection(self.pool, ORIGIN)
        self.pool._all.add(self.connection)
        self.connection.connection_made(self)
        self._bodyless = bodyless

    def ask(self, patience: float = 5.0) -> asyncio.Task[Incoming]:
        return asyncio.create_task(
            self.connection.ask(Secret("GET / HTTP/1.1\r\n\r\n"), bodyless=self._bodyless, patience=patience)
        )

    def say(self, data: bytes, cut: int = 1 << 30) -> None:
        """Give ``data`` in reads of ``cut`` bytes at most."""
        view = memoryview(data)
        while view and not self._gone:
            view = view[self.read(view[:cut]) :]

    def read(self, data: bytes | memoryview) -> int:
        """Give as much of ``data`` as one read takes."""
        room = self.connection.get_buffer(-1)
        assert len(room) > 0
        taken = min(len(room), len(data))
        room[:taken] = data[:taken]
        self.connection.buffer_updated(taken)
        return taken

    def hang_up(self) -> None:
        self.connection.eof_received()
        self.close()

    @property
    def kept(self) -> bool:
        """Whether it waits for the next request."""
        return self.connection.usable and self.connection in self.pool._idle.get(ORIGIN, [])

    # -- asyncio's side

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return self._gone

    def abort(self) -> None:
        if not self._gone:
            self._gone = True
            asyncio.get_running_loop().call_soon(self.connection.connection_lost, None)

    def close(self) -> None:
        self.abort()

    def pause_reading(self) -> None:
        assert not self.paused
        self.paused = True

    def resume_reading(self) -> None:
        assert self.paused
        self.paused = False


def certified(folder: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's side of TLS, with a certificate for ``names`` that the client trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ipyassets test")])
    now = dt.datetime.now(dt.UTC)
    listed: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    if "localhost" in names:
        listed.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(listed), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    both = folder / "both.pem"
    both.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(both)
    return server, ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())
