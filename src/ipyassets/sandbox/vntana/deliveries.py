"""Webhooks on their way: each event to each receiver that wants it, and mischief to try receivers with."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import weakref
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

from ipyassets.sandbox.vntana.catalogue import Catalogue
from ipyassets.sandbox.vntana.courier import SIGNATURE, TIMESTAMP, Attempt, is_local, post, sign, timestamp
from ipyassets.sandbox.vntana.events import listed_name, payload_name
from ipyassets.sandbox.vntana.payloads import Payloads
from ipyassets.sandbox.vntana.subscriptions import Subscriptions, Webhook
from ipyassets.sandbox.world import World

__all__ = ["Deliveries", "Delivery"]

log = logging.getLogger("ipyassets.sandbox.webhooks")

LOGGED = 10_000
"""Deliveries remembered; older ones are forgotten."""
RETRIES_AT_ONCE = 8
"""Of one webhook; first tries go one after the other."""

Outcome: TypeAlias = Literal["waiting", "held", "delivered", "failed", "abandoned", "refused", "dropped"]
Mischief: TypeAlias = Literal["duplicate", "replay", "forged"]


@dataclass(slots=True, eq=False)
class Delivery:
    """One event on its way to one webhook. Every try sends the same bytes under the same timestamp."""

    webhook: str
    """Its uuid."""
    event: str
    """As payloads spell it."""
    product: str
    """Its uuid."""
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    mischief: Mischief | None = None
    """Why it is not what it seems; such a one is tried once, and its failure has no consequences."""
    attempts: list[Attempt] = field(default_factory=list)
    """Status of each answer so far, or the name of what went wrong instead."""
    outcome: Outcome = "waiting"
    """``refused``: not sent, as the receiver is on another machine. ``abandoned``: the webhook was deleted or disabled
    meanwhile, or the sandbox stopped."""

    @property
    def status(self) -> int | None:
        """Of the last answer; None before there was one."""
        return next((attempt for attempt in reversed(self.attempts) if isinstance(attempt, int)), None)


@dataclass(slots=True)
class _Rule:
    kind: Literal["drop", "duplicate", "hold"]
    event: str
    times: int | None = None

    def fits(self, event: str) -> bool:
        return any(fnmatchcase(name, self.event) for name in (payload_name(event), listed_name(event)))


@dataclass(slots=True)
class _Lane:
    """The way to one webhook."""

    first: asyncio.Lock = field(default_factory=asyncio.Lock)
    later: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(RETRIES_AT_ONCE))


class Deliveries:
    """Sends webhooks, remembers what became of them, and makes trouble when told to.

    Events of one webhook are first tried in their order; one that has to be tried again arrives after later ones.
    Patterns of events (``"renders.*"``) are as `fnmatch` takes them, and match both spellings.
    """

    def __init__(self, world: World, catalogue: Catalogue, subscriptions: Subscriptions, payloads: Payloads) -> None:
        self._world = world
        self._catalogue = catalogue
        self._subscriptions = subscriptions
        self._payloads = payloads
        self._changed = threading.Condition()
        self._open: set[Future[None]] = set()
        self._log: deque[Delivery] = deque(maxlen=LOGGED)
        self._rules: list[_Rule] = []
        self._held: list[Delivery] = []
        self._lanes: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, defaultdict[str, _Lane]] = (
            weakref.WeakKeyDictionary()
        )

    def __repr__(self) -> str:
        return f"<{len(self._subscriptions.all())} webhooks, {len(self._log)} deliveries>"

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """What was sent, or would have been, since the last `reset`; the oldest first."""
        with self._changed:
            return tuple(self._log)

    def wait_idle(self, timeout: float | None = None) -> bool:
        """Wait until nothing is on its way any more; whether that came in time. Held ones do not count."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._open, timeout)

    def emit(self, event: str, index: int) -> None:
        """Send word that ``event`` happened to the product of that number. From any thread; does not block."""
        workspace = self._catalogue.workspace(index)
        wanting = [webhook for webhook in self._subscriptions.all() if webhook.wants(event, workspace)]
        if not wanting:
            return
        body = self._payloads.body(event, index)
        now = timestamp(self._world.clock())
        product = self._catalogue.products.uuid(index)
        for webhook in wanting:
            self._send(Delivery(webhook.uuid, payload_name(event), product, body, _headers(webhook, now, body)))

    # Mischief

    def duplicate(self, times: int = 2, event: str = "*") -> None:
        """From now on matching webhooks arrive ``times`` times, each copy the same to the byte."""
        if times < 2:
            raise ValueError(f"a webhook that arrives {times} times is no duplicate: times must be 2 or more")
        self._rule(_Rule("duplicate", event, times))

    def drop(self, event: str = "*", times: int | None = None) -> None:
        """From now on the next ``times`` matching webhooks (None: all) are never sent."""
        self._rule(_Rule("drop", event, times))

    def hold(self, event: str = "*") -> None:
        """From now on matching webhooks are kept back, until `release`."""
        self._rule(_Rule("hold", event))

    def release(self, *, backwards: bool = False) -> None:
        """Hold nothing back any more, and send what was held, under its old timestamp; the latest first if asked."""
        with self._changed:
            self._rules = [rule for rule in self._rules if rule.kind != "hold"]
            held, self._held = self._held, []
        for delivery in reversed(held) if backwards else held:
            delivery.outcome = "waiting"
            self._start(delivery)

    @contextmanager
    def reorder(self, event: str = "*") -> Iterator[None]:
        """Matching webhooks of what happens in the ``with`` block arrive after it, the latest first."""
        self.hold(event)
        try:
            yield
        finally:
            self.release(backwards=True)

    def replay(self, delivery: Delivery) -> Delivery:
        """Send once more what was sent before: a good signature under an old timestamp."""
        again = self._copy(delivery, "replay")
        self._begin([again])
        return again

    def forge(
        self, event: str, product: str, *, webhook: str | None = None, signature: str | None = None
    ) -> tuple[Delivery, ...]:
        """Send word of what never happened, under ``signature``, or one made with a secret of our own.

        To every webhook that wants such an event, or to the one of the uuid ``webhook``. `LookupError` if there is
        none, or no such ``product``.
        """
        index = self._catalogue.find(self._catalogue.products, product)
        if index is None:
            raise LookupError(f"no product {product!r:.80}")
        workspace = self._catalogue.workspace(index)
        if webhook is None:
            receivers = [each for each in self._subscriptions.all() if each.wants(event, workspace)]
        else:
            receivers = [each for each in self._subscriptions.all() if each.uuid == webhook]
        if not receivers:
            raise LookupError(f"no webhook {webhook!r:.80}" if webhook else f"no webhook wants {event!r:.80} of it")
        body = self._payloads.body(event, index)
        now = timestamp(self._world.clock())
        wrong = signature if signature is not None else sign(secrets.token_urlsafe(32), now, body)
        forged = tuple(
            Delivery(w.uuid, payload_name(event), product, body, {**_headers(w, now, body), SIGNATURE: wrong}, "forged")
            for w in receivers
        )
        self._begin(forged)
        return forged

    def clear(self) -> None:
        """End all mischief. What was held is dropped."""
        with self._changed:
            self._rules.clear()
            held, self._held = self._held, []
        for delivery in held:
            delivery.outcome = "dropped"

    def reset(self) -> None:
        """As in a new sandbox: no mischief, no webhooks, nothing on its way, nothing logged."""
        self.clear()
        self._subscriptions.clear()
        with self._changed:
            pending = tuple(self._open)
            self._log.clear()
        for future in pending:
            future.cancel()

    # The way

    def _rule(self, rule: _Rule) -> None:
        with self._changed:
            self._rules.append(rule)

    def _send(self, delivery: Delivery) -> None:
        """Begin ``delivery``, as far as the rules let it."""
        with self._changed:
            rules = [rule for rule in self._rules if rule.fits(delivery.event)]
            for rule in rules:
                if rule.kind == "drop" and rule.times != 0:
                    rule.times = None if rule.times is None else rule.times - 1
                    delivery.outcome = "dropped"
                    self._log.append(delivery)
                    return
            copies = sum((rule.times or 1) - 1 for rule in rules if rule.kind == "duplicate")
            sent = [delivery, *(self._copy(delivery, "duplicate") for _ in range(copies))]
            if any(rule.kind == "hold" for rule in rules):
                for each in sent:
                    each.outcome = "held"
                self._held += sent
                self._log += sent
                return
        self._begin(sent)

    @staticmethod
    def _copy(delivery: Delivery, mischief: Mischief) -> Delivery:
        return Delivery(delivery.webhook, delivery.event, delivery.product, delivery.body, delivery.headers, mischief)

    def _begin(self, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            with self._changed:
                self._log.append(delivery)
            self._start(delivery)

    def _start(self, delivery: Delivery) -> None:
        def ended(future: Future[None]) -> None:
            if not future.cancelled() and (error := future.exception()) is not None:
                log.error("a webhook was not sent", exc_info=error)
            with self._changed:
                self._open.discard(future)
                if delivery.outcome == "waiting":
                    delivery.outcome = "abandoned"
                self._changed.notify_all()

        with self._changed:
            try:
                future = self._world.background.submit(self._carry(delivery))
            except RuntimeError:  # stopped: nobody sends webhooks now
                delivery.outcome = "abandoned"
                return
            self._open.add(future)
        future.add_done_callback(ended)

    async def _carry(self, delivery: Delivery) -> None:
        settings = self._world.settings
        lane = self._lanes.setdefault(asyncio.get_running_loop(), defaultdict(_Lane))[delivery.webhook]
        tries = 1 if delivery.mischief else max(1, settings.vntana_webhook_tries)
        for number in range(tries):
            if number:
                await asyncio.sleep(settings.vntana_webhook_backoff * 2 ** (number - 1))
            async with lane.later if number else lane.first:
                webhook = self._subscriptions.find(delivery.webhook)
                if webhook is None or webhook.disable:
                    delivery.outcome = "abandoned"
                    return
                if not (settings.vntana_webhook_any_host or is_local(webhook.url)):
                    delivery.outcome = "refused"
                    log.warning("webhook %s is not sent: the sandbox sends to this machine alone", webhook.uuid)
                    return
                attempt = await post(webhook.url, delivery.body, delivery.headers, settings.vntana_webhook_timeout)
                delivery.attempts.append(attempt)
            if isinstance(attempt, int) and 200 <= attempt < 300:
                delivery.outcome = "delivered"
                return
        delivery.outcome = "failed"
        disables = settings.vntana_webhook_disables and not delivery.mischief
        if disables and self._subscriptions.disable(delivery.webhook):
            log.warning("webhook %s is disabled: %d tries failed", delivery.webhook, tries)


def _headers(webhook: Webhook, now: str, body: bytes) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "ipyassets-sandbox",
        TIMESTAMP: now,
        SIGNATURE: sign(webhook.secret, now, body),
    }
