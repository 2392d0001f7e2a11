"""What the matrix does with clients that are awaited."""

from __future__ import annotations

from typing import Any, Final

import pytest

import ipyassets as ia
from tests.faults.ground import (
    POLL,
    SERVICES,
    SMALL,
    Ground,
    Ids,
    Named,
    Silent,
    Step,
    batched,
    digest,
    job_told,
    operation,
    saved_files,
    seen,
    tree,
)
from tests.faults.operations import STEPS, begun_archive, begun_render, pairs_told

__all__: list[str] = []

_KIND: Final = {"scenario": {"kind": "image"}}


def awaited(*services: str, name: str, **how: Any) -> Any:
    return operation(*services, name=f"{name}, awaited", awaited=True, **how)


def _few(client: Any) -> Any:
    return client.search(limit=4, **_KIND.get(client.core.name, {}))


# -- every service ----------------------------------------------------------------------------------------------------


@awaited(*SERVICES, name="list", steps=STEPS["later"], covers=("search", "AsyncAssetList.__aiter__"))
async def _list(client: Any, _: Ground) -> Any:
    words = {"paging": "page"} if client.core.name == "scenario" else {"page_size": 10}
    return Ids.of([asset async for asset in client.search(**words)], whole=True)


@awaited(
    *SERVICES,
    name="parts of a list",
    steps=STEPS["search"],
    covers=(
        "AsyncAssetList.__getitem__",
        "AsyncAssetList.get",
        "AsyncAssetList.page",
        "AsyncAssetList.length",
        "AsyncAssetList.to_pandas",
    ),
)
async def _parts(client: Any, _: Ground) -> Any:
    found = _few(client)
    page, one, cut = await found.page(0, 3), await found.get(3), [asset async for asset in found[1:3]]
    frame = await found.to_pandas()
    return [asset.id for asset in (*page, one, *cut)], await found.length(), list(frame["id"])


@awaited(*SERVICES, name="asset", steps=STEPS["asset"], covers=("asset",))
async def _asset(client: Any, ground: Ground) -> Any:
    return (await client.asset(ground.records[client.core.name][0].id)).id


@awaited(*SERVICES, name="poster", steps=STEPS["picture"], covers=("AsyncAsset.poster", "AsyncAsset.poster_bytes"))
async def _poster(client: Any, ground: Ground) -> Any:
    asset = ground.assets(client)[0]
    return seen(await asset.poster(width=64)), digest(await asset.poster_bytes(width=48))


@awaited(*SERVICES, name="posters", steps=STEPS["both"], covers=("AsyncAssetList.posters",))
async def _posters(client: Any, _: Ground) -> Any:
    return batched(await _few(client).posters(width=64))


@awaited(*SERVICES, name="posters one by one", steps=STEPS["picture"], covers=("AsyncAssetList.iter_posters",))
async def _iterated(client: Any, _: Ground) -> Any:
    return Silent(tuple([(asset.id, seen(image)) async for asset, image in _few(client).iter_posters(width=64)]))


@awaited("vntana", "scenario", name="HTML page", steps=STEPS["both"], covers=("AsyncAssetList.to_html",))
async def _html(client: Any, ground: Ground) -> Any:
    page = ground.new_folder() / "page.html"
    await _few(client).to_html(page, width=64, turntables=False)
    return page.read_text(encoding="utf-8").count("data:image/")


@awaited(
    "vntana", "itwin", name="workspaces", steps=(Step("", "/client-organizations$|/itwins$"),), covers=("workspaces",)
)
async def _workspaces(client: Any, _: Ground) -> Any:
    return tuple(place.id for place in await client.workspaces())


@awaited("itwin", name="iTwins", covers=("AsyncITwin.itwins",))
async def _itwins(client: Any, _: Ground) -> Any:
    return tuple(place.id for place in await client.itwins())


# -- VNTANA -----------------------------------------------------------------------------------------------------------


async def _logged_in(client: Any, ground: Ground) -> Any:
    await client.asset(ground.records["vntana"][0].id)
    scopes = [client.core._ladder._session, *client.core._ladder._scopes.values()]
    return client, [token.reveal() for scope in scopes if (token := scope.token.peek()) is not None]


@awaited(
    "vntana",
    name="logout",
    prepare=_logged_in,
    anew=True,
    steps=(Step("", "/logout$"),),
    covers=("AsyncVntana.logout",),
    blind=("revoked token or URL",),
)
async def _logout(both: Any, ground: Ground) -> Any:
    await both[0].logout()
    return [token in ground.sandbox.vntana_api.tokens._live for token in both[1]]


@awaited(
    "vntana",
    name="poster by ids",
    steps=STEPS["picture"],
    covers=("AsyncVntana.poster", "AsyncVntana.poster_bytes"),
)
async def _by_ids(client: Any, ground: Ground) -> Any:
    ids = ground.poster_ids
    return seen(await client.poster(*ids, width=64)), digest(await client.poster_bytes(*ids, width=48))


