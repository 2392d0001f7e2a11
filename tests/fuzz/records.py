"""What services answer: records, pages' marks, refusals.

An input is the body of an answer. Must raise `BadResponse` and nothing else, lose nothing of the object, and make
nothing of the wrong type.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from ipyassets.errors import AssetServiceError, BadResponse
from ipyassets.http import messages
from ipyassets.http.messages import Answer, Explanation, parsed
from ipyassets.services import packed
from ipyassets.services.base import Record
from ipyassets.services.downloading import ArchiveOrder
from ipyassets.services.itwin import errors as itwin_errors
from ipyassets.services.itwin import records as itwin
from ipyassets.services.itwin.search import next_link
from ipyassets.services.scenario import errors as scenario_errors
from ipyassets.services.scenario import records as scenario
from ipyassets.services.scenario import renditions
from ipyassets.services.scenario.formats import allowed, ending, media_type
from ipyassets.services.scenario.members import member_of
from ipyassets.services.scenario.search import next_token
from ipyassets.services.scenario.templates import member_names
from ipyassets.services.vntana import errors as vntana_errors
from ipyassets.services.vntana import records as vntana
from ipyassets.services.vntana.attachments import render_files
from ipyassets.services.vntana.standings import stages
from ipyassets.services.wire import error_body, listed
from tests.fuzz.mutations import json_changed

INSTRUMENTED: Final = ["ipyassets", "json"]
_NAMES: Final = """
    id uuid name status created updated tags attributes key value asset thumbnailBlobId clientUuid assetType models
    conversionFormats assetOriginalName displayName state createdDateTime description extent metadata prompt seed
    modelId kind mimeType properties width height size format url thumbnail assetId nextPaginationToken _links next
    href error errors code message details target success response reason retryAfter apiError infos LIVE 3d image
    image/png 2024-01-01T00:00:00Z inferenceId outputIndex automaticCaptioning blobId originalName
""".split()  # noqa: SIM905
WORDS: Final = [f'"{name}"'.encode() for name in _NAMES] + [
    b"1e999",
    b"-0",
    b"NaN",
    b"null",
    b"[[[[[[[[",
    b'{"":',
    b"\\ud800",
    b"\\u0000",
]
CHANGE: Final = json_changed(WORDS)
KINDS: Final = {"3d", "image", "video", "audio", "document", "text", "imodel", "other"}
HOME: Final = "https://api.example.org/v1"


def check(data: bytes) -> None:
    for status in (200, 400, 401, 403, 404, 429, 500, 503):
        _refused(Answer(status, {"retry-after": data[:40].decode("latin-1")}, data, "GET /x"))
    _by_both(data)
    answer = Answer(200, {"content-type": "application/json"}, data, "GET /x")
    try:
        body = answer.json_object()
    except BadResponse:
        return
    entities = [body, *(value for value in body.values() if isinstance(value, dict))]
    for read, name in ((vntana.product, "vntana"), (itwin.imodel, "itwin"), (scenario.asset, "scenario")):
        for entity in entities:
            record = _made(read, entity)
            if record is not None:
                _sound(record, entity, name)
    for read in (vntana.workspace, vntana.organization, itwin.workspace, scenario.collection, scenario.tag):
        _made(read, body)
    for name in ("assets", "hits", "iModels"):
        _raises(lambda name=name: listed(body, name, answer))
    _marks(body, answer)
    stages(body)
    for file in render_files(entities, "asset", None):
        assert file.asset == "asset"
        assert isinstance(file.media, str)
    assert repr(body) == repr(parsed(data)), "reading changed what was read"


def _by_both(data: bytes) -> None:
    """The quick reader of JSON, which long answers get, gives what Python's own gives, or leaves it to that one."""
    quick = messages._quick()
    if quick is None:
        return
    try:
        made = quick(data)
    except Exception:  # noqa: BLE001  # as `messages.parsed` has it
        return
    assert repr(made) == repr(json.loads(data)), "two readers of JSON, and two values"


def _refused(answer: Answer) -> None:
    for explain in (vntana_errors.explain, itwin_errors.explain, scenario_errors.explain, scenario_errors.explain_file):
        said = explain(answer)
        assert isinstance(said, Explanation)
        assert said.code is None or isinstance(said.code, str)
        assert said.message is None or (isinstance(said.message, str) and len(said.message) < 2000)
        assert said.retry_after is None or said.retry_after >= 0
        assert said.error is None or issubclass(said.error, AssetServiceError)
        repr(said.details)
    vntana_errors.codes(answer)
    vntana_errors.declined(answer)
    vntana_errors.token_is_stale(answer)
    _raises(lambda: vntana_errors.response(answer))
    assert isinstance(error_body(answer), Mapping)


