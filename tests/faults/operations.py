"""What the matrix does: every operation of every service, and what comes of it in a form that can be compared."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ipyassets as ia
from ipyassets.collections.assets import Asset
from ipyassets.collections.thumbnails import thumbnail
from ipyassets.errors import AssetServiceError
from ipyassets.http import loop
from ipyassets.sandbox import Sandbox

__all__ = ["OPERATIONS", "SERVICES", "Ground", "Ids", "Named", "Operation"]

SERVICES: Final = ("vntana", "vntana_public", "itwin", "scenario")
SMALL: Final = {"width": 32, "height": 24, "turntable": ia.Turntable(frames=2, fps=4, width=32, height=24)}
POLL: Final = 0.02


@dataclass(frozen=True)
class Ids:
    """Ids of a list, in its order; ``whole`` where it is all of a list."""

    ids: tuple[str, ...]
    whole: bool = False

    @classmethod
    def of(cls, assets: Iterable[Any], *, whole: bool = False) -> Ids:
        return cls(tuple(asset.id for asset in assets), whole)


@dataclass(frozen=True)
class Named:
    """Many results, some of which failed and are named."""

    results: tuple[Any, ...]
    errors: tuple[AssetServiceError, ...]


@dataclass
class Ground:
    """What all cases share: a sandbox, and what was found in it before anything went wrong."""

    sandbox: Sandbox
    folder: Path
    patience: float = 20.0
    """Seconds that a job is waited for."""

    def __post_init__(self) -> None:
        with self.sandbox.vntana() as vntana:
            shown = vntana.search(asset_types="THREE_D", conversion_status="COMPLETED", sort="created")
            self.records = {"vntana": [asset._record for asset in shown[:3]]}
            self.rendered = [asset._record for asset in shown[4:5]]
            vntana.render([Asset(record, vntana.core) for record in self.rendered], **SMALL, poll=POLL).wait(
                60, progress=False
            )
            self.webhook = vntana.webhooks.create("http://127.0.0.1:9/", name="kept").id
        with self.sandbox.vntana_public() as public:
            self.records["vntana_public"] = [asset._record for asset in public.search()[:3]]
        with self.sandbox.itwin() as itwin:
            self.records["itwin"] = [asset._record for asset in itwin.search()[:3]]
        with self.sandbox.scenario() as scenario:
            found = scenario.search(kind="image", filter='mimeType = "image/webp"')
            self.records["scenario"] = [asset._record for asset in found[:3]]
            self.archive = scenario.archive(found[:3], flat=True, poll=POLL).wait(60, progress=False).ids[0]
        self._fresh = itertools.count()

    def assets(self, client: Any) -> list[Asset]:
        return [Asset(record, client.core) for record in self.records[client.core.name]]

    def new_folder(self) -> Path:
        made = self.folder / f"files-{next(self._fresh)}"
        made.mkdir(parents=True)
        return made


@dataclass(frozen=True)
class Operation:
    service: str
    name: str
    run: Callable[[Any, Ground], Any]
    prepare: Callable[[Any, Ground], Any] | None = None
    """Before anything goes wrong; ``run`` then takes what it gives in place of the client."""

    def __str__(self) -> str:
        return f"{self.service}: {self.name}"


OPERATIONS: Final[list[Operation]] = []


def operation(
    *services: str, name: str, prepare: Callable[[Any, Ground], Any] | None = None
) -> Callable[[Callable[[Any, Ground], Any]], Callable[[Any, Ground], Any]]:
    def add(run: Callable[[Any, Ground], Any]) -> Callable[[Any, Ground], Any]:
        OPERATIONS.extend(Operation(service, name, run, prepare) for service in services)
        return run

    return add


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _seen(image: Any) -> Any:
    return None if image is None else (image.size, _digest(image.convert("RGB").tobytes()))


def _batch(batch: ia.ImageBatch) -> Named:
    return Named(tuple(map(_seen, batch)), tuple(error for _, _, error in batch.failures))


def _job(job: Any) -> Named:
    errors = tuple(error for _, _, error in job.failures)
    return Named(tuple(None if item.errors else item.status for item in job.items), errors)


def _tree(folder: Path) -> Any:
    return sorted((str(path.relative_to(folder)), _digest(path.read_bytes())) for path in folder.rglob("*.*"))


def _forget_login(client: Any, ground: Ground) -> Any:
    """As a new process that has no token yet."""
    del ground
    if client.core.name == "vntana":
        client.logout()
    else:
        token = client.core._authorizer._token
        token._token = None
    return client


# -- every service ----------------------------------------------------------------------------------------------------


@operation(*SERVICES, name="search page")
def _page(client: Any, _: Ground) -> Any:
    return Ids.of(client.search()[:5])


@operation(*SERVICES, name="deep page")
def _deep(client: Any, _: Ground) -> Any:
    return Ids.of(client.search(page_size=8)[17:23])


@operation(*SERVICES, name="whole list")
def _list(client: Any, _: Ground) -> Any:
    words = {"kind": "3d", "paging": "page"} if client.core.name == "scenario" else {}
    return Ids.of(client.search(page_size=10, **words), whole=True)


@operation("scenario", name="whole listing")
def _listing(client: Any, _: Ground) -> Any:
    return Ids.of(client.search(page_size=60), whole=True)


@operation(*SERVICES, name="asset")
def _asset(client: Any, ground: Ground) -> Any:
    return client.asset(ground.records[client.core.name][0].id).id


@operation(*SERVICES, name="poster")
def _poster(client: Any, ground: Ground) -> Any:
    return _seen(ground.assets(client)[0].poster(width=64))


@operation(*SERVICES, name="poster bytes")
def _poster_bytes(client: Any, ground: Ground) -> Any:
    return _digest(ground.assets(client)[0].poster_bytes(width=64))


@operation(*SERVICES, name="posters")
def _posters(client: Any, _: Ground) -> Any:
    words = {"kind": "image"} if client.core.name == "scenario" else {}
    return _batch(client.search(limit=4, **words).posters(width=64, progress=False))


@operation(*SERVICES, name="thumbnail")
def _thumbnail(client: Any, ground: Ground) -> Any:
    return _digest(loop.run(thumbnail(client.core, ground.records[client.core.name][1], 96)).content)


# -- VNTANA and iTwin: who one is -------------------------------------------------------------------------------------


@operation("vntana", "itwin", name="login", prepare=_forget_login)
def _login(client: Any, _: Ground) -> Any:
    return tuple(place.id for place in client.workspaces())


@operation("vntana", "itwin", name="workspaces")
def _workspaces(client: Any, _: Ground) -> Any:
    return tuple(place.id for place in client.workspaces())


def _logged_in(client: Any, _: Ground) -> Any:
    client.workspaces()
    return client


@operation("vntana", name="logout", prepare=_logged_in)
def _logout(client: Any, _: Ground) -> Any:
    return client.logout()


# -- VNTANA: renders and webhooks -------------------------------------------------------------------------------------


@operation("vntana", name="render")
def _render(client: Any, ground: Ground) -> Any:
    return _job(client.render(ground.assets(client)[:1], **SMALL, poll=POLL).wait(ground.patience, progress=False))


def _followed(client: Any, ground: Ground) -> Any:
    assets = [Asset(record, client.core) for record in ground.rendered]
    return client.follow_renders(assets, poll=POLL).wait(60, progress=False)


@operation("vntana", name="follow renders")
def _follow(client: Any, ground: Ground) -> Any:
    assets = [Asset(record, client.core) for record in ground.rendered]
    return _job(client.follow_renders(assets, poll=POLL).wait(ground.patience, progress=False))


@operation("vntana", name="stills", prepare=_followed)
def _stills(job: Any, _: Ground) -> Any:
    return _batch(job.stills(progress=False))


@operation("vntana", name="turntables", prepare=_followed)
def _turntables(job: Any, ground: Ground) -> Any:
    return tuple(_digest(film.save_mp4(ground.new_folder() / "film.mp4").read_bytes()) for film in job.turntables())


@operation("vntana", name="webhook events")
def _events(client: Any, _: Ground) -> Any:
    return tuple(sorted(kind.name for kind in client.webhooks.events()))


@operation("vntana", name="webhooks")
def _webhooks(client: Any, ground: Ground) -> Any:
    return ground.webhook in {webhook.id for webhook in client.webhooks.list()}


@operation("vntana", name="webhook")
def _webhook(client: Any, ground: Ground) -> Any:
    return client.webhooks.get(ground.webhook).id


@operation("vntana", name="webhook made")
def _made(client: Any, _: Ground) -> Any:
    return client.webhooks.create("http://127.0.0.1:9/made", name="made").enabled


@operation("vntana", name="webhook changed")
def _changed(client: Any, ground: Ground) -> Any:
    return client.webhooks.update(ground.webhook, description="changed").id


@operation("vntana", name="webhook secret")
def _secret(client: Any, ground: Ground) -> Any:
    return client.webhooks.rotate_secret(ground.webhook).id


@operation(
    "vntana",
    name="webhook deleted",
    prepare=lambda client, _: (client, client.webhooks.create("http://127.0.0.1:9/gone", name="gone")),
)
def _deleted(both: Any, _: Ground) -> Any:
    return both[0].webhooks.delete(both[1])


# -- Scenario: tags, files, archives ----------------------------------------------------------------------------------


@operation("scenario", name="collections")
def _collections(client: Any, _: Ground) -> Any:
    return tuple(one.id for one in client.collections())


@operation("scenario", name="tags")
def _tags(client: Any, _: Ground) -> Any:
    return tuple(one.name for one in client.tags())


@operation("scenario", name="download")
def _download(client: Any, ground: Ground) -> Any:
    return _digest(client.download(ground.assets(client)[0]).content)


@operation("scenario", name="download saved")
def _saved(client: Any, ground: Ground) -> Any:
    folder = ground.new_folder()
    return _digest(client.download(ground.assets(client)[0], format="png").save(folder).read_bytes())


@operation("scenario", name="downloads")
def _downloads(client: Any, ground: Ground) -> Any:
    batch = client.download_many(ground.assets(client), folder=ground.new_folder(), progress=False)
    paths = (None if one is None else _digest(Path(one.path).read_bytes()) for one in batch)
    return Named(tuple(paths), tuple(error for _, _, error in batch.failures))


@operation("scenario", name="archive")
def _archive(client: Any, ground: Ground) -> Any:
    job = client.archive(ground.assets(client)[:2], flat=True, poll=POLL).wait(ground.patience, progress=False)
    return tuple(sorted(job.names))


@operation("scenario", name="follow archive")
def _follow_archive(client: Any, ground: Ground) -> Any:
    return _job(client.follow_archive(ground.archive, poll=POLL).wait(ground.patience, progress=False))


def _archived(client: Any, ground: Ground) -> Any:
    return client.follow_archive(ground.archive, ground.assets(client), poll=POLL).wait(60, progress=False)


@operation("scenario", name="archive names", prepare=_archived)
def _names(job: Any, _: Ground) -> Any:
    return tuple(sorted(job.names))


@operation("scenario", name="archive read", prepare=_archived)
def _read(job: Any, _: Ground) -> Any:
    return _digest(job.read(job.names[0]))


@operation("scenario", name="archive images", prepare=_archived)
def _images(job: Any, _: Ground) -> Any:
    return _batch(job.images(width=64, progress=False))


@operation("scenario", name="archive saved", prepare=_archived)
def _save(job: Any, ground: Ground) -> Any:
    return _digest(job.save(ground.new_folder() / "all.zip", progress=False).read_bytes())


@operation("scenario", name="archive extracted", prepare=_archived)
def _extract(job: Any, ground: Ground) -> Any:
    folder = ground.new_folder()
    done = job.extract(folder, progress=False)
    return Named(tuple(_tree(folder)), tuple(error for _, error in done.failures))
