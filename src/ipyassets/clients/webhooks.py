"""``vntana.webhooks``: the webhooks at the service, and a receiver for one of our own."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final, Self, TypedDict, Unpack
from urllib.parse import urlsplit

from ipyassets.errors import AssetServiceError, BadResponse, InvalidRequest, NotFound
from ipyassets.http import loop
from ipyassets.http.messages import MEGABYTE
from ipyassets.services.vntana.events import TOLERANCE
from ipyassets.services.vntana.webhooks import EventKind, Webhook, Webhooks
from ipyassets.webhooks.keys import Keys
from ipyassets.webhooks.receiver import WebhookReceiver

__all__ = ["AsyncVntanaWebhooks", "VntanaReceiver", "VntanaWebhooks", "WebhookChanges"]

log = logging.getLogger("ipyassets.webhooks")

RENDER_EVENTS: Final = ("renders.*", "turntable.*")
_FAREWELL: Final = 5.0
"""Seconds to delete a webhook in, when its receiver stops."""
_GRACE: Final = 2 * TOLERANCE


class WebhookChanges(TypedDict, total=False):
    """What of a webhook can be changed."""

    url: str
    events: str | Iterable[str]
    name: str
    email: str
    workspaces: str | Iterable[str]
    description: str
    enabled: bool


class _Settings(TypedDict, total=False):
    name: str
    email: str | None
    workspaces: str | Iterable[str]
    description: str


class _VntanaWebhooks:
    def __init__(self, core: Webhooks) -> None:
        self._core = core

    def receive(
        self,
        url: str | None = None,
        events: str | Iterable[str] = RENDER_EVENTS,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        path: str = "/",
        tolerance: float | None = TOLERANCE,
        max_body: int = MEGABYTE,
        **settings: Unpack[_Settings],
    ) -> VntanaReceiver:
        """A receiver together with a webhook of its own, which is made when it starts and deleted when it stops.

        >>> with vntana.webhooks.receive(url="https://notebook.example/", port=8123) as receiver:  # doctest: +SKIP
        ...     receiver.wait_for("renders.completed", timeout=600)

        ``url``: where the service reaches the receiver, such as a tunnel's address; None: the receiver's own, which
        only a service on this machine reaches (the sandbox). ``events``: names in either spelling, or patterns such
        as ``"product.*"``. Further keywords are those of `WebhookReceiver` and of ``create``. Use it in a ``with``
        block (``async with``), or call ``start()`` and ``stop()``.
        """
        _known(settings, _Settings)
        if url is not None:
            _checked(url)
        return VntanaReceiver(
            self._core,
            url,
            events,
            settings,
            port=port,
            host=host,
            path=path,
            tolerance=tolerance,
            max_body=max_body,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class VntanaWebhooks(_VntanaWebhooks):
    """The webhooks of an organization at VNTANA. Methods block until they are done.

    A ``webhook`` argument is a `Webhook` or its id.
    """

    def events(self) -> list[EventKind]:
        """The catalogue: every kind of event that a webhook can ask for."""
        return [*loop.run(self._core.catalogue())]

    def list(self) -> list[Webhook]:
        """The webhooks there are."""
        return [*loop.run(self._core.list())]

    def get(self, webhook: Webhook | str) -> Webhook:
        """One webhook as it is now. Raises `NotFound`."""
        return loop.run(self._core.get(_id(webhook)))

    def create(
        self,
        url: str,
        events: str | Iterable[str] = RENDER_EVENTS,
        *,
        enabled: bool = True,
        **settings: Unpack[_Settings],
    ) -> Webhook:
        """Have ``events`` sent to ``url``; the answer holds the secret they are signed with.

        ``url``: https, or http on this machine. ``events``: names in either spelling, or patterns such as
        ``"renders.*"``; by default, all of renders and turntables. ``name``; ``email``: who is written to when
        deliveries fail, the account's own if None; ``workspaces``: by uuid, slug or name, none for the whole
        organization; ``description``. Raises `InvalidRequest` before anything is sent for an address or an event that
        cannot be, naming those there are.
        """
        return loop.run(self._core.create(_checked(url), events, enabled=enabled, **settings))

    def update(self, webhook: Webhook | str, **changes: Unpack[WebhookChanges]) -> Webhook:
        """Change what is given (``url``, ``events``, ``name``, ``email``, ``workspaces``, ``description``,
        ``enabled``) and leave the rest. ``enabled=True`` gives one another chance that the service gave up on.
        """
        return loop.run(self._core.update(_id(webhook), **_allowed(changes)))

    def delete(self, webhook: Webhook | str) -> None:
        """Delete a webhook. Raises `NotFound`."""
        loop.run(self._core.delete(_id(webhook)))

    def rotate_secret(self, webhook: Webhook | str) -> Webhook:
        """Give a webhook a new secret, which the answer holds; hand it to `WebhookReceiver.rotate`.

        Of a receiver made by ``receive()``: `VntanaReceiver.rotate_secret`.
        """
        return loop.run(self._core.rotate_secret(_id(webhook)))


class AsyncVntanaWebhooks(_VntanaWebhooks):
    """As `VntanaWebhooks`, awaited; ``receive()`` is not, and goes into an ``async with``."""

    async def events(self) -> list[EventKind]:
        """As `VntanaWebhooks.events`."""
        return [*await loop.awaiting(self._core.catalogue())]

    async def list(self) -> list[Webhook]:
        """As `VntanaWebhooks.list`."""
        return [*await loop.awaiting(self._core.list())]

    async def get(self, webhook: Webhook | str) -> Webhook:
        """As `VntanaWebhooks.get`."""
        return await loop.awaiting(self._core.get(_id(webhook)))

    async def create(
        self,
        url: str,
        events: str | Iterable[str] = RENDER_EVENTS,
        *,
        enabled: bool = True,
        **settings: Unpack[_Settings],
    ) -> Webhook:
        """As `VntanaWebhooks.create`."""
        return await loop.awaiting(self._core.create(_checked(url), events, enabled=enabled, **settings))

    async def update(self, webhook: Webhook | str, **changes: Unpack[WebhookChanges]) -> Webhook:
        """As `VntanaWebhooks.update`."""
        return await loop.awaiting(self._core.update(_id(webhook), **_allowed(changes)))

    async def delete(self, webhook: Webhook | str) -> None:
        """As `VntanaWebhooks.delete`."""
        await loop.awaiting(self._core.delete(_id(webhook)))

    async def rotate_secret(self, webhook: Webhook | str) -> Webhook:
        """As `VntanaWebhooks.rotate_secret`."""
        return await loop.awaiting(self._core.rotate_secret(_id(webhook)))


class VntanaReceiver(WebhookReceiver):
    """A receiver with a webhook of its own at the service, for as long as it runs; see ``vntana.webhooks.receive``."""

    def __init__(
        self,
        core: Webhooks,
        public_url: str | None,
        events: str | Iterable[str],
        settings: _Settings,
        **receiver: Any,
    ) -> None:
        self._secrets = Keys()  # none yet, so nothing is taken before the service has told its own
        super().__init__(self._secrets, **receiver)
        self._core = core
        self._public_url = public_url
        self._events = events if isinstance(events, str) else tuple(events)
        self._settings = settings
        self._webhook: Webhook | None = None

    @property
    def webhook(self) -> Webhook | None:
        """The webhook at the service; None while the receiver does not run."""
        return self._webhook

    def start(self) -> Self:
        """Serve, and have the service send. Raises `OSError` if the port is taken, and what the service refuses."""
        with self._lock:
            if self.running:
                return self
            super().start()
            try:
                self._webhook = loop.run(
                    self._core.create(self._public_url or self.url, self._events, **self._settings)
                )
                self._take(self._webhook)
            except BaseException:
                self.stop()
                raise
        return self

    def stop(self) -> None:
        """Delete the webhook, then close the port. A webhook that cannot be deleted is named in the log."""
        with self._lock:
            if self._webhook is not None and self.running:
                self._delete(self._webhook)
            self._webhook = None
        super().stop()  # without the lock: a handler that is waited for may ask for the end too
        self._secrets.clear()

    def rotate_secret(self) -> None:
        """Have the service sign with a new secret; what is on its way under the old one is still taken."""
        if self._webhook is None:
            raise RuntimeError("the receiver is not running, so there is no webhook: call start()")
        self._webhook = loop.run(self._core.rotate_secret(self._webhook.id))
        self._take(self._webhook)

    def _take(self, webhook: Webhook) -> None:
        if webhook.secret is None:
            raise BadResponse("VNTANA answered with a webhook, but without the secret its events are signed with.")
        self._secrets.rotate(webhook.secret, _GRACE)

    def _delete(self, webhook: Webhook) -> None:
        async def farewell() -> None:
            async with asyncio.timeout(_FAREWELL):
                await self._core.delete(webhook.id)

        try:
            with contextlib.suppress(NotFound):
                loop.run(farewell())
        except (AssetServiceError, TimeoutError, RuntimeError) as error:
            log.warning(
                "the webhook %s stays at the service, which could not be told to delete it (%s); "
                "vntana.webhooks.delete(%r) will",
                webhook.id,
                error or "no answer in time",
                webhook.id,
            )


def _id(webhook: Webhook | str) -> str:
    if isinstance(webhook, Webhook):
        return webhook.id
    if not isinstance(webhook, str):
        raise InvalidRequest(f"webhook must be a Webhook or its id, not {type(webhook).__name__}.")
    return webhook


def _allowed(changes: WebhookChanges) -> WebhookChanges:
    if not changes:
        raise InvalidRequest(f"Of a webhook can be changed: {', '.join(WebhookChanges.__annotations__)}. Got nothing.")
    _known(changes, WebhookChanges)
    if "url" in changes:
        _checked(changes["url"])
    return changes


def _known(given: Mapping[str, Any], kind: type) -> None:
    """Raises `InvalidRequest` for a keyword that does not exist, naming those that do."""
    unknown = given.keys() - kind.__annotations__.keys()
    if unknown:
        names = ", ".join(kind.__annotations__)
        raise InvalidRequest(f"There is no keyword {', '.join(sorted(unknown))} here, but these: {names}.")


def _checked(url: str) -> str:
    """``url`` if it is https, or http on this machine. Raises `InvalidRequest`, which does not quote it."""
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        fits = parts is not None and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fits, parts = False, None
    if not fits or parts is None or not (parts.scheme == "https" or (parts.scheme == "http" and _here(parts.hostname))):
        raise InvalidRequest(
            "url must be an https:// address that the service reaches (http:// only on this machine, for the sandbox)."
        )
    return url


def _here(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
