"""What the tests of renders share: an order, and what may be asked about its outcome."""

from __future__ import annotations

import io

from PIL import Image

from ipyassets.sandbox.vntana.accounts import SHOWROOM

from . import contract

TURNTABLE = {"includeGif": False, "imageCount": 4, "frameRate": 4, "width": 32, "height": 24}
NEVER_RENDERED = range(40, 60)
"""Numbers of products of the main workspace without earlier renders."""


def order(*products, turntable=None, **body):
    body = {
        "productUuids": list(products),
        "imageWidth": 40,
        "imageHeight": 30,
        "imageFormat": "PNG",
        "turntable": {**TURNTABLE, **(turntable or {})},
        **body,
    }
    return {name: value for name, value in body.items() if value is not None}


def place(caller, *products, **changes):
    body = order(*products, **changes)
    contract.check_request("admin", "POST", "/v1/products/renders", body)
    return caller.post("/v1/products/renders", json=body)


def attachments(caller, product):
    body = {"page": 0, "size": 100, "productUuid": product}
    return caller.post("/v1/attachments/search", json=body).json()["response"]["grid"]


def files(caller, product, kind, workspace=SHOWROOM):
    """Name to bytes."""
    return {
        entry["name"]: caller.get(
            f"/v1/comments/images/{entry['blobId']}", params={"clientUuid": workspace.uuid}
        ).content
        for entry in attachments(caller, product)
        if entry["entityType"] == kind
    }


def stills(caller, product, workspace=SHOWROOM):
    return [
        Image.open(io.BytesIO(content))
        for name, content in sorted(files(caller, product, "RENDER", workspace).items())
        if name.startswith("render-")
    ]


def actions(caller, product):
    """Statuses of the two render actions, from the action call; every other call must say the same."""
    path = f"/v1/products/{product}"
    entries = caller.get(f"{path}/conversion-action-types/status").json()["response"]["actionTypes"]
    told = {entry["actionType"]: entry["status"] for entry in entries}
    assert caller.get(path).json()["response"]["asset"]["conversionStatusDetails"] == told
    return tuple(told.get(f"GENERATE_{kind}", "").removeprefix("ACTION_") for kind in ("RENDERS", "TURNTABLE"))
