"""The sandbox itself: one loopback port, one prefix for each emulated API, served from a thread."""

from __future__ import annotations

import atexit
import dataclasses
import ipaddress
import operator
import os
import socket
import threading
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ipyassets.sandbox.background import Background
from ipyassets.sandbox.faults import App, Faults
from ipyassets.sandbox.world import Settings, World

if TYPE_CHECKING:
    from ipyassets.clients.itwin import ITwin
    from ipyassets.clients.scenario import Scenario
    from ipyassets.clients.vntana import Vntana
    from ipyassets.clients.vntana_public import VntanaPublic
    from ipyassets.sandbox.runner import Runner

__all__ = ["Sandbox", "serve"]

START_TIMEOUT = 30.0
STOP_TIMEOUT = 10.0

_running: weakref.WeakSet[Sandbox] = weakref.WeakSet()


class Sandbox:
    """VNTANA, iTwin and Scenario on this machine, with real models and no account.

    >>> with Sandbox() as sandbox:  # doctest: +SKIP
    ...     sandbox.vntana().search("chair")

    Parameters
    ----------
    assets
        Grow every catalogue to this many assets, for trials of scale. The natural catalogue is the least.
    port
        TCP port; 0 takes a free one.
    host
        A loopback address or ``localhost``; nothing else is accepted.
    settings
        What the services' documents leave open, and lifetimes; see `Settings`. ``sandbox.settings`` is a copy.
    seed
        Of the chance in ``sandbox.faults``.

    It stops with its ``with`` block, with `stop`, or with the interpreter.
    """

    def __init__(
        self,
        assets: int | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        settings: Settings | None = None,
        *,
        seed: int = 0,
    ) -> None:
        self._host = _loopback(host)
        self._port = _whole("port", port, 65535)
        self.settings = dataclasses.replace(settings or Settings())
        wanted = self.settings.assets if assets is None else assets
        self.settings.assets = None if wanted is None else _whole("assets", wanted)
        self.world = World(self.settings)
        self.faults = Faults(seed)
        try:
            from ipyassets.sandbox.itwin import ITwinApi
            from ipyassets.sandbox.runner import application
            from ipyassets.sandbox.scenario import ScenarioApi
            from ipyassets.sandbox.vntana import VntanaApi
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] == "ipyassets":
                raise
            raise ImportError(
                f'the sandbox needs {error.name}, which is not installed: pip install "ipyassets[sandbox]"',
                name=error.name,
            ) from error
        self.vntana_api = VntanaApi(self.world)
        self.webhooks = self.vntana_api.webhooks
        self.renders = self.vntana_api.renders
        self.itwin_api = ITwinApi(self.world)
        self.scenario_api = ScenarioApi(self.world)
        self.archives = self.scenario_api.archives
        self._application: App = application(
            {
                "/vntana/admin": self.vntana_api.admin_routes(),
                "/vntana/public": self.vntana_api.public_routes(),
                "/vntana/storage": self.vntana_api.storage_routes(),
                "/itwin": self.itwin_api.routes(),
                "/scenario/v1": self.scenario_api.api_routes(),
                "/scenario/cdn": self.scenario_api.cdn_routes(),
                "/thumbnails": self.scenario_api.thumbnail_routes(),
            },
            self.faults,
            self._latency,
            hosts=[self._host, "localhost"],
        )
        self._runner: Runner | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Sandbox {self.world.origin}>" if self.running else "<Sandbox, not running>"

    def _latency(self) -> float:
        return self.settings.latency + self.settings.jitter * self.faults.chance()

    @property
    def running(self) -> bool:
        return self._runner is not None

    @property
    def origin(self) -> str:
        """``http://127.0.0.1:PORT``. `RuntimeError` while the sandbox is not running."""
        if not self.running:
            raise RuntimeError("the sandbox is not running: call start(), or use it in a with block")
        return self.world.origin

    def start(self) -> Self:
        """Serve until `stop`; nothing happens if it runs already. Raises `OSError` if the port is taken."""
        from ipyassets.sandbox.runner import Runner

        with self._lock:
            if self._runner is None:
                listener = socket.create_server((self._host, self._port))
                runner = Runner(self._application, listener, self.world.background)
                self.world.origin = f"http://{self._host}:{listener.getsockname()[1]}"
                self.renders.start()
                runner.start(START_TIMEOUT)
                self._runner = runner
                _running.add(self)
        return self

    def stop(self) -> None:
        """Close every connection and the port. Safe to call twice."""
        with self._lock:
            runner, self._runner = self._runner, None
            _running.discard(self)
        # What goes on between requests would take the end of the renderer for a failure, and send word of it.
        self.world.background.close()
        # Then the jobs: whoever waits for a file gets an answer, and the server need not wait for it.
        self.renders.stop()
        if runner is not None:
            runner.stop(STOP_TIMEOUT)
        self.scenario_api.close()

    def reset(self) -> None:
        """End every fault, make products and webhooks as they were at first, forget archives.

        Tokens and `settings` stay.
        """
        self.faults.clear()
        self.archives.reset()
        self.vntana_api.reset()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _forget(self) -> None:
        """In a forked child: the thread is not here, and the port belongs to the parent."""
        self._lock = threading.Lock()
        runner, self._runner = self._runner, None
        self.renders.forget()
        if runner is not None:
            runner.listener.close()
            self.world.background = Background()

    def convert(self, product: str, *, fails: bool = False) -> Future[str]:
        """Let VNTANA convert the file of ``product`` (its uuid); gives its ``conversionStatus`` when that is final.

        Through PENDING and CONVERTING to COMPLETED, with a new poster under a new id, and a webhook at each step; to
        FAILED if the model is broken or, on demand, if it ``fails``. Takes ``settings.vntana_conversion_time``.
        `LookupError`: no such product. `ValueError`: it has no 3D file, or is being worked on.
        """
        return self.vntana_api.conversions.convert(product, fails=fails)

    def connection_info(self) -> dict[str, dict[str, str]]:
        """Addresses and credentials of the three services, as ``ipyassets sandbox`` prints them."""
        origin = self.origin
        vntana, itwin, scenario = self.vntana_api, self.itwin_api, self.scenario_api
        return {
            "vntana": {
                "admin_url": f"{origin}/vntana/admin",
                "public_url": f"{origin}/vntana/public",
                "email": vntana.owner.email,
                "password": vntana.owner.password,
                "personal_access_token": vntana.owner.personal_access_token,
                "organization_uuid": vntana.organization.uuid,
                "organization_slug": vntana.organization.slug,
                "workspace_uuid": vntana.workspace.uuid,
                "workspace_slug": vntana.workspace.slug,
            },
            "itwin": {
                "base_url": f"{origin}/itwin",
                "token": itwin.token,
                "client_id": itwin.client_id,
                "client_secret": itwin.client_secret,
                "token_url": f"{origin}/itwin/connect/token",
                "itwin_id": itwin.itwin_id,
            },
            "scenario": {
                "base_url": f"{origin}/scenario/v1",
                "api_key": scenario.api_key,
                "api_secret": scenario.api_secret,
            },
        }

    def environment(self) -> dict[str, str]:
        """Environment variables by which clients in another process find this sandbox."""
        info = self.connection_info()
        vntana, itwin, scenario = info["vntana"], info["itwin"], info["scenario"]
        return {
            "VNTANA_PERSONAL_ACCESS_TOKEN": vntana["personal_access_token"],
            # Slugs serve both APIs: the Public one knows no uuids.
            "VNTANA_ORGANIZATION": vntana["organization_slug"],
            "VNTANA_WORKSPACE": vntana["workspace_slug"],
            "VNTANA_ADMIN_URL": vntana["admin_url"],
            "VNTANA_PUBLIC_URL": vntana["public_url"],
            "ITWIN_CLIENT_ID": itwin["client_id"],
            "ITWIN_CLIENT_SECRET": itwin["client_secret"],
            "ITWIN_TOKEN_URL": itwin["token_url"],
            "ITWIN_ID": itwin["itwin_id"],
            "ITWIN_BASE_URL": itwin["base_url"],
            "SCENARIO_SDK_API_KEY": scenario["api_key"],
            "SCENARIO_SDK_API_SECRET": scenario["api_secret"],
            "SCENARIO_BASE_URL": scenario["base_url"],
        }

    def vntana(self, **arguments: Any) -> Vntana:
        """A `Vntana` client in the main workspace; ``arguments`` go before the sandbox's own."""
        from ipyassets.clients.vntana import Vntana

        info = self.connection_info()["vntana"]
        own = {
            "personal_access_token": info["personal_access_token"],
            "organization": info["organization_uuid"],
            "workspace": info["workspace_uuid"],
            "base_url": info["admin_url"],
        }
        return Vntana(**_over(own, arguments, credentials=("personal_access_token", "email", "password")))

    def vntana_public(self, **arguments: Any) -> VntanaPublic:
        """A `VntanaPublic` client of the main workspace."""
        from ipyassets.clients.vntana_public import VntanaPublic

        info = self.connection_info()["vntana"]
        own = {
            "organization": info["organization_slug"],
            "workspace": info["workspace_slug"],
            "base_url": info["public_url"],
        }
        return VntanaPublic(**_over(own, arguments))

    def itwin(self, **arguments: Any) -> ITwin:
        """An `ITwin` client of the main iTwin."""
        from ipyassets.clients.itwin import ITwin

        info = self.connection_info()["itwin"]
        own = {
            "client_id": info["client_id"],
            "client_secret": info["client_secret"],
            "token_url": info["token_url"],
            "itwin": info["itwin_id"],
            "base_url": info["base_url"],
        }
        return ITwin(**_over(own, arguments, credentials=("token", "client_id", "client_secret")))

    def scenario(self, **arguments: Any) -> Scenario:
        """A `Scenario` client."""
        from ipyassets.clients.scenario import Scenario

        own = self.connection_info()["scenario"]
        return Scenario(**_over(own, arguments, credentials=("api_key", "api_secret")))