def _raises(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except BadResponse:
        return None


def _made(read: Callable[[Mapping[str, Any]], Any], entity: Mapping[str, Any]) -> Any:
    return _raises(lambda: read(entity))


def _sound(record: Record, entity: Mapping[str, Any], service: str) -> None:
    assert (record.service, record.id) == (service, entity["uuid" if service == "vntana" else "id"])
    assert record.name
    assert record.kind in KINDS
    assert record.status is None or isinstance(record.status, str)
    for moment in (record.created, record.updated):
        assert moment is None or moment.utcoffset() == timedelta(0)
    assert all(isinstance(tag, str) for tag in record.tags)
    assert repr(dict(record.raw)) == repr(entity), "something is lost in raw"
    assert pickle.loads(pickle.dumps(record.id)) == record.id
    if service == "vntana":
        assert vntana.blob(record) is None or isinstance(vntana.blob(record), str)
        assert vntana.poster_ids(record)["clientUuid"] == vntana.client_uuid(record)
        kept, said = (repr(packed.look(raw, "asset", "thumbnailBlobId")) for raw in (record.raw, entity))
        assert kept == said  # as text: NaN is not itself
        vntana.described(record)
    if service == "scenario":
        _of_scenario(record)


def _of_scenario(record: Record) -> None:
    assert record.attributes.get("seed") != "None" or record.raw["metadata"]["seed"] == "None"
    for large in (False, True):
        for rendition in renditions.renditions(record, large=large):
            assert "Signature" not in repr(rendition)
    bare = renditions.unsigned(record)
    links = [renditions.part(bare, name).get("url") for name in ("thumbnail", "preview", "firstFrame")]
    links.append(bare.get("url"))
    assert not any("?" in link for link in links if link), "an address with its signature travels"
    assert isinstance(allowed(record), str)
    ending(media_type(record))
    member_of(record.id, {record.id: record})
    (made,) = member_names([record], ArchiveOrder((record.id,), template="<prompt>-<num>-<id>", flat=True))
    assert len(made) <= 128
    assert "/" not in made


def _marks(body: dict[str, Any], answer: Answer) -> None:
    for cursor in (None, "x"):
        token = next_token(body, cursor)
        assert token is None or (token and token != cursor)
    link = _raises(lambda: next_link(body, answer, HOME))
    assert link is None or link.lower().startswith("https://api.example.org"), "a token would go elsewhere"


def seeds() -> Iterator[tuple[str, bytes]]:
    product = {
        "uuid": "1f", "name": "Chair", "status": "LIVE", "created": "2024-01-01T00:00:00.000Z", "clientUuid": "2a",
        "tags": [{"name": "oak"}, "ash"], "attributes": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}],
        "assetType": "THREE_D", "asset": {"thumbnailBlobId": "b", "conversionFormats": ["GLB"], "models": []},
    }  # fmt: skip
    asset = {
        "id": "asset_1", "kind": "image", "mimeType": "image/png", "createdAt": "2024-01-01T00:00:00Z", "tags": ["a"],
        "url": "https://cdn.example/a.png?Signature=s", "thumbnail": {"url": "https://cdn.example/t.webp?Signature=s"},
        "metadata": {"prompt": "A cat, dancing", "seed": "4711", "kind": "image", "inferenceId": "inf_1"},
        "properties": {"width": 64, "height": 48, "size": 1000}, "outputIndex": 1, "description": "The cat",
    }  # fmt: skip
    model = {
        "id": "m1", "displayName": "Bridge", "name": "bridge", "state": "initialized", "extent": None,
        "createdDateTime": "2024-01-01T00:00:00.0000000Z", "description": "d", "isSecured": False,
    }  # fmt: skip
    for name, entity in (("product", product), ("asset", asset), ("imodel", model)):
        yield name, json.dumps(entity).encode()
    yield (
        "products",
        json.dumps({"success": True, "errors": [], "response": {"grid": [product], "totalCount": 1}}).encode(),
    )
    yield "assets", json.dumps({"assets": [asset], "nextPaginationToken": "t"}).encode()
    yield "imodels", json.dumps({"iModels": [model], "_links": {"next": {"href": f"{HOME}/imodels?x"}}}).encode()
    for n, href in enumerate(["https://elsewhere.example/v1", "https://api.example.org@x/", "//x", "https://[", 5]):
        yield f"link-{n}", json.dumps({"iModels": [], "_links": {"next": {"href": href}}}).encode()
    yield (
        "file",
        json.dumps(
            {"uuid": "1", "blobId": "b", "originalName": "render-1.png", "created": "2024-01-01T00:00:00Z", "size": 1}
        ).encode(),
    )
    for n, refusal in enumerate(
        [
            {"success": False, "errors": ["PRODUCT_NOT_FOUND"], "response": None},
            {"success": False, "errors": {"1f": "INVALID_PRODUCT"}, "response": {"errors": {}}},
            {"error": {"code": "iModelNotFound", "message": "m", "details": [{"code": "c", "target": "t"}]}},
            {"error": "invalid_client", "error_description": "d"},
            {"statusCode": 429, "error": "Too Many", "apiError": {"code": 1, "reason": "r"}, "retryAfter": "7"},
            {"message": ["a", "b"], "details": {"retryAfter": 1e308}},
        ]
    ):
        yield f"refusal-{n}", json.dumps(refusal).encode()
    yield "nested", b'{"id": ' + b"[" * 3000
    yield "deep", b'{"id": "x", "uuid": "x", "y": ' + b"[" * 600 + b"]" * 600 + b"}"
    yield "long-number", b'{"id": "x", "metadata": {"seed": ' + b"9" * 4000 + b"}}"
    yield (
        "not-numbers",
        b'{"id": "x", "uuid": "y", "metadata": {"seed": NaN, "width": Infinity}, "outputIndex": -1e999}',
    )
    yield "half-a-pair", rb'{"id": "\ud800", "uuid": "\udfff", "metadata": {"prompt": "\ud800"}}'
    yield "web-page", b"<html>no</html>"
    yield "list", b"[]"
    yield "empty", b""
