"""What goes wrong: answers of services, and mistakes of people."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import ipyassets as ia
from ipyassets.sandbox import Sandbox
from ipyassets.webhooks import WebhookReceiver
from tests.canaries.planted import MARK

__all__ = ["SENT", "mistakes", "troubles"]


SENT: Final = {
    "vntana": ("personal_access_token",),
    "itwin": ("client_id", "client_secret"),
    "scenario": ("api_key", "api_secret"),
}
"""The credentials that each service is sent, and may repeat."""


def troubles(sandbox: Sandbox, *services: str) -> dict[str, dict[str, Any]]:
    """What ``services`` (all of them if none is named) may answer; some repeat the credentials."""
    info = sandbox.connection_info()
    said = f"refused: {' '.join(info[name][key] for name in services or SENT for key in SENT[name])}"
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


def mistakes() -> dict[str, Callable[[], Any]]:
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