@awaited(
    "vntana",
    name="render",
    steps=(Step("order", "/products/renders$"),),
    covers=("AsyncVntana.render", "AsyncRenderJob.submitted", "AsyncRenderJob.__await__"),
    effect=Ground.renders,
    repeats=True,  # the later render takes the place of the former
)
async def _render(client: Any, ground: Ground) -> Any:
    job = client.render(ground.assets(client)[:1], **SMALL, poll=POLL)
    await job.submitted()
    await job.wait(ground.patience)
    return job_told(await job)


async def _followed(client: Any, ground: Ground) -> Any:
    return await client.follow_renders(ground.to_render(client), poll=POLL).wait(60)


@awaited(
    "vntana",
    name="renders",
    prepare=_followed,
    steps=(Step("file", "/vntana/storage/"),),
    covers=(
        "AsyncVntana.follow_renders",
        "AsyncRenderJob.wait",
        "AsyncRenderJob.stills",
        "AsyncRenderJob.turntables",
        "AsyncRenderedTurntable.save_mp4",
        "AsyncRenderedTurntable.mp4_bytes",
    ),
)
async def _stills(job: Any, ground: Ground) -> Any:
    batch = await job.stills()
    (film,) = job.turntables()
    saved = await film.save_mp4(ground.new_folder() / "film.mp4")
    stills = batched(batch)
    return Named((*stills.results, digest(saved.read_bytes())), stills.errors)


@awaited(
    "vntana",
    name="frames",
    prepare=_followed,
    steps=(Step("file", "/vntana/storage/"),),
    covers=(
        "AsyncRenderedTurntable.frames",
        "AsyncRenderedTurntable.fps",
        "AsyncRenderedTurntable.gif_bytes",
        "AsyncRenderedTurntable.save_gif",
    ),
)
async def _frames(job: Any, ground: Ground) -> Any:
    (film,) = job.turntables()
    saved = await film.save_gif(ground.new_folder() / "film.gif")
    return tuple(map(seen, await film.frames())), digest(saved.read_bytes())


@awaited(
    "vntana",
    name="webhooks",
    steps=(Step("", "/v1/webhooks"),),
    covers=(
        "AsyncVntanaWebhooks.events",
        "AsyncVntanaWebhooks.list",
        "AsyncVntanaWebhooks.get",
        "AsyncVntanaWebhooks.update",
    ),
)
async def _webhooks(client: Any, ground: Ground) -> Any:
    hooks = client.webhooks
    there = ground.webhook in {webhook.id for webhook in await hooks.list()}
    changed = await hooks.update(await hooks.get(ground.webhook), description="changed")
    return there, changed.description, len(await hooks.events())


@awaited(
    "vntana",
    name="webhook made",
    steps=(Step("order", "/webhooks/?$", "POST"),),
    covers=("AsyncVntanaWebhooks.create",),
    effect=lambda ground: ground.written["made"],
)
async def _made(client: Any, _: Ground) -> Any:
    return (await client.webhooks.create("http://127.0.0.1:9/made", name="made")).enabled


@awaited(
    "vntana",
    name="webhook secret",
    steps=(Step("", "/secret$"),),
    covers=("AsyncVntanaWebhooks.rotate_secret",),
    effect=lambda ground: ground.written["kept"],
)
async def _secret(client: Any, ground: Ground) -> Any:
    return (await client.webhooks.rotate_secret(ground.webhook)).id


async def _to_be_deleted(client: Any, ground: Ground) -> Any:
    del ground
    return client, await client.webhooks.create("http://127.0.0.1:9/gone", name="gone")


@awaited(
    "vntana",
    name="webhook deleted",
    prepare=_to_be_deleted,
    anew=True,
    steps=(Step("", "/webhooks/[0-9a-f-]{36}$", "DELETE"),),
    covers=("AsyncVntanaWebhooks.delete",),
    effect=lambda ground: ground.deleted["gone"],
)
async def _deleted(both: Any, _: Ground) -> Any:
    return await both[0].webhooks.delete(both[1])


@awaited(
    "vntana",
    name="receiver",
    steps=(Step("webhook", "/webhooks/?$", "POST"), Step("farewell", "/webhooks/[0-9a-f-]{36}$", "DELETE")),
    covers=("AsyncVntanaWebhooks.receive",),
    effect=lambda ground: ground.written["heard"],
)
async def _received(client: Any, _: Ground) -> Any:
    async with client.webhooks.receive(name="heard") as receiver:
        return receiver.running, receiver.webhook is not None


async def _failed_render(client: Any, ground: Ground) -> Any:
    job = await begun_render(client, ground).wait(20)
    assert job.failures, "it did not fail"
    return job


@awaited(
    "vntana",
    name="failed render again",
    prepare=_failed_render,
    anew=True,
    steps=(Step("order", "/products/renders$"),),
    covers=("AsyncRenderJob.retry_failed",),
    effect=Ground.renders,
    repeats=True,  # the later render takes the place of the former
)
async def _render_again(job: Any, ground: Ground) -> Any:
    return job_told(await (await job.retry_failed()).wait(ground.patience))


