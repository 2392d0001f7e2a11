"""What the three emulated services of one sandbox share: its settings, its clock and its address."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

from ipyassets.sandbox.background import Background

__all__ = ["Settings", "World", "skewed"]

_skew: ContextVar[float] = ContextVar("ipyassets-sandbox-skew", default=0.0)


def _now() -> float:
    return time.time() + _skew.get()


@contextlib.contextmanager
def skewed(seconds: float) -> Iterator[None]:
    """Within the block, what the caller serves goes by a clock that is ``seconds`` ahead."""
    token = _skew.set(seconds)
    try:
        yield
    finally:
        _skew.reset(token)


@dataclass(slots=True)
class Settings:
    """Every choice the services' documents leave open, and the lifetimes a test wants to shorten.

    Defaults are the recommended choices; each field names the question it answers. All but ``assets`` may be
    changed while the sandbox runs.
    """

    assets: int | None = None
    """Grow every catalogue to this many assets (None: the natural catalogue, which is also the least)."""
    latency: float = 0.0
    """Seconds added before every answer."""
    jitter: float = 0.0
    """Seconds of chance besides, up to so many."""

    vntana_token_lifetime: float = 30 * 24 * 3600.0
    vntana_max_page_size: int = 500
    vntana_bad_credentials_status: int = 403
    vntana_expired_token_status: int = 403
    vntana_always_show_drafts: bool = False
    """Whether a search that names no status gives drafts too."""
    vntana_strict_bearer: bool = False
    """Whether a token without the word ``Bearer`` before it is refused."""
    vntana_single_token: bool = False
    """Whether a new token revokes every older one of that user, not only those of the same scope."""
    vntana_query_client_filters: bool = False
    """Whether ``?clientUuid=`` on the search over several workspaces narrows it to that one."""
    vntana_public_shows_internal: bool = False
    """Whether the Public API serves LIVE_INTERNAL products by uuid."""
    vntana_attachments_by_entity_type: bool = False
    """Whether ``entityType`` filters a search for attachments: the reference has it, the service ignores it."""
    vntana_signed_url_lifetime: float = 900.0
    """Seconds; the documents tell none."""
    vntana_signed_url_expired_status: int = 403
    vntana_storage_strict_content_type: bool = False
    """Whether a signed URL must be asked for with ``Content-Type: application/octet-stream``, as the reference says."""
    vntana_conversion_time: float = 2.0
    """Seconds that the conversion of a file takes, half of it waiting, besides the making of its poster. Invented."""
    vntana_webhook_tries: int = 5
    """How often a webhook is sent until it is accepted. Invented: the documents speak of some number of attempts."""
    vntana_webhook_backoff: float = 1.0
    """Seconds before the second try; each later pause is twice as long. Invented."""
    vntana_webhook_timeout: float = 10.0
    """Seconds within which a receiver has to answer. Invented."""
    vntana_webhook_disables: bool = True
    """Whether a webhook is disabled when its last try failed. Documented, but not after how many failures."""
    vntana_webhook_invalid_status: int = 409
    """Of refusals to manage a webhook: 409 is the only one declared for them, with no codes."""
    vntana_webhook_asset_names: bool = False
    """Whether payloads say ``asset.completed`` where samples say ``product.completed``."""
    vntana_webhook_any_host: bool = False
    """Whether webhooks go to other machines too: else a sandbox could be made to knock at any door."""

    render_quality: Literal["full", "draft"] = "full"
    """``draft``: shadows in steps, ragged edges, some hundredths of a second a picture; for tests."""
    render_workers: int | None = None
    """Processes that render; None: as many as there are cores, at most 2. For jobs after `Sandbox.start`."""
    render_stills: int = 5
    """Stills made of a product; the documents tell no number."""
    render_requires_turntable: bool = True
    """Whether a request without a complete ``turntable`` is refused: the guide demands it, the reference does not."""
    render_max_side: int = 4096
    """Largest side of a still or a frame, in pixels; the documents tell no limit."""
    render_max_frames: int = 720
    render_queue_time: float = 0.0
    """Seconds that a part of a job waits at least before it begins."""
    render_work_time: float = 0.0
    """Seconds that a part of a job runs at least."""

    itwin_token_lifetime: float = 3600.0

    scenario_url_lifetime: float | None = None
    """Seconds a signed URL lives; None: the service's calendar rule."""
    scenario_strict_transforms: bool = False
    archive_queue_time: float = 0.4
    """Seconds that an archive is queued."""
    archive_work_time: float = 1.6
    """Seconds that it is in progress then."""
    archive_polls: int | None = None
    """In place of those times: how often a job must be asked for in each of the two states. 0: it is there at once."""
    archive_url_lifetime: float = 24 * 3600.0
    """Seconds; the documents tell none. Each look at the status signs anew."""
    archive_grouping: Literal["inference", "model", "type"] = "inference"
    """What the directories stand for where ``flat`` is not set: that they exist is documented, no more."""
    archive_bandwidth: float | None = None
    """Bytes a second with which an archive is sent, about; None: as fast as it goes."""
    archive_deflated: bool = False
    """Whether members are compressed; most of them have been, in their own formats."""
    archive_streamed: bool = False
    """Whether archives are written as by a server that cannot go back: sizes and checksums after the content."""


@dataclass(slots=True)
class World:
    """Handed to each emulated service when it is made."""

    settings: Settings
    origin: str = ""
    """``http://127.0.0.1:PORT`` once the socket is bound; services build absolute links from it at request time."""
    clock: Callable[[], float] = field(default=_now)
    """Seconds since the epoch; a test may put its own here to make tokens and URLs expire."""
    background: Background = field(default_factory=Background)
    """For work that goes on between requests."""
