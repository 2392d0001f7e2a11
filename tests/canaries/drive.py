"""Does all that leaves something behind, in a process of its own, and writes down all that can be seen of it.

``python -m tests.canaries.drive FOLDER``: each folder in ``FOLDER/said`` is one place where a secret could show. The
process's home, its temporary files and the cache are to be in FOLDER too; the caller searches every byte of it.

With ``--leak`` it does nothing but give the mark away in each of those places: what the search must find.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import random
import shutil
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import comm
import pytest
from comm.base_comm import BaseComm

import ipyassets as ia
from ipyassets.http import board, loop, wire
from ipyassets.http.client import HttpClient
from ipyassets.http.secret import Secret
from ipyassets.sandbox import Sandbox
from tests.canaries.leak import dump, leaked, look_at_board, press
from tests.canaries.planted import MARK, planted
from tests.canaries.proxy import by_proxy
from tests.canaries.trouble import mistakes, troubles
from tests.canaries.witness import Witness
from tests.services.calls import QUICK

SAMPLE = 30

Work = dict[str, Callable[[], Any]]


class SpokenComm(BaseComm):
    """Writes down what goes to the browser."""

    witness: Witness

    def publish_msg(self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any) -> None:
        content = json.dumps([msg_type, data, metadata], default=repr).encode()
        self.witness.write("messages to the browser", msg_type, b"\n".join([content, *map(bytes, buffers or [])]))


def query(service: str, text: str) -> dict[str, Any]:
    return {"service": service, "place": None, "text": text, "filters": {}, "sort": None}


def works(folder: Path, vntana: ia.Vntana, itwin: ia.ITwin, scenario: ia.Scenario, public: ia.VntanaPublic) -> Work:
    """What a person does with the services, each on its own: all of it asks a service."""
    picture, model = scenario.search(kind="image")[0], scenario.search(kind="3d")[0]
    chair, bridge, shown = vntana.search("chair")[0], itwin.search("bridge")[0], public.search("chair")[0]
    return {
        "vntana search": lambda: vntana.search("lamp", limit=3).to_pandas(progress=False),
        "vntana asset": lambda: vntana.asset(chair.id),
        "vntana poster": lambda: chair.poster(width=64),
        "vntana posters": lambda: vntana.search("chair", limit=3).posters(64, progress=False),
        "vntana workspaces": vntana.workspaces,
        "vntana webhooks": vntana.webhooks.list,
        "vntana webhook": lambda: vntana.webhooks.create("http://127.0.0.1:9/hook", ["renders.completed"]),
        "vntana follow": lambda: vntana.follow_renders([chair], poll=0.05).wait(5, progress=False),
        "vntana logout": vntana.logout,
        "public search": lambda: public.search("lamp", limit=3).to_pandas(progress=False),
        "public poster": lambda: shown.poster(width=64),
        "itwin search": lambda: itwin.search("tower", limit=3).to_pandas(progress=False),
        "itwin asset": lambda: itwin.asset(bridge.id),
        "itwin poster": lambda: bridge.poster(size="large"),
        "itwin itwins": itwin.itwins,
        "scenario search": lambda: scenario.search("chair", limit=3).to_pandas(progress=False),
        "scenario asset": lambda: scenario.asset(picture.id),
        "scenario poster": lambda: picture.poster(width=64),
        "scenario original": lambda: scenario.download(picture).save(folder / "original"),
        "scenario webp": lambda: scenario.download(picture, format="webp").image(),
        "scenario glb": lambda: scenario.download(model, format="glb").content,
        "scenario many": lambda: scenario.download_many([picture, model], progress=False).save(folder / "many"),
        "scenario archive": lambda: (
            scenario.archive([picture], poll=0.02).wait(10, progress=False).save(folder / "a.zip")
        ),
        "scenario tags": scenario.tags,
        "scenario collections": scenario.collections,
    }


def ours(error: Exception) -> Exception:
    """``error`` without the frame of the function that called, which has the secrets that are planted."""
    return error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)


def go_wrong(witness: Witness, sandbox: Sandbox, folder: Path, *, whole: bool) -> Counter[str]:
    """Each work with each trouble, from its first request on or from the second; a sample of them unless ``whole``."""
    outcomes: Counter[str] = Counter()
    clients = (sandbox.vntana(), sandbox.itwin(), sandbox.scenario(), sandbox.vntana_public())
    for client in clients:
        for http in {id(held): held for held in vars(client.core).values() if isinstance(held, HttpClient)}.values():
            http.policy = QUICK
    for name, make in mistakes().items():
        try:
            make()
        except (ia.AssetServiceError, TypeError) as error:
            witness.error(name, ours(error))
            outcomes["refused to be made"] += 1
    doing = works(folder, *clients)
    trials = list(product(doing.items(), troubles(sandbox).items(), (0, 1)))
    for (name, work), (trouble, fault), skip in trials if whole else random.Random(7).sample(trials, SAMPLE):
        ia.cache.clear()
        struck = sandbox.faults.add(**{"path": ".", **fault}, count=None, skip=skip)
        try:
            outcome = work()
        except Exception as error:  # noqa: BLE001
            witness.error(f"{name}, {trouble}", ours(error))
            outcomes[type(error).__name__] += 1
        else:
            witness.thing(f"{name}, {trouble}", outcome)
            outcomes["went well in spite of it" if struck.hits else "not touched by it"] += 1
        sandbox.faults.clear()
    for client in clients:
        client.close()
    return outcomes


def go_well(witness: Witness, folder: Path, sandbox: Sandbox) -> None:
    """Everything once, and a look at all that comes of it."""
    from IPython.display import HTML

    services = ia.connect(sandbox=False)
    vntana, itwin, scenario = services.vntana, services.itwin, services.scenario
    info = sandbox.connection_info()
    with_password = sandbox.vntana(email=info["vntana"]["email"], password=info["vntana"]["password"])
    with_token = sandbox.itwin(token=info["itwin"]["token"])
    public = sandbox.vntana_public()
    chairs, bridges, pictures = vntana.search("chair"), itwin.search("bridge"), scenario.search(kind="image", limit=4)
    things: dict[str, Any] = {
        "sandbox": sandbox,
        "services": services,
        **{f"client of {name}": client for name, client in services.items()},
        "client with a password": with_password,
        "client with a token": with_token,
        "public client": public,
        "found with a password": with_password.search("chair", limit=2)[0],
        "found with a token": with_token.search("bridge", limit=2)[0],
        "found in public": public.search("chair", limit=2)[0],
        "assets": chairs,
        "more assets": pictures,
        "asset": chairs[0],
        "imodel": bridges[0],
        "picture": pictures[0],
        "posters": chairs[:3].posters(64, progress=False),
        "posters of imodels": bridges[:3].posters(size="large", progress=False),
        "previews": pictures.posters(64, progress=False),
        "table": chairs.to_pandas(progress=False),
        "table of pictures": pictures.to_pandas(progress=False),
        "workspaces": vntana.workspaces(),
        "download": scenario.download(pictures[0]),
        "downloads": scenario.download_many(pictures[:2], progress=False),
    }
    for name, batch in {name: thing for name, thing in things.items() if isinstance(thing, ia.ImageBatch)}.items():
        batch.contact_sheet().save(folder / f"{name}.png")
        batch.save(folder / name)
    things["table"].to_csv(folder / "table.csv")
    things["table of pictures"].to_json(folder / "table.json", default_handler=str)
    small = ia.Turntable(frames=4, fps=4, width=64, height=64)
    job = vntana.render(chairs[:1], width=64, height=48, turntable=small, poll=0.05).wait(60, progress=False)
    turntable = job.turntables()[0]
    turntable.save_mp4(folder / "turns.mp4")
    archive = scenario.archive(pictures, poll=0.02).wait(20, progress=False)
    archive.save(folder / "archive.zip", progress=False)
    archive.extract(folder / "extracted", progress=False)
    with vntana.webhooks.receive(url="http://127.0.0.1:9/hook") as receiver:
        made = vntana.webhooks.list()
        things |= {"receiver": receiver, "webhooks": made, "webhook": receiver.webhook}
        receiver.rotate_secret()
        witness.thing("webhook with a new secret", receiver.webhook)
    things |= {"job": job, "turntable": turntable, "archive": archive, "stills": job.stills(progress=False)}

    explorer = ia.Explorer(vntana, scenario, itwin)
    wrong = ia.Explorer(ia.ITwin(token=f"{MARK}.wrong", base_url=itwin.base_url))
    panel, box = ia.RenderPanel(explorer), ia.ArchivePanel(pictures, scenario)
    monitor = ia.JobMonitor(job, archive)
    for service in ("vntana", "scenario", "itwin"):
        press(explorer, "search", query=query(service, ""))
        generation = explorer._result["generation"]
        press(explorer, "hello")
        press(explorer, "tiles", generation=generation, ranges=[[0, 9]], edge=192)
        press(explorer, "detail", generation=generation, index=1, edge=512)
        press(explorer, "frames", generation=generation, index=0, edge=128)
        press(explorer, "select", generation=generation, ranges=[[1, 2]])
    press(wrong, "search", query=query("itwin", "x"))
    for number, _ in enumerate((job, archive), 1):
        for op, fields in {
            "rows": {},
            "files": {"index": 0, "edge": 256},
            "film": {"index": 0, "media": "mp4"},
        }.items():
            press(monitor, op, job=str(number), **fields)
    grid, compare = ia.ImageGrid(job.stills(progress=False).images), ia.Compare(*job.stills(progress=False).images[:2])
    shown = {"explorer": explorer, "wrong": wrong, "panel": panel, "box": box, "monitor": monitor, "player": turntable}
    shown |= {"grid": grid, "compare": compare}
    for name, thing in {**things, **shown}.items():
        witness.thing(name, thing)
    for thing in (explorer, job, archive, monitor):
        witness.write("HTML snapshots", type(thing).__name__, HTML(thing.snapshot()._repr_html_()).data)
    pages = folder.with_name("HTML pages")
    pages.mkdir()
    explorer.to_html(pages / "explorer.html", limit=10, progress=False)
    pictures.to_html(pages / "pictures.html", progress=False)
    grid.to_html(pages / "grid.html")
    _board(witness, vntana, itwin)
    for client in (vntana, itwin, scenario, with_password, with_token, public):
        client.close()
        witness.thing("closed client", client)
    witness.thing("cache", ia.cache)
    witness.thing("a secret itself", Secret(f"{MARK}-bare"))


def _board(witness: Witness, vntana: ia.Vntana, itwin: ia.ITwin) -> None:
    """What workers of this machine share, which is gone at the end."""
    folder = Path(board.open_board())
    vntana.logout()
    itwin.core._authorizer._token.forget()
    assert vntana.search("chair")[0]
    assert itwin.search("bridge")[0]
    files = list(folder.iterdir())
    assert len(files) >= 2, "the tokens did not come to the board"
    look_at_board(witness)


def go_by_proxy(witness: Witness, sandbox: Sandbox) -> None:
    with by_proxy(), sandbox.vntana() as vntana, sandbox.itwin() as itwin, sandbox.scenario() as scenario:
        picture = scenario.search(kind="image")[0]
        witness.thing("poster by a proxy", vntana.search("chair")[0].poster(width=64))
        witness.thing("thumbnail by a proxy", itwin.search("bridge")[0].poster())
        witness.thing("download by a proxy", scenario.download(picture).content)
        sandbox.faults.add("iModels|imodels", status=400, headers={"x-said": MARK}, count=None)
        try:
            itwin.search("tower")[0]
        except ia.AssetServiceError as error:
            witness.error("by a proxy", ours(error))
        sandbox.faults.clear()


def go_astray(witness: Witness, sandbox: Sandbox, folder: Path) -> None:
    """A bug in our own depths, with an answer of the service in hand."""

    def bug(self: Any, answer: Any) -> bool:
        headers, said = dict(answer.headers), answer.content
        return bool(headers and said) and {}["bug"]

    with sandbox.vntana() as vntana, sandbox.itwin() as itwin, sandbox.scenario() as scenario:
        doing = works(folder, vntana, itwin, scenario, sandbox.vntana_public())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(HttpClient, "_good", bug)
            for name in ("vntana search", "itwin search", "scenario search", "scenario glb", "vntana logout"):
                ia.cache.clear()
                try:
                    doing[name]()
                except KeyError as error:
                    witness.error(f"{name}, with a bug", ours(error))


def removed(witness: Witness, event: str, arguments: tuple[Any, ...]) -> None:
    """Files that are removed again are seen before they go; those without a name are not."""
    if event == "os.remove" and len(arguments) == 2:
        path, folder = arguments
        if isinstance(folder, int) and folder >= 0:
            path = f"/proc/self/fd/{folder}/{os.fsdecode(path)}"
        with contextlib.suppress(OSError):
            witness.write("files that were removed again", os.fsdecode(path), Path(os.fsdecode(path)).read_bytes())


def main() -> None:
    folder = Path(sys.argv[1])
    said = folder / "said"
    witness = SpokenComm.witness = Witness(said, all="--whole" in sys.argv)
    logging.basicConfig(level=logging.DEBUG, handlers=[logging.StreamHandler(), _log_file(said)])
    logging.captureWarnings(capture=True)
    warnings.simplefilter("always")
    comm.create_comm = SpokenComm
    sys.addaudithook(partial(removed, witness))
    loop.loop().slow_callback_duration = 0.02  # what takes longer is logged in asyncio's debug mode
    work = folder / "files people save"
    work.mkdir()
    counts = leaked(witness, work) if "--leak" in sys.argv else _done(witness, work, whole="--whole" in sys.argv)
    ia.cache.flush()
    shutil.copy("/proc/self/cmdline", said / "command line")
    print(json.dumps({**counts, "refused to be pickled or copied": witness.refusals}))


def _done(witness: Witness, work: Path, *, whole: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    asked = wire.Connection.ask

    async def counted(self: Any, request: Secret, **how: Any) -> Any:
        counts["requests with a secret" if MARK in request.reveal() else "requests without"] += 1
        return await asked(self, request, **how)

    wire.Connection.ask = counted
    with planted() as sandbox:
        sandbox.settings.render_quality, sandbox.settings.archive_polls = "draft", 0
        os.environ.update(sandbox.environment())
        counts += go_wrong(witness, sandbox, work, whole=whole)
        sandbox.reset()
        go_by_proxy(witness, sandbox)
        go_astray(witness, sandbox, work)
        ia.cache.clear()
        go_well(witness, work, sandbox)
        dump(witness)
        signed = json.dumps(sandbox.scenario().search(limit=3)[0].raw, default=dict)
        assert MARK in signed, "no signed URL holds the mark"
    return counts


def _log_file(said: Path) -> logging.Handler:
    said.mkdir(parents=True)
    handler = logging.FileHandler(said / "log")
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s %(args)r"))
    return handler


if __name__ == "__main__":
    main()