# -- Scenario ---------------------------------------------------------------------------------------------------------


@awaited("scenario", name="collections", covers=("AsyncScenario.collections",))
async def _collections(client: Any, _: Ground) -> Any:
    return tuple(one.id for one in await client.collections())


@awaited("scenario", name="tags", covers=("AsyncScenario.tags",))
async def _tags(client: Any, _: Ground) -> Any:
    return tuple(one.name for one in await client.tags())


_DOWNLOAD: Final = (Step("address", "/assets/asset_[^/]+/download$"), Step("file", "/cdn/"))


@awaited(
    "scenario",
    name="download",
    steps=_DOWNLOAD,
    covers=("AsyncScenario.download", "AsyncDownload.content", "AsyncDownload.image", "AsyncDownload.save"),
)
async def _download(client: Any, ground: Ground) -> Any:
    asset = ground.assets(client)[0]
    content = await (await client.download(asset)).content()
    image = await (await client.download(asset, "jpeg")).image(width=64)
    saved = await (await client.download(asset, "png")).save(ground.new_folder())
    return digest(content), seen(image), digest(saved.read_bytes())


@awaited("scenario", name="downloads", steps=_DOWNLOAD, covers=("AsyncScenario.download_many",))
async def _downloads(client: Any, ground: Ground) -> Any:
    batch = await client.download_many(ground.assets(client), folder=ground.new_folder())
    return saved_files(batch)


@awaited("scenario", name="names foretold", steps=STEPS["asset"], covers=("AsyncScenario.preview_names",))
async def _foretold(client: Any, ground: Ground) -> Any:
    return await client.preview_names([record.id for record in ground.records["scenario"]], "<id>", flat=True)


@awaited(
    "scenario",
    name="archive",
    steps=(Step("order", "/assets/download$"),),
    covers=("AsyncScenario.archive", "AsyncArchiveJob.submitted", "AsyncArchiveJob.__await__"),
    effect=Ground.archives,
)
async def _archive(client: Any, ground: Ground) -> Any:
    job = client.archive(ground.assets(client)[:2], flat=True, archive_name=ground.new_name(), poll=POLL)
    await job.submitted()
    await job.wait(ground.patience)
    return job_told(await job)


async def _archived(client: Any, ground: Ground) -> Any:
    return await client.follow_archive(ground.archive, ground.assets(client), poll=POLL).wait(60)


@awaited(
    "scenario",
    name="archive read",
    prepare=_archived,
    steps=(Step("archive", "/cdn/archives/"), Step("member", "/cdn/archives/", skip=2)),
    covers=(
        "AsyncScenario.follow_archive",
        "AsyncArchiveJob.wait",
        "AsyncArchiveJob.names",
        "AsyncArchiveJob.others",
        "AsyncArchiveJob.read",
        "AsyncArchiveJob.open",
        "AsyncArchiveJob.image",
    ),
)
async def _read(job: Any, ground: Ground) -> Any:
    name = ground.member
    content, opened = await job.read(name), (await job.open(name)).read()
    return digest(content), digest(opened), seen(await job.image(name)), await job.names(), await job.others()


@awaited(
    "scenario",
    name="archive images",
    prepare=_archived,
    steps=(Step("", "/cdn/archives/"),),
    covers=("AsyncArchiveJob.images",),
)
async def _images(job: Any, _: Ground) -> Any:
    return batched(await job.images(width=64))


@awaited(
    "scenario",
    name="archive one by one",
    prepare=_archived,
    steps=(Step("", "/cdn/archives/"),),
    covers=("AsyncArchiveJob.iter_images",),
)
async def _one_by_one(job: Any, _: Ground) -> Any:
    pairs = [(getattr(which, "id", which), seen(image)) async for which, image in job.iter_images(width=64)]
    return pairs_told(job, pairs)


@awaited(
    "scenario",
    name="archive saved",
    prepare=_archived,
    steps=(Step("", "/cdn/archives/"),),
    covers=("AsyncArchiveJob.save", "AsyncArchiveJob.extract"),
)
async def _saved(job: Any, ground: Ground) -> Any:
    folder = ground.new_folder()
    saved = await job.save(folder / "all.zip")
    done = await job.extract(folder / "out")
    there = sorted(contents for _, contents in tree(folder / "out"))
    errors = [error for _, error in done.failures] + [error for _, _, error in job.failures]
    return Named((digest(saved.read_bytes()), *there), tuple(errors), slots=False)


async def _failed_archive(client: Any, ground: Ground) -> Any:
    job = begun_archive(client, ground)
    with pytest.raises(ia.JobFailed):
        await job.wait(20)
    return job


@awaited(
    "scenario",
    name="failed archive again",
    prepare=_failed_archive,
    anew=True,
    steps=(Step("order", "/assets/download$"),),
    covers=("AsyncArchiveJob.retry_failed",),
    effect=Ground.archives,
)
async def _archive_again(job: Any, ground: Ground) -> Any:
    return job_told(await (await job.retry_failed()).wait(ground.patience))
