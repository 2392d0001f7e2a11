"""Does all that leaves something behind, in a process of its own, and writes down all that can be seen of it.

``python -m tests.canaries.drive FOLDER``: each folder in ``FOLDER/said`` is one place where a secret could show. The
process's home, its temporary files and the cache are to be in FOLDER too; the caller searches every byte of it.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import random
import shutil
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import comm
from comm.base_comm import BaseComm

import ipyassets as ia
from ipyassets.http import board, wire
from ipyassets.http.client import HttpClient
from ipyassets.http.secret import Secret
from ipyassets.sandbox import Sandbox
from ipyassets.webhooks import WebhookReceiver
from tests.canaries.planted import MARK, planted
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


def press(widget: Any, op: str, **fields: Any) -> None:
    """What the browser says when a person does something, and the wait for what comes of it."""
    content = {"op": op, "request": f"{op}-{time.monotonic_ns()}", **fields}
    data = {"method": "custom", "content": content}
    widget.comm.handle_msg({"content": {"data": data, "comm_id": widget.comm.comm_id}, "buffers": []})
    for task in list(widget._tasks.values()):
        task.exception(30)


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


def troubles(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    """What a service may answer; some repeat the credentials."""
    info = sandbox.connection_info()
    sent = [info["vntana"]["personal_access_token"], info["itwin"]["client_id"], info["itwin"]["client_secret"]]
    said = f"refused: {' '.join([*sent, info['scenario']['api_key'], info['scenario']['api_secret']])}"
    row = {"url": f"https://files.example/a?Signature={MARK}", "uuid": 7, "status": {}}
    rows = {name: [row, 7] for name in ("assets", "hits", "iModels", "iTwins", "tags", "collections")}
    rows |= {"asset": row, "job": row, "iModel": row, "url": row["url"], "success": True}
    rows |= {"response": {**row, "grid": [row, 7], "location": row["url"]}}
    detail = {"code": said, "message": said, "target": said, "reason": said}
    echo = {
        "success": False,
        "errors": [said],
        "error": {**detail, "details": [detail]},
        "message": said,
        "reason": said,
    }
    away = f"http://localhost:9/x?Signature={MARK}"
    return {
        **{str(status): {"status": status} for status in (401, 403, 404, 410, 422, 500)},
        "429": {"status": 429, "headers": {"retry-after": "0"}},
        "page": {"kind": "html"},
        "reset": {"kind": "reset"},
        "cut": {"kind": "cut"},
        "nothing": {"kind": "wrong_content", "body": b""},
        "away": {"kind": "redirect", "location": away},
        "nowhere": {"kind": "redirect", "location": f"http://[bad/?Signature={MARK}"},
        **{f"{status} echoed": {"status": status, "body": echo} for status in (400, 401, 500)},
        "odd token": {
            "path": "connect/token|/auth/",
            "kind": "wrong_content",
            "headers": {"x-auth-token": ""},
            "body": {"access_token": f"{MARK} é", "token": 7},
        },
        "odd rows": {"kind": "wrong_content", "body": rows},
        "echoed page": {"status": 502, "headers": {"content-type": "text/html"}, "body": f"<h1>{said}</h1>"},
    }


def mistakes() -> Work:
    """Clients that cannot be made as they are asked for."""
    key = {"api_key": MARK, "api_secret": MARK}
    return {
        "odd token": partial(ia.ITwin, token=f"{MARK} é"),
        "token and address": partial(ia.ITwin, token=MARK, base_url="ftp://here"),
        "client and address": partial(ia.ITwin, client_id=MARK, client_secret=MARK, token_url="here"),
        "key and address": partial(ia.Vntana, MARK, base_url="here"),
        "password and address": partial(ia.Vntana, email=f"{MARK}@x.example", password=MARK, base_url="here"),
        "keys and address": partial(ia.Scenario, **key, base_url="here"),
        "odd key": partial(ia.Scenario, api_key=f"{MARK}:", api_secret=MARK),
        "keys and project": partial(ia.Scenario, **key, project_id=7),
        "receiver": partial(WebhookReceiver, MARK, path="here"),
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
    for file in files:
        witness.write("token board", file.name, file.read_bytes())


def main() -> None:
    folder = Path(sys.argv[1])
    whole = "--whole" in sys.argv
    said = folder / "said"
    witness = SpokenComm.witness = Witness(said, all=whole)
    logging.basicConfig(level=logging.DEBUG, handlers=[logging.StreamHandler(), _log_file(said)])
    logging.captureWarnings(capture=True)
    warnings.simplefilter("always")
    comm.create_comm = SpokenComm
    sent: Counter[str] = Counter()
    asked = wire.Connection.ask

    async def counted(self: Any, request: Secret, **how: Any) -> Any:
        sent["requests with a secret" if MARK in request.reveal() else "requests without"] += 1
        return await asked(self, request, **how)

    wire.Connection.ask = counted
    with planted() as sandbox:
        sandbox.settings.render_quality, sandbox.settings.archive_polls = "draft", 0
        os.environ.update(sandbox.environment())
        work = folder / "files people save"
        work.mkdir()
        go_well(witness, work, sandbox)
        outcomes = go_wrong(witness, sandbox, work, whole=whole)
        with (said / "crash dump").open("wb") as dump:
            faulthandler.dump_traceback(dump, all_threads=True)
        signed = json.dumps(sandbox.scenario().search(limit=3)[0].raw, default=dict)
        assert MARK in signed, "no signed URL holds the mark"
    ia.cache.flush()
    shutil.copy("/proc/self/cmdline", said / "command line")
    print(json.dumps({**sent, **outcomes, "refused to be pickled or copied": witness.refusals}))


def _log_file(said: Path) -> logging.Handler:
    said.mkdir(parents=True)
    handler = logging.FileHandler(said / "log")
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s %(args)r"))
    return handler


if __name__ == "__main__":
    main()
