"""What the matrix does with clients that block: every operation of every service."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
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
    followed,
    job_told,
    operation,
    saved_files,
    seen,
    thumbnail_of,
    tree,
)

__all__ = [
    "FILE",
    "PICTURE",
    "SEARCH",
    "STEPS",
    "archived",
    "begun_archive",
    "begun_render",
    "failed_archive",
    "failed_render",
    "pairs_told",
]

_LISTS: Final = {
    "vntana": r"/v1/products/clients/search$",
    "vntana_public": r"/showroom$",
    "itwin": r"/imodels$",
    "scenario": r"/scenario/v1/(?:search/)?assets$",
}
_ONE: Final = {
    "vntana": r"/v1/products/[0-9a-f-]{36}$",
    "vntana_public": r"/showroom$",
    "itwin": r"/imodels/[^/]+$",
    "scenario": r"/v1/assets/asset_\w+$",
}
SEARCH: Final = {service: Step("search", path) for service, path in _LISTS.items()}
PICTURE: Final = {
    "vntana": Step("picture", "/thumbnails/"),
    "vntana_public": Step("picture", "/thumbnail/"),
    "itwin": Step("picture", "/thumbnail$"),
    "scenario": Step("picture", "/cdn/"),
}
STEPS: Final = {
    "search": {service: (step,) for service, step in SEARCH.items()},
    "later": {service: (Step("later page", path, skip=1),) for service, path in _LISTS.items()},
    "asset": {service: (Step("asset", path),) for service, path in _ONE.items()},
    "picture": {service: (step,) for service, step in PICTURE.items()},
    "both": {service: (SEARCH[service], PICTURE[service]) for service in SERVICES},
}
_KIND: Final = {"scenario": {"kind": "image"}}
_FEW: Final = {"limit": 4}


def _few(client: Any) -> Any:
    return client.search(**_FEW, **_KIND.get(client.core.name, {}))


# -- every service ----------------------------------------------------------------------------------------------------


@operation(*SERVICES, name="search page", steps=STEPS["search"], covers=("search", "AssetList.__getitem__"))
def _page(client: Any, _: Ground) -> Any:
    return Ids.of(client.search()[:5])


@operation(*SERVICES, name="deep page", steps=STEPS["later"], covers=("AssetList.__getitem__",))
def _deep(client: Any, _: Ground) -> Any:
    return Ids.of(client.search(page_size=8)[17:23])


@operation(*SERVICES, name="whole list", steps=STEPS["later"], covers=("AssetList.__iter__",))
def _list(client: Any, _: Ground) -> Any:
    # Scenario's search takes pages of 100 at least; its list goes by cursors.
    words = {"paging": "page"} if client.core.name == "scenario" else {"page_size": 10}
    return Ids.of(client.search(**words), whole=True)


@operation("scenario", name="whole listing", steps=STEPS["later"], covers=("AssetList.__iter__",))
def _listing(client: Any, _: Ground) -> Any:
    return Ids.of(client.search(page_size=60), whole=True)


@operation(
    *SERVICES,
    name="counts",
    steps=STEPS["search"],
    covers=("AssetList.__len__", "AssetList.__bool__", "AssetList.total", "AssetList.index", "AssetList.count"),
)
def _counts(client: Any, _: Ground) -> Any:
    found = _few(client)
    told = found.total is None or found.total >= len(found)  # how many there are changes with the list
    return len(found), bool(found), told, found.index(found[1]), found.count(found[2])


@operation(*SERVICES, name="table", steps=STEPS["search"], covers=("AssetList.to_pandas",))
def _table(client: Any, _: Ground) -> Any:
    return Ids(tuple(_few(client).to_pandas(progress=False)["id"]))


@operation(*SERVICES, name="asset", steps=STEPS["asset"], covers=("asset",))
def _asset(client: Any, ground: Ground) -> Any:
    return client.asset(ground.records[client.core.name][0].id).id


@operation(*SERVICES, name="poster", steps=STEPS["picture"], covers=("Asset.poster",))
def _poster(client: Any, ground: Ground) -> Any:
    return seen(ground.assets(client)[0].poster(width=64))


@operation(*SERVICES, name="poster bytes", steps=STEPS["picture"], covers=("Asset.poster_bytes",))
def _poster_bytes(client: Any, ground: Ground) -> Any:
    return digest(ground.assets(client)[0].poster_bytes(width=64))


@operation(*SERVICES, name="posters", steps=STEPS["both"], covers=("AssetList.posters",))
def _posters(client: Any, _: Ground) -> Any:
    return batched(_few(client).posters(width=64, progress=False))


@operation(*SERVICES, name="posters one by one", steps=STEPS["picture"], covers=("AssetList.iter_posters",))
def _iterated(client: Any, _: Ground) -> Any:
    return Silent(tuple((asset.id, seen(image)) for asset, image in _few(client).iter_posters(width=64)))


@operation(*SERVICES, name="posters mapped", steps=STEPS["both"], covers=("AssetList.map_posters",))
def _mapped(client: Any, _: Ground) -> Any:
    done = _few(client).map_posters(lambda _, image: seen(image), width=64, progress=False, partition_size=2)
    return Named(tuple(done), tuple(error for _, _, error in done.failures))


@operation("vntana", "itwin", name="posters by Dask", steps=STEPS["both"], covers=("AssetList.to_dask",))
def _by_dask(client: Any, _: Ground) -> Any:
    bag = _few(client).to_dask(width=64, partition_size=2)
    with ThreadPoolExecutor(2) as pool:
        found = bag.compute(scheduler="threads", pool=pool)
    return Silent(tuple((asset.id, seen(image)) for asset, image in found))


@operation(*SERVICES, name="HTML page", steps=STEPS["both"], covers=("AssetList.to_html",))
def _html(client: Any, ground: Ground) -> Any:
    page = ground.new_folder() / "page.html"
    _few(client).to_html(page, width=64, turntables=False, progress=False)
    text = page.read_text(encoding="utf-8")
    return text.count("data:image/"), [record.id in text for record in ground.records[client.core.name]]


@operation(*SERVICES, name="thumbnail", steps=STEPS["picture"], covers=())
def _thumbnail(client: Any, ground: Ground) -> Any:
    return digest(thumbnail_of(client, ground.records[client.core.name][1]))


# -- VNTANA and iTwin: who one is -------------------------------------------------------------------------------------


def _forget_login(client: Any, ground: Ground) -> Any:
    """As a new process that has no token yet."""
    client.asset(ground.records[client.core.name][0].id)  # which tokens there are is known then
    if client.core.name == "vntana":
        client.logout()
        ladder = client.core._ladder
        ladder._organization = ladder._places = None
    else:
        client.core._authorizer._token.forget()
    return client


@operation(
    *("vntana", "itwin"),
    name="login",
    prepare=_forget_login,
    anew=True,
    steps={
        "vntana": (
            Step("login", "/v1/auth/login"),
            Step("organizations", "/v1/organizations$"),
        ),
        "itwin": (Step("token", "/connect/token$"),),
    },
    covers=("workspaces",),
)
def _login(client: Any, _: Ground) -> Any:
    return tuple(place.id for place in client.workspaces())


@operation(
    "vntana", name="token of a workspace", prepare=_forget_login, anew=True, steps=(Step("", "/refresh-token$"),)
)
def _scoped(client: Any, ground: Ground) -> Any:
    return client.asset(ground.records["vntana"][0].id).id


@operation(
    "vntana", "itwin", name="workspaces", steps=(Step("", "/client-organizations$|/itwins$"),), covers=("workspaces",)
)
def _workspaces(client: Any, _: Ground) -> Any:
    return tuple(place.id for place in client.workspaces())


@operation("itwin", name="iTwins", covers=("ITwin.itwins",))
def _itwins(client: Any, _: Ground) -> Any:
    return tuple(place.id for place in client.itwins())


def _logged_in(client: Any, ground: Ground) -> Any:
    client.asset(ground.records["vntana"][0].id)
    live = ground.sandbox.vntana_api.tokens._live
    scopes = [client.core._ladder._session, *client.core._ladder._scopes.values()]
    tokens = [token.reveal() for scope in scopes if (token := scope.token.peek()) is not None]
    assert tokens
    assert all(token in live for token in tokens)
    return client, tokens


@operation(
    "vntana",
    name="logout",
    prepare=_logged_in,
    anew=True,
    steps=(Step("", "/logout$"),),
    covers=("Vntana.logout",),
    blind=("revoked token or URL",),
)
def _logout(both: Any, ground: Ground) -> Any:
    both[0].logout()
    return [token in ground.sandbox.vntana_api.tokens._live for token in both[1]]


# -- VNTANA: posters by ids, renders, webhooks ------------------------------------------------------------------------


@operation("vntana", name="poster by ids", steps=STEPS["picture"], covers=("Vntana.poster", "Vntana.poster_bytes"))
def _by_ids(client: Any, ground: Ground) -> Any:
    return seen(client.poster(*ground.poster_ids, width=64)), digest(client.poster_bytes(*ground.poster_ids, width=64))


@operation(
    "vntana",
    name="render",
    steps=(
        Step("order", "/products/renders$"),
        Step("standing", r"/conversion-action-types/status$|/clients/search$"),
        Step("files", "/attachments/search$"),
    ),
    covers=("Vntana.render", "RenderJob.wait"),
    effect=Ground.renders,
    repeats=True,  # the later render takes the place of the former
)
def _render(client: Any, ground: Ground) -> Any:
    job = client.render(ground.assets(client)[:1], **SMALL, poll=POLL)
    return job_told(job.wait(ground.patience, progress=False))


@operation(
    "vntana",
    name="render by ids",
    steps=(Step("search", r"/clients/search$"),),
    covers=("Vntana.render",),
    effect=Ground.renders,
    repeats=True,  # the later render takes the place of the former
)
def _render_ids(client: Any, ground: Ground) -> Any:
    job = client.render(ground.records["vntana"][1].id, **SMALL, poll=POLL)
    job.stop_following()
    return len(job.items)


@operation(
    "vntana",
    name="follow renders",
    steps=(Step("standing", "/clients/search$"), Step("files", "/attachments/search$")),
    covers=("Vntana.follow_renders", "RenderJob.wait"),
)
def _follow(client: Any, ground: Ground) -> Any:
    assets = ground.to_render(client)
    return job_told(client.follow_renders(assets, poll=POLL).wait(ground.patience, progress=False))


FILE: Final = (Step("address", "/sign-url$"), Step("file", "/vntana/storage/"))


@operation("vntana", name="stills", prepare=followed, steps=FILE, covers=("RenderJob.stills",))
def _stills(job: Any, _: Ground) -> Any:
    return batched(job.stills(progress=False))


@operation(
    "vntana",
    name="turntables",
    prepare=followed,
    steps=FILE,
    covers=("RenderJob.turntables", "RenderedTurntable.save_mp4", "RenderedTurntable.mp4_bytes"),
)
def _turntables(job: Any, ground: Ground) -> Any:
    return tuple(digest(film.save_mp4(ground.new_folder() / "film.mp4").read_bytes()) for film in job.turntables())


@operation(
    "vntana",
    name="frames",
    prepare=followed,
    steps=(FILE[1],),
    covers=("RenderedTurntable.frames", "RenderedTurntable.fps"),
)
def _frames(job: Any, _: Ground) -> Any:
    (film,) = job.turntables()
    return film.fps, tuple(map(seen, film.frames()))


@operation(
    "vntana",
    name="GIF",
    prepare=followed,
    steps=(FILE[1],),
    covers=("RenderedTurntable.save_gif", "RenderedTurntable.gif_bytes"),
)
def _gif(job: Any, ground: Ground) -> Any:
    (film,) = job.turntables()
    return digest(film.save_gif(ground.new_folder() / "film.gif").read_bytes())


_EVENTS: Final = Step("events", "/webhooks/events")
_WEBHOOK: Final = r"/webhooks/[0-9a-f-]{36}$"


@operation("vntana", name="webhook events", steps=(_EVENTS,), covers=("VntanaWebhooks.events",))
def _events(client: Any, _: Ground) -> Any:
    return tuple(sorted(kind.name for kind in client.webhooks.events()))


@operation("vntana", name="webhooks", steps=(Step("", "/webhooks/organization"),), covers=("VntanaWebhooks.list",))
def _webhooks(client: Any, ground: Ground) -> Any:
    return ground.webhook in {webhook.id for webhook in client.webhooks.list()}


@operation("vntana", name="webhook", steps=(Step("", _WEBHOOK),), covers=("VntanaWebhooks.get",))
def _webhook(client: Any, ground: Ground) -> Any:
    return client.webhooks.get(ground.webhook).id


@operation(
    "vntana",
    name="webhook made",
    steps=(_EVENTS, Step("order", "/webhooks/?$", "POST")),
    covers=("VntanaWebhooks.create",),
    effect=lambda ground: ground.written["made"],
)
def _made(client: Any, _: Ground) -> Any:
    return client.webhooks.create("http://127.0.0.1:9/made", name="made").enabled


@operation(
    "vntana",
    name="webhook changed",
    steps=(Step("as it is", _WEBHOOK, "GET"), Step("change", _WEBHOOK, "PUT")),
    covers=("VntanaWebhooks.update",),
    effect=lambda ground: ground.written["kept"],
    repeats=True,
)
def _changed(client: Any, ground: Ground) -> Any:
    return client.webhooks.update(ground.webhook, description="changed").description


@operation(
    "vntana",
    name="webhook secret",
    steps=(Step("", "/secret$"),),
    covers=("VntanaWebhooks.rotate_secret",),
    effect=lambda ground: ground.written["kept"],
)
def _secret(client: Any, ground: Ground) -> Any:
    return client.webhooks.rotate_secret(ground.webhook).id


@operation(
    "vntana",
    name="webhook deleted",
    prepare=lambda client, _: (client, client.webhooks.create("http://127.0.0.1:9/gone", name="gone")),
    steps=(Step("", _WEBHOOK, "DELETE"),),
    covers=("VntanaWebhooks.delete",),
    anew=True,
    effect=lambda ground: ground.deleted["gone"],
)
def _deleted(both: Any, _: Ground) -> Any:
    return both[0].webhooks.delete(both[1])


@operation(
    "vntana",
    name="receiver",
    steps=(_EVENTS, Step("webhook", "/webhooks/?$", "POST"), Step("farewell", _WEBHOOK, "DELETE")),
    covers=("VntanaWebhooks.receive", "VntanaReceiver.start", "VntanaReceiver.stop"),
    effect=lambda ground: ground.written["heard"],
)
def _received(client: Any, _: Ground) -> Any:
    with client.webhooks.receive(name="heard") as receiver:
        return receiver.running, receiver.webhook is not None


@operation(
    "vntana",
    name="receiver's secret",
    steps=(Step("", "/secret$"),),
    covers=("VntanaReceiver.rotate_secret",),
)
def _renewed(client: Any, _: Ground) -> Any:
    with client.webhooks.receive(name="renewed") as receiver:
        receiver.rotate_secret()
        return receiver.running, receiver.webhook is not None


# -- Scenario: tags, files, archives ----------------------------------------------------------------------------------

_DOWNLOAD: Final = (Step("address", "/assets/asset_[^/]+/download$"), Step("file", "/cdn/"))
_JOB: Final = r"/assets/download/\w+$|/jobs/\w+$"
_ARCHIVE: Final = Step("archive", "/cdn/archives/")
_MEMBERS: Final = (_ARCHIVE, Step("member", "/cdn/archives/", skip=2))


@operation("scenario", name="collections", covers=("Scenario.collections",))
def _collections(client: Any, _: Ground) -> Any:
    return tuple(one.id for one in client.collections())


@operation("scenario", name="tags", covers=("Scenario.tags",))
def _tags(client: Any, _: Ground) -> Any:
    return tuple(one.name for one in client.tags())


@operation("scenario", name="download", steps=_DOWNLOAD, covers=("Scenario.download", "Download.content"))
def _download(client: Any, ground: Ground) -> Any:
    return digest(client.download(ground.assets(client)[0]).content)


@operation("scenario", name="download as image", steps=_DOWNLOAD, covers=("Scenario.download", "Download.image"))
def _opened(client: Any, ground: Ground) -> Any:
    return seen(client.download(ground.assets(client)[0], format="jpeg").image(width=64))


@operation("scenario", name="download saved", steps=_DOWNLOAD, covers=("Download.save", "Download.name"))
def _saved(client: Any, ground: Ground) -> Any:
    folder = ground.new_folder()
    return digest(client.download(ground.assets(client)[0], format="png").save(folder).read_bytes())


@operation("scenario", name="downloads", steps=_DOWNLOAD, covers=("Scenario.download_many",))
def _downloads(client: Any, ground: Ground) -> Any:
    batch = client.download_many(ground.assets(client), folder=ground.new_folder(), progress=False)
    return saved_files(batch)


@operation("scenario", name="names foretold", steps=STEPS["asset"], covers=("Scenario.preview_names",))
def _foretold(client: Any, ground: Ground) -> Any:
    return client.preview_names([record.id for record in ground.records["scenario"]], "<id>", flat=True)


@operation(
    "scenario",
    name="archive",
    steps=(Step("order", "/assets/download$"), Step("standing", _JOB), _ARCHIVE),
    covers=("Scenario.archive", "ArchiveJob.wait", "ArchiveJob.names"),
    effect=Ground.archives,
)
def _archive(client: Any, ground: Ground) -> Any:
    job = client.archive(ground.assets(client)[:2], flat=True, archive_name=ground.new_name(), poll=POLL)
    return _names_told(job.wait(ground.patience, progress=False))


@operation(
    "scenario",
    name="follow archive",
    steps=(Step("", _JOB),),
    covers=("Scenario.follow_archive", "ArchiveJob.wait"),
)
def _follow_archive(client: Any, ground: Ground) -> Any:
    return job_told(client.follow_archive(ground.archive, poll=POLL).wait(ground.patience, progress=False))


def archived(client: Any, ground: Ground) -> Any:
    """An archive job that is done."""
    return client.follow_archive(ground.archive, ground.assets(client), poll=POLL).wait(60, progress=False)


def _names_told(job: Any) -> Named:
    names = tuple(sorted(job.names))
    return Named(names, tuple(error for _, _, error in job.failures), slots=False)


@operation("scenario", name="archive names", prepare=archived, steps=(_ARCHIVE,), covers=("ArchiveJob.names",))
def _names(job: Any, _: Ground) -> Any:
    return _names_told(job)


@operation(
    "scenario",
    name="archive read",
    prepare=archived,
    steps=_MEMBERS,
    covers=("ArchiveJob.read", "ArchiveJob.open", "ArchiveJob.others", "ArchiveJob.__len__"),
)
def _read(job: Any, ground: Ground) -> Any:
    name = ground.member
    return digest(job.read(name)), digest(job.open(name).read()), len(job), job.others


@operation(
    "scenario",
    name="archive image",
    prepare=archived,
    steps=_MEMBERS,
    covers=("ArchiveJob.image", "ArchiveJob.__getitem__"),
)
def _image(job: Any, _: Ground) -> Any:
    return seen(job[0]), seen(job.image(job.names[0], width=64))


@operation("scenario", name="archive images", prepare=archived, steps=_MEMBERS, covers=("ArchiveJob.images",))
def _images(job: Any, _: Ground) -> Any:
    return batched(job.images(width=64, progress=False))


def pairs_told(job: Any, pairs: list[Any]) -> Any:
    """Of an archive that is damaged as a whole, the job tells."""
    errors = tuple(error for _, _, error in job.failures)
    return Named(tuple(pair for pair in pairs if pair[1]), errors, slots=False) if errors else Silent(tuple(pairs))


@operation("scenario", name="archive one by one", prepare=archived, steps=_MEMBERS, covers=("ArchiveJob.iter_images",))
def _one_by_one(job: Any, _: Ground) -> Any:
    return pairs_told(job, [(getattr(which, "id", which), seen(image)) for which, image in job.iter_images(width=64)])


@operation("scenario", name="archive saved", prepare=archived, steps=_MEMBERS[:1], covers=("ArchiveJob.save",))
def _save(job: Any, ground: Ground) -> Any:
    return digest(job.save(ground.new_folder() / "all.zip", progress=False).read_bytes())


@operation("scenario", name="archive extracted", prepare=archived, steps=_MEMBERS, covers=("ArchiveJob.extract",))
def _extract(job: Any, ground: Ground) -> Any:
    folder = ground.new_folder()
    done = job.extract(folder, progress=False)
    errors = [error for _, error in done.failures] + [error for _, _, error in job.failures]
    return Named(tuple(tree(folder)), tuple(errors), slots=False)


# -- jobs that ask again ----------------------------------------------------------------------------------------------


def begun_render(client: Any, ground: Ground) -> Any:
    """A render whose stills the service will fail to make."""
    asset = ground.another(client)
    ground.sandbox.renders.fail(asset.id)
    return client.render(asset, **SMALL, poll=POLL)


def failed_render(client: Any, ground: Ground) -> Any:
    """The same, once that has happened."""
    job = begun_render(client, ground).wait(20, progress=False)
    assert job.failures, "it did not fail"
    return job


@operation(
    "vntana",
    name="failed render again",
    prepare=failed_render,
    anew=True,
    steps=(
        Step("standing", r"/conversion-action-types/status$|/clients/search$"),
        Step("files", "/attachments/search$"),
        Step("order", "/products/renders$"),
    ),
    covers=("RenderJob.retry_failed",),
    effect=Ground.renders,
    repeats=True,  # the later render takes the place of the former
)
def _render_again(job: Any, ground: Ground) -> Any:
    return job_told(job.retry_failed().wait(ground.patience, progress=False))


def begun_archive(client: Any, ground: Ground) -> Any:
    """An archive that the service will fail to make."""
    ground.sandbox.archives.fail()
    return client.archive(ground.assets(client)[:2], flat=True, archive_name=ground.new_name(), poll=POLL)


def failed_archive(client: Any, ground: Ground) -> Any:
    """The same, once that has happened."""
    job = begun_archive(client, ground)
    with pytest.raises(ia.JobFailed):
        job.wait(20, progress=False)
    return job


@operation(
    "scenario",
    name="failed archive again",
    prepare=failed_archive,
    anew=True,
    steps=(Step("order", "/assets/download$"),),
    covers=("ArchiveJob.retry_failed",),
    effect=Ground.archives,
)
def _again(job: Any, ground: Ground) -> Any:
    return job_told(job.retry_failed().wait(ground.patience, progress=False))
