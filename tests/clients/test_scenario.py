from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from ipyassets.clients.scenario import AsyncScenario, Scenario
from ipyassets.errors import AuthenticationError, InvalidRequest, NotFound
from ipyassets.http import credentials
from ipyassets.sandbox import Sandbox


@pytest.fixture
def scenario(sandbox: Sandbox) -> Iterator[Scenario]:
    with sandbox.scenario() as client:
        yield client


def test_listing_and_search(scenario: Scenario) -> None:
    everything = scenario.search()
    assert everything.total is None
    assert len(everything) >= 60
    chairs = scenario.search("chair")
    assert chairs.total == len(chairs)
    assert 0 < len(chairs) < len(everything)
    assert set(chairs) <= set(everything)
    assert len(scenario.search("chair", limit=3)) == 3


def test_random_access(scenario: Scenario) -> None:
    counted = scenario.search(paging="page", page_size=10)
    assert counted[40].id == list(counted)[40].id
    walked = scenario.search(paging="offset", page_size=10)
    assert walked.total is None
    assert {asset.id for asset in walked} == {asset.id for asset in counted}


def test_posters(scenario: Scenario) -> None:
    found = scenario.search(kind=["image", "audio"], limit=90)
    batch = found.posters(width=128)
    assert len(batch) == len(found)
    silent = [asset for asset in found if asset.kind == "audio"]
    assert silent
    assert [asset for _, asset, _ in batch.failures] == silent
    assert all(isinstance(error, NotFound) for _, _, error in batch.failures)
    image = scenario.search("chair", kind="image")[0]
    assert image.poster().size == (image.attributes["width"], image.attributes["height"])
    assert max(image.poster(100, 100).size) == 100
    assert image.poster_bytes(size="small")[:2] == b"\xff\xd8"


def test_one_asset(scenario: Scenario) -> None:
    hit = scenario.search("chair")[0]
    assert scenario.asset(hit.id) == hit
    assert scenario.asset(hit.id).status == "success"
    with pytest.raises(NotFound):
        scenario.asset("asset_nope")


def test_collections_and_tags(scenario: Scenario) -> None:
    seating = next(found for found in scenario.collections() if found.name == "Seating")
    assert len(scenario.search(collection=seating)) == seating.assets
    assert len(scenario.search(tags=scenario.tags()[0])) >= 1


def test_pandas(scenario: Scenario) -> None:
    pytest.importorskip("pandas")
    frame = scenario.search("chair").to_pandas()
    assert set(frame["service"]) == {"scenario"}
    assert str(frame["created"].dtype) == "datetime64[ns, UTC]"
    assert "Signature" not in frame.to_csv()


def test_keywords_are_checked_at_once(scenario: Scenario) -> None:
    with pytest.raises(InvalidRequest, match="1 to 100"):
        scenario.search("chair", page_size=500)
    with pytest.raises(InvalidRequest, match="project"):
        scenario.search(workspace="x")
    with pytest.raises(InvalidRequest, match="Did you mean 'tags'"):
        scenario.search(tag="x")  # type: ignore[call-arg]


async def test_awaited(sandbox: Sandbox) -> None:
    info = sandbox.connection_info()["scenario"]
    async with AsyncScenario(info["api_key"], info["api_secret"], base_url=info["base_url"]) as scenario:
        found = scenario.search("chair", kind="image")
        assert [asset.kind async for asset in found]
        first = (await found.page(0))[0]
        assert max((await first.poster(width=64)).size) >= 64
        assert (await scenario.asset(first.id)) == first
        assert await scenario.collections()
        assert await scenario.tags()
        assert await scenario.workspaces() == []


# -- where the credentials come from ----------------------------------------------------------------------------------


def test_from_the_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in sandbox.environment().items():
        if name.startswith("SCENARIO_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("SCENARIO_PROJECT_ID", sandbox.scenario_api.project_id)
    with Scenario() as scenario:
        assert scenario.base_url == f"{sandbox.origin}/scenario/v1"
        assert scenario.search("chair").total
    with Scenario("other", "keys") as scenario, pytest.raises(AuthenticationError):
        bool(scenario.search("chair"))


def test_defaults() -> None:
    with Scenario("key", "secret") as scenario:
        assert scenario.base_url == "https://api.cloud.scenario.com/v1"


@pytest.mark.parametrize("keys", [{}, {"api_key": "k"}, {"api_secret": "s"}])
def test_without_credentials(keys: dict[str, str]) -> None:
    with pytest.raises(AuthenticationError, match="SCENARIO_SDK_API_KEY"):
        Scenario(**keys)


def test_a_person_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(credentials, "person_at_prompt", lambda: True)
    monkeypatch.setattr(credentials.getpass, "getpass", lambda text: asked.append(text) or "typed")
    Scenario().close()
    Scenario("key").close()
    assert asked == ["Scenario API key: ", "Scenario API secret: ", "Scenario API secret: "]


def test_secrets_are_not_shown(sandbox: Sandbox, scenario: Scenario) -> None:
    info = sandbox.connection_info()["scenario"]
    found = scenario.search("chair")
    shown = f"{scenario!r} {found!r} {found[0]!r} {found[0].attributes!r} {found._repr_mimebundle_()!r}"
    assert info["api_secret"] not in shown
    assert "Signature" not in shown
    with pytest.raises(TypeError, match="credentials"):
        pickle.dumps(scenario)