def _over(own: Mapping[str, Any], given: Mapping[str, Any], credentials: tuple[str, ...] = ()) -> dict[str, Any]:
    """``given`` over ``own``; credentials are replaced as a whole, never mixed."""
    if any(name in given for name in credentials):
        own = {name: value for name, value in own.items() if name not in credentials}
    return {**own, **given}


def _whole(name: str, value: Any, most: int | None = None) -> int:
    allowed = f"{name} must be a whole number, " + ("0 or more" if most is None else f"0 to {most}")
    try:
        number = None if isinstance(value, bool) else operator.index(value)  # NumPy's integers too
    except TypeError:
        number = None
    if number is None:
        raise TypeError(f"{allowed}; got {value!r:.80}")
    if number < 0 or (most is not None and number > most):
        raise ValueError(f"{allowed}; got {number}")
    return number


def _loopback(host: str) -> str:
    if host == "localhost":
        return "127.0.0.1"
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise ValueError(f"the sandbox serves this machine alone: host must be a 127.x.x.x address, not {host!r}")
    return host


def serve(port: int = 0, assets: int | None = None, *, faults: Sequence[Mapping[str, Any]] = (), seed: int = 0) -> None:
    """Serve until SIGINT or SIGTERM; the first line on stdout is the JSON object of `Sandbox.connection_info`.

    ``faults``: arguments of `Faults.add`. Nothing else ever goes to stdout; logs go to stderr. For the main thread of
    a command.
    """
    from ipyassets.sandbox.command import run

    sandbox = Sandbox(assets=assets, port=port, seed=seed)
    for fault in faults:
        sandbox.faults.add(**fault)
    run(sandbox)


@atexit.register
def _stop_all() -> None:
    for sandbox in tuple(_running):
        sandbox.stop()


def _forget_all() -> None:
    for sandbox in tuple(_running):
        sandbox._forget()  # noqa: SLF001 - the class and its fork handler are one thing
    _running.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
