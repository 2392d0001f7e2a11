"""Worker processes: of `concurrent.futures`, and of Dask; some of them are killed."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import ipyassets as ia
from tests.scale.functions import Dying, hide_token, show_token, stubborn, width_of


@pytest.fixture
def workers(sandbox: ia.Sandbox) -> dict[str, str]:
    """The environment of the workers."""
    return {**sandbox.environment(), "IPYASSETS_CACHE": "0"}


def test_a_pool_that_breaks_keeps_what_came_and_names_what_did_not(
    sandbox: ia.Sandbox, workers: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in workers.items():
        monkeypatch.setenv(name, value)
    spawn = multiprocessing.get_context("spawn")
    with sandbox.vntana() as client, ProcessPoolExecutor(1, spawn) as pool:
        assets = client.search(limit=30)
        errors = assets[:3].map_posters(stubborn, 64, executor=pool).failures
        assert [("Stubborn: this and that" in str(error)) for _, _, error in errors] == [True] * 3

        begin = time.monotonic()
        sandbox.faults.log.clear()
        whole = assets.map_posters(width_of, 64, executor=pool, partition_size=7, budget=ia.RateBudget(100))
        arrivals = sorted(seen.at - begin for seen in sandbox.faults.log)
        assert len(arrivals) >= 30
        assert all(arrival >= number / 100 for number, arrival in enumerate(arrivals))
        assert [result[0] for result in whole if result] == [asset.id for asset in assets]

        dying = Dying(assets[17].id, tmp_path / "mark", always=True)
        mapped = assets.map_posters(dying, 64, executor=pool, partition_size=5)
    lost = [index for index, _, error in mapped.failures if "its partition of 5 was lost" in str(error)]
    assert lost == list(range(15, 30))
    assert [result[0] for result in mapped[:15] if result] == [asset.id for asset in assets[:15]]


@pytest.fixture(scope="module")
def three_workers(shared_sandbox: ia.Sandbox) -> Iterator[Any]:
    """Three worker processes of Dask, with credentials in their environment."""
    from distributed import Client, LocalCluster

    environment = {**shared_sandbox.environment(), "IPYASSETS_CACHE": "0"}
    with (
        LocalCluster(
            n_workers=3, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", env=environment
        ) as there,
        Client(there) as client,
    ):
        yield client


@pytest.fixture
def cluster(three_workers: Any) -> Any:
    """The same, once all three are there: those that a test before killed are started anew."""
    three_workers.wait_for_workers(3, timeout=60)
    return three_workers


def test_a_worker_that_is_killed_midway_costs_nothing(sandbox: ia.Sandbox, cluster: Any, tmp_path: Path) -> None:
    with sandbox.vntana() as client:
        assets = client.search(limit=60)
        dying = Dying(assets[31].id, tmp_path / "mark")
        mapped = assets.map_posters(dying, 64, executor=cluster.get_executor(), partition_size=6)
        assert (tmp_path / "mark").exists()
        assert mapped.failures == []
        assert [result[0] for result in mapped if result] == [asset.id for asset in assets]
        assert len({result[2] for result in mapped if result}) > 1


def test_a_worker_that_is_killed_again_and_again_costs_its_own_partition(
    sandbox: ia.Sandbox, cluster: Any, tmp_path: Path
) -> None:
    with sandbox.itwin() as client:
        assets = client.search(limit=12)
        cluster.cluster.scheduler.allowed_failures, before = 0, cluster.cluster.scheduler.allowed_failures
        try:
            dying = Dying(assets[5].id, tmp_path / "mark", always=True)
            mapped = assets.map_posters(dying, 64, executor=cluster.get_executor(), partition_size=1)
        finally:
            cluster.cluster.scheduler.allowed_failures = before
    assert 5 in [index for index, _, error in mapped.failures if "KilledWorker" in str(error)]
    done = [result[0] for result in mapped if result]
    named = [asset.id for _, asset, _ in mapped.failures]
    assert Counter(done + named) == Counter(asset.id for asset in assets)


def test_a_bag_computed_while_a_worker_is_killed_has_every_asset_once(
    sandbox: ia.Sandbox, cluster: Any, tmp_path: Path
) -> None:
    with sandbox.scenario() as client:
        assets = client.search(limit=40, paging="page")
        dying = Dying(assets[21].id, tmp_path / "mark")

        def look(pair: tuple[ia.Asset, Any]) -> tuple[str, int | None]:
            asset, image = pair
            return asset.id, None if image is None else dying(asset, image)[1]

        found = assets.to_dask(64, partition_size=8).map(look).compute()
        assert (tmp_path / "mark").exists()
        assert [id for id, _ in found] == [asset.id for asset in assets]
        missing = [index for index, (_, width) in enumerate(found) if width is None]
        assert missing == [index for index, _, _ in assets.posters(64).failures]


def test_pairs_come_back_with_the_client_they_left(sandbox: ia.Sandbox, cluster: Any) -> None:
    """An asset from a worker asked for credentials here, where its client had been given them as arguments."""
    with sandbox.vntana() as client:
        pairs = client.search(limit=5).to_dask(64).compute()
        assert [image.width for _, image in pairs] == [64] * 5
        assert pairs[0][0].poster(32).width == 32


def test_workers_share_one_budget_and_one_login(sandbox: ia.Sandbox, cluster: Any) -> None:
    """Each worker got a token of its own, which ended the others': half of all requests were refused."""
    with sandbox.vntana() as client:
        sandbox.faults.log.clear()
        begin = time.monotonic()
        mapped = client.search(limit=60).map_posters(
            width_of, 64, executor=cluster.get_executor(), partition_size=5, budget=ia.RateBudget(100)
        )
    assert len({result[2] for result in mapped if result}) > 1
    arrivals = sorted(seen.at - begin for seen in sandbox.faults.log)
    assert len(arrivals) > 60
    assert all(arrival >= number / 100 for number, arrival in enumerate(arrivals))
    assert len(sandbox.faults.requests("/auth/refresh-token")) <= 1 + 3, "one of each process, however it comes"


def test_a_worker_without_credentials_says_which_it_needs(
    sandbox: ia.Sandbox, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every poster it would be None that came back, and nobody would know why."""
    with sandbox.vntana() as client:
        assets = client.search(limit=4)
        cluster.run(hide_token)
        try:
            with pytest.raises(ia.AuthenticationError, match="VNTANA_PERSONAL_ACCESS_TOKEN"):
                assets.to_dask(64).compute()
            failures = assets.map_posters(width_of, 64, executor=cluster.get_executor()).failures
        finally:
            cluster.run(show_token)
    assert [type(error) for _, _, error in failures] == [ia.AuthenticationError] * 4


def test_a_bag_of_nothing_is_empty(sandbox: ia.Sandbox, cluster: Any) -> None:
    with sandbox.vntana() as client:
        assert client.search("no such thing at all").to_dask().compute() == []
