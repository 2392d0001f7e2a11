"""`Vntana` and `AsyncVntana`: products of the VNTANA platform, through its Admin API."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, Unpack
from uuid import UUID

from ipyassets.clients.base import AsyncClient, BlockingClient, Client, L
from ipyassets.clients.views import job_view, turntable_view
from ipyassets.clients.webhooks import AsyncVntanaWebhooks, VntanaWebhooks
from ipyassets.collections.asset_list import AssetList, AsyncAssetList
from ipyassets.collections.assets import AssetBase
from ipyassets.collections.chosen import chosen, given
from ipyassets.collections.following import FIRST_LOOK
from ipyassets.collections.posters import Box, pictured, served
from ipyassets.collections.render_job import AsyncRenderJob, RenderJob
from ipyassets.errors import AssetServiceError, InvalidRequest, NotFound, PermissionDenied, without_frames
from ipyassets.http import loop
from ipyassets.http.credentials import missing, prompt, secret, setting
from ipyassets.http.gather import gathered
from ipyassets.http.secret import Secret, sealed
from ipyassets.services.base import Record, Served
from ipyassets.services.rendering import RenderOrder, Turntable
from ipyassets.services.vntana.client import BASE_URL, VntanaService
from ipyassets.services.vntana.filters import MOST_PER_PAGE, STATUSES, VntanaFilters
from ipyassets.services.vntana.login import Login, PasswordLogin, TokenLogin

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["AsyncVntana", "Vntana"]

J = TypeVar("J", RenderJob, AsyncRenderJob)
One: TypeAlias = AssetBase | str | UUID
Assets: TypeAlias = One | AssetList | Iterable[One | AssetList]
AsyncAssets: TypeAlias = One | AssetList | AsyncAssetList | Iterable[One | AssetList | AsyncAssetList]

_AT_ONCE: Final = 8
_VARIABLES = (
    "VNTANA_PERSONAL_ACCESS_TOKEN",
    "VNTANA_EMAIL",
    "VNTANA_PASSWORD",
    "VNTANA_ORGANIZATION",
    "VNTANA_WORKSPACE",
    "VNTANA_ADMIN_URL",
)
_NEEDED = (("VNTANA_PERSONAL_ACCESS_TOKEN",), ("VNTANA_EMAIL", "VNTANA_PASSWORD"))


def _login(personal_access_token: Secret | None, email: Secret | None, password: Secret | None) -> Login:
    # What is given as an argument comes before what merely stands in the environment.
    key = None if email and not personal_access_token else secret(personal_access_token, "VNTANA_PERSONAL_ACCESS_TOKEN")
    if key is not None:
        return TokenLogin(key)
    address = secret(email, "VNTANA_EMAIL")
    if address is not None:
        # Not whose: front ends keep the question in the cell's output, and so in the notebook.
        word = secret(password, "VNTANA_PASSWORD") or prompt("VNTANA password (for VNTANA_EMAIL)")
        if word is None:
            raise missing("VNTANA", "password (VNTANA_PASSWORD) along with email")
        return PasswordLogin(address, word)
    key = prompt("VNTANA personal access token")
    if key is None:
        raise missing(
            "VNTANA",
            "personal_access_token (VNTANA_PERSONAL_ACCESS_TOKEN)",
            "email and password (VNTANA_EMAIL, VNTANA_PASSWORD)",
        )
    return TokenLogin(key)


async def _served(core: VntanaService, product: str, workspace: str, blob_id: str, box: Box) -> Served:
    source = core.poster_by_ids(product, workspace, blob_id, width=box.width, height=box.height)
    return await served(source, _about(core, product))


async def _poster(core: VntanaService, product: str, workspace: str, blob_id: str, box: Box) -> Image.Image:
    source = core.poster_by_ids(product, workspace, blob_id, width=box.width, height=box.height)
    return (await pictured(source, box, _about(core, product)))[0]


def _about(core: VntanaService, product: str) -> str:
    return f"{core.title}: the poster of product {product:.60}"


async def _found(core: VntanaService, ids: Sequence[str]) -> dict[str, Record | AssetServiceError]:
    """The products of ``ids``, a hundred to a request; those that no search lists, such as drafts, one by one."""
    found: dict[str, Record | AssetServiceError] = {}
    asked = {id.lower(): id for id in ids}
    for start in range(0, len(ids), MOST_PER_PAGE):
        some = ids[start : start + MOST_PER_PAGE]
        page = await core.search("", products=list(some), status=list(STATUSES), page_size=MOST_PER_PAGE).page(0)
        found.update({asked[record.id.lower()]: record for record in page.records if record.id.lower() in asked})

    async def one(id: str) -> None:
        try:
            found[id] = await core.record(id)
        except (NotFound, PermissionDenied) as error:
            found[id] = without_frames(error)

    await gathered(one, [id for id in ids if id not in found], _AT_ONCE)
    return found


def _order(
    width: int, height: int, format: str, background: str | None, *, transparent: bool, turntable: Turntable | None
) -> RenderOrder:
    film = Turntable() if turntable is None else turntable
    return RenderOrder(width, height, format, background, transparent, film)


class _VntanaClient(Client[VntanaService, L]):
    """What both VNTANA clients have: arguments and search."""

    variables = _VARIABLES
    needed = _NEEDED

    def __init__(
        self,
        personal_access_token: str | None = None,
        *,
        email: str | None = None,
        password: str | None = None,
        organization: str | None = None,
        workspace: str | None = None,
        base_url: str | None = None,
    ) -> None:
        key, address, word = sealed(personal_access_token), sealed(email), sealed(password)
        del personal_access_token, email, password  # tracebacks may show local variables
        self.core = VntanaService(
            _login(key, address, word),
            organization=setting(organization, "VNTANA_ORGANIZATION"),
            workspace=setting(workspace, "VNTANA_WORKSPACE"),
            base_url=setting(base_url, "VNTANA_ADMIN_URL") or BASE_URL,
        )

    def search(
        self,
        text: str = "",
        *,
        limit: int | None = None,
        workspace: str | None = None,
        sort: str | None = None,
        **filters: Unpack[VntanaFilters],
    ) -> L:
        """Products that match ``text`` in the service's order of relevance; all of them, newest first, without it.

        ``workspace``: another one than the client's own, by uuid, slug or name. ``sort``: ``"name"``, ``"-updated"``
        and so on (``-``: backwards), by name, created, updated, conversion_status, workspace, tags, pipeline,
        original_size, optimized_size, original_poly_count or optimized_poly_count; several with commas between.
        Further keywords are those of `VntanaFilters`: ``exact_name``, ``status``, ``asset_types``, ``tag_name``,
        ``attribute_key``, ``created=("2024-01-01", None)`` and so on. Drafts come only with ``status="DRAFT"``.

        Nothing is sent before the list is touched. Raises `InvalidRequest` for a keyword or value that makes no
        sense, saying what is allowed.
        """
        return self._search(text, limit, workspace=workspace, sort=sort, **filters)

    def _job(
        self, kind: type[J], assets: Any, order: RenderOrder | None, poll: float, since: datetime | None = None
    ) -> J:
        if since is not None and (not isinstance(since, datetime) or since.tzinfo is None):
            raise InvalidRequest(f"since must be a datetime with a time zone, or None; got {since!r:.80}.")
        entries = given(assets, self.core)
        job = kind(self.core, order, since=since, poll=poll, view=job_view, player=turntable_view)
        return job._begin(partial(chosen, entries, self.core, partial(_found, self.core)))  # noqa: SLF001


class Vntana(_VntanaClient[AssetList], BlockingClient[VntanaService]):
    """VNTANA, through its Admin API. Methods block until they are done; `AsyncVntana` is awaited.

    ``personal_access_token``: the "Authentication Key" of VNTANA's settings; or ``email`` and ``password``.
    ``organization``, ``workspace``: by uuid, slug or name; the only one is taken where there is one. Owners and
    administrators of an organization who name no workspace search all of them. ``base_url``: of the Admin API.

    Without arguments: VNTANA_PERSONAL_ACCESS_TOKEN, or VNTANA_EMAIL and VNTANA_PASSWORD; VNTANA_ORGANIZATION,
    VNTANA_WORKSPACE, VNTANA_ADMIN_URL; the keyring; a prompt where a person is at one. Nobody is logged in before
    the first request, which raises `AuthenticationError` for wrong credentials and `InvalidRequest`, naming what
    there is, for an organization or workspace that is unknown or not chosen among several.
    """

    def poster(
        self, product: str, workspace: str, blob_id: str, width: int | None = None, height: int | None = None
    ) -> Image.Image:
        """The poster of the three ids that a webhook or a search row gives, at most ``width`` x ``height`` pixels.

        ``product``: its uuid; ``workspace``: its ``clientUuid``; ``blob_id``: ``asset.thumbnailBlobId``. Raises
        `NotFound` for an unknown one, `PermissionDenied` for a draft, `BadResponse` if what came is no picture.
        """
        return loop.run(_poster(self.core, product, workspace, blob_id, Box(width, height)))

    def poster_bytes(
        self, product: str, workspace: str, blob_id: str, width: int | None = None, height: int | None = None
    ) -> bytes:
        """As `poster`, but the file as the service serves it, not re-encoded."""
        return loop.run(_served(self.core, product, workspace, blob_id, Box(width, height))).content

    def render(
        self,
        assets: Assets,
        *,
        width: int = 1920,
        height: int = 1080,
        format: str = "PNG",
        background: str | None = None,
        transparent: bool = False,
        turntable: Turntable | None = None,
        poll: float = FIRST_LOOK,
    ) -> RenderJob:
        """Have stills and a turntable made of each of ``assets``; gives the job once the order is taken.

        ``assets``: one or many, as assets, ids, lists of assets or a mix; each is rendered once. ``width`` x
        ``height``: pixels of a still; ``format``: PNG, JPG or WEBP; ``background``: a colour such as ``"#f4f1ea"``;
        ``transparent``: none. ``turntable``: a `Turntable`; the service always makes one, of 36 frames if None.
        Renders that an asset has already are replaced once the new ones are done. ``poll``: seconds to the first look
        how the work stands; looks become less frequent the longer it takes.

        What is refused for some assets stands in ``job.failures``. Raises `InvalidRequest` for what makes no sense,
        before anything is sent, and what the service said if nothing at all was taken.
        """
        order = _order(width, height, format, background, transparent=transparent, turntable=turntable)
        return self._job(RenderJob, assets, order, poll)

    def follow_renders(self, assets: Assets, *, since: datetime | None = None, poll: float = FIRST_LOOK) -> RenderJob:
        """The job of renders that are under way already, such as before the kernel was restarted.

        What is being made is awaited; what is completed is given as it is. ``since``, by the service's clock: only
        files that are newer count as made. Without it, where the service does not tell how the work stands, the next
        change of the files is awaited; an asset without any has failed, since nothing is known of it.
        """
        return self._job(RenderJob, assets, None, poll, since)

    @property
    def webhooks(self) -> VntanaWebhooks:
        """The webhooks at the service, and receivers for them."""
        return VntanaWebhooks(self.core.webhooks)

    def logout(self) -> None:
        """End this account's tokens at the service; the next request logs in again.

        All clients of this process with the same credentials share the tokens.
        """
        loop.run(self.core.log_out())


class AsyncVntana(_VntanaClient[AsyncAssetList], AsyncClient[VntanaService]):
    """VNTANA, awaited. Arguments as for `Vntana`."""

    async def poster(
        self, product: str, workspace: str, blob_id: str, width: int | None = None, height: int | None = None
    ) -> Image.Image:
        """As `Vntana.poster`."""
        return await loop.awaiting(_poster(self.core, product, workspace, blob_id, Box(width, height)))

    async def poster_bytes(
        self, product: str, workspace: str, blob_id: str, width: int | None = None, height: int | None = None
    ) -> bytes:
        """As `Vntana.poster_bytes`."""
        return (await loop.awaiting(_served(self.core, product, workspace, blob_id, Box(width, height)))).content

    def render(
        self,
        assets: AsyncAssets,
        *,
        width: int = 1920,
        height: int = 1080,
        format: str = "PNG",
        background: str | None = None,
        transparent: bool = False,
        turntable: Turntable | None = None,
        poll: float = FIRST_LOOK,
    ) -> AsyncRenderJob:
        """As `Vntana.render`; not awaited: the order is sent in the background at once.

        ``await job.submitted()`` waits until it is taken, ``await job`` until all is done; both raise what the service
        said if nothing at all was taken.
        """
        order = _order(width, height, format, background, transparent=transparent, turntable=turntable)
        return self._job(AsyncRenderJob, assets, order, poll)

    def follow_renders(
        self, assets: AsyncAssets, *, since: datetime | None = None, poll: float = FIRST_LOOK
    ) -> AsyncRenderJob:
        """As `Vntana.follow_renders`; not awaited, as for `render`."""
        return self._job(AsyncRenderJob, assets, None, poll, since)

    @property
    def webhooks(self) -> AsyncVntanaWebhooks:
        """As `Vntana.webhooks`, awaited."""
        return AsyncVntanaWebhooks(self.core.webhooks)

    async def logout(self) -> None:
        """As `Vntana.logout`."""
        await loop.awaiting(self.core.log_out())
