"""`WebhookReceiver`: webhooks taken in by the notebook itself."""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures.thread  # noqa: F401  # so that its hook for the end is there before ours
import contextlib
import errno
import logging
import os
import socket
import threading
import weakref
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self, TypeVar

from ipyassets.arguments import patience, whole
from ipyassets.errors import InvalidRequest
from ipyassets.http.messages import MEGABYTE
from ipyassets.services.events import Event, hub
from ipyassets.services.vntana.events import TOLERANCE
from ipyassets.webhooks.app import WebhookApp
from ipyassets.webhooks.handlers import Handler
from ipyassets.webhooks.keys import Keys, Secrets
from ipyassets.webhooks.mailbox import Closed, Events, Mailbox
from ipyassets.webhooks.wanted import wanted

if TYPE_CHECKING:
    from ipyassets.webhooks.server import Server

__all__ = ["WebhookReceiver"]

H = TypeVar("H", bound=Handler)

log = logging.getLogger("ipyassets.webhooks")

_SETTLE: Final = 5.0
"""Seconds that handlers get to finish what was taken in, when the receiver stops."""

_running: weakref.WeakSet[WebhookReceiver] = weakref.WeakSet()


class WebhookReceiver:
    """Serves webhooks on a port of this machine, while it runs.

    >>> with WebhookReceiver("the webhook's secret", port=8123) as receiver:  # doctest: +SKIP
    ...     print(receiver.url)
    ...     event = receiver.wait_for("renders.completed", timeout=600)

    Parameters
    ----------
    secret
        The webhook's secret, or several in a list. ``vntana.webhooks.receive()`` makes a webhook and needs none.
    port
        TCP port; 0 takes a free one.
    host
        Where to listen: this machine alone, unless told otherwise.
    path, tolerance, max_body
        As for `WebhookApp`.

    While it runs, render jobs of this process look as soon as they are told. It stops with its ``with`` block
    (``async with`` too), with `stop`, or with the interpreter.
    """

    def __init__(
        self,
        secret: Secrets | Keys | None = None,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        path: str = "/",
        tolerance: float | None = TOLERANCE,
        max_body: int = MEGABYTE,
    ) -> None:
        if secret is None:
            raise InvalidRequest(
                "A receiver needs the webhook's secret; vntana.webhooks.receive() makes a webhook and knows its own."
            )
        keys = Keys.of(secret)
        del secret  # tracebacks may show local variables, and this object
        self._url = ""
        self._server: Server | None = None
        self._app = WebhookApp(keys, tolerance=tolerance, max_body=max_body, path=path)
        self._mailbox = Mailbox()
        self._app.arrivals.subscribe(self._mailbox.put)
        self._host = host
        self._port = whole("port", port, 0, 65535)
        self._lock = threading.RLock()
        self._while_running = contextlib.ExitStack()

    # -- how it stands ----------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return self._server is not None

    @property
    def url(self) -> str:
        """Where it listens, ``http://127.0.0.1:PORT/``. `RuntimeError` while it does not run."""
        if not self.running:
            raise RuntimeError("the receiver is not running: call start(), or use it in a with block")
        return self._url

    @property
    def received(self) -> int:
        """Events taken in, each once."""
        return self._app.received

    @property
    def duplicates(self) -> int:
        """Further copies of events; the sender was thanked, and nobody else was told."""
        return self._app.duplicates

    @property
    def refused(self) -> Mapping[str, int]:
        """How many deliveries were refused, by reason. The sender is not told why."""
        return dict(self._app.refused)

    @property
    def dropped(self) -> int:
        """Events that nobody took in time: at most 1,000 wait, for `events` and for handlers each."""
        return self._mailbox.dropped + self._app.dropped

    def __repr__(self) -> str:
        if "_app" not in vars(self):  # it could not be made
            return f"<{type(self).__name__} (not made)>"
        where = self._url if self.running else "not running"
        refused = sum(self.refused.values())
        return f"<{type(self).__name__} {where}, {self.received} received, {refused} refused>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A receiver holds a secret and is not pickled.")

    # -- begin and end ----------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Serve until `stop`; nothing happens if it runs already. Raises `OSError` if the port is taken."""
        with self._lock:
            if self._server is None:
                server = self._serve()
                self._server = server
                self._mailbox.open()
                self._while_running.enter_context(hub.receiver())
                _running.add(self)
        return self

    def stop(self) -> None:
        """Close the port. What was taken in is handled before, as far as that takes seconds. Safe to call twice."""
        with self._lock:
            server, self._server = self._server, None
            if server is None:
                return
            _running.discard(self)
            server.stop()
            self._while_running.close()
        self._mailbox.close()
        self._app.settle(_SETTLE)

    def _serve(self) -> Server:
        try:
            from ipyassets.webhooks.server import Server
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] == "ipyassets":
                raise
            raise ImportError(
                f"a webhook receiver needs {error.name}, which is not installed: pip install uvicorn", name=error.name
            ) from error
        listener = _bound(self._host, self._port)
        port = listener.getsockname()[1]
        host = f"[{self._host}]" if ":" in self._host else self._host
        self._url = f"http://{host}:{port}{self._app.path}"
        server = Server(self._app, listener)
        server.start()
        return server

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def _forget(self) -> None:
        """In a forked child: the thread is not here, and the port belongs to the parent."""
        self._lock = threading.RLock()
        server, self._server = self._server, None
        if server is not None:
            server.listener.close()
            self._while_running.close()
        self._app.forget()
        self._mailbox.close()

    # -- what comes -------------------------------------------------------------------------------------------------

    def on(self, *names: str) -> Callable[[H], H]:
        """Have a function called with events of these names: ``@receiver.on("renders.completed")``.

        Names in either spelling (``product.completed``, ``asset.completed``), ``"renders.*"`` for all that begin so;
        ``"*"`` or no name for every event. Functions are called one after the other, in the order events came, on a
        thread of their own: they may block, and use the client. What they raise is logged.
        """
        return self._app.on(*names)

    def events(self, *names: str, asset: Any = None, timeout: float | None = None) -> Events:
        """Events as they come, those that wait first: ``for event in receiver.events()``, or ``async for``.

        Ends when none came for ``timeout`` seconds, and when the receiver stops. Each event is given once, so of two
        loops that want the same one gets it; at most 1,000 wait. ``names`` as for `on`; ``asset``: about this alone.
        """
        return Events(self._mailbox, wanted(names, asset), patience(timeout))

    def wait_for(self, *names: str, asset: Any = None, timeout: float | None = None) -> Event:
        """The next event of these names, or one that waits; others are left for `events`.

        Raises `TimeoutError` if none came in ``timeout`` seconds, `RuntimeError` if the receiver stops before.
        """
        try:
            return self._mailbox.take(wanted(names, asset), patience(timeout))
        except TimeoutError:
            what = " or ".join(names) or "event"
            raise TimeoutError(f"No {what} came in {timeout:g} s. {self._advice()}") from None
        except Closed:
            raise RuntimeError("the receiver is not running: nothing comes any more") from None

    def clear(self) -> None:
        """Forget the events that wait."""
        self._mailbox.clear()

    def rotate(self, secret: Secrets, *, grace: float = 2 * TOLERANCE) -> None:
        """Take a new secret; the old one stays good for ``grace`` seconds, for what is on its way."""
        self._app.rotate(secret, grace=grace)

    def _advice(self) -> str:
        if self.refused:
            said = ", ".join(f"{count} times {reason}" for reason, count in self.refused.items())
            return f"Refused since the start: {said}."
        if not self.received:
            return "Nothing came at all: can the service reach this receiver, and does its webhook ask for this event?"
        return f"{self.received} other events came."


def _bound(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `OSError` that says what to do where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            text = f"port {port} of {host} is taken: choose another, or port=0 for a free one"
            raise OSError(error.errno, text) from None
        raise


def _stop_all() -> None:
    for receiver in tuple(_running):
        try:
            receiver.stop()
        except Exception:  # the others are to be stopped too
            log.exception("a receiver was not stopped")


# What stands in atexit comes after concurrent.futures has closed its threads, and requests need those: a webhook at the
# service could not be deleted any more. Its own hook is the only one before that.
getattr(threading, "_register_atexit", atexit.register)(_stop_all)


def _forget_all() -> None:
    for receiver in tuple(_running):
        receiver._forget()  # noqa: SLF001 - the class and its fork handler are one thing
    _running.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
