"""`connect`: every service whose credentials are set, or the sandbox where none is.

Beside the command line the only place that knows both the clients and the sandbox.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final, Self

from ipyassets.errors import AssetServiceError, AuthenticationError, without_frames

if TYPE_CHECKING:
    from ipyassets.clients.base import BlockingClient
    from ipyassets.sandbox import Sandbox
    from ipyassets.widgets import Explorer

__all__ = ["Services", "connect"]

SANDBOX_ORIGIN: Final = "IPYASSETS_SANDBOX_ORIGIN"
"""Where ``ipyassets lab`` tells the notebooks that the credentials in their environment are its sandbox's."""
_OURS: Final = ("vntana", "vntana_public", "itwin", "scenario")


class Services(Mapping[str, "BlockingClient[Any]"]):
    """The connected services by name; also as attributes: ``services.vntana``.

    ``sandbox`` is the embedded sandbox they belong to, None for real services. ``failures`` names the services whose
    credentials are set but do not work, and those of other packages that cannot be loaded.
    """

    def __init__(
        self,
        clients: Mapping[str, BlockingClient[Any]],
        *,
        sandbox: Sandbox | None = None,
        failures: Mapping[str, AssetServiceError] | None = None,
    ) -> None:
        self._clients = dict(clients)
        self.sandbox = sandbox
        self.failures = dict(failures or {})

    @property
    def _sandboxed(self) -> bool:
        """Whether all of it is a sandbox, our own or that of ``ipyassets lab``: people are told, clients are not."""
        origin = os.getenv(SANDBOX_ORIGIN)
        theirs = bool(origin) and all(client.base_url.startswith(f"{origin}/") for client in self._clients.values())
        return self.sandbox is not None or theirs

    def __getitem__(self, name: str) -> BlockingClient[Any]:
        return self._clients[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._clients)

    def __len__(self) -> int:
        return len(self._clients)

    def __getattr__(self, name: str) -> BlockingClient[Any]:
        if not name.startswith("_") and name in self._clients:
            return self._clients[name]
        connected = ", ".join(self._clients) or "none"
        raise AttributeError(f"There is no connected service {name!r}; connected: {connected}.")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._clients]

    def __repr__(self) -> str:
        names = ", ".join(self._clients)
        where = "sandbox: " if self._sandboxed else ""
        failed = f"; not connected: {', '.join(self.failures)}" if self.failures else ""
        return f"<Services {where}{names}{failed}>"

    def environment(self) -> dict[str, str]:
        """Environment variables by which workers on this machine find the embedded sandbox; empty without one.

        Credentials of real accounts are not in it: workers have them in an environment or a keyring of their own.
        """
        return {} if self.sandbox is None else self.sandbox.environment()

    def explore(self, **options: Any) -> Explorer:
        """An `Explorer` over all connected services."""
        from ipyassets.widgets import Explorer

        if self._sandboxed:
            options.setdefault("banner", "Sandbox: example assets on this machine, no account needed")
        return Explorer(*self._clients.values(), **options)

    def close(self) -> None:
        """Close all clients, and the sandbox if there is one."""
        for client in self._clients.values():
            client.close()
        if self.sandbox is not None:
            self.sandbox.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def connect(*, sandbox: bool | None = None) -> Services:
    """Every service whose credentials are set in the environment or the keyring; asks nobody and logs nobody in yet.

    Where no variable of any service is set, the embedded sandbox is started and says so (``repr``, a banner in the
    Explorer). ``sandbox=True`` always starts it, ``sandbox=False`` never does. Raises `AuthenticationError` if then
    no service is left, naming the variables that would connect one.
    """
    kinds, failures = _kinds()
    if sandbox or (sandbox is None and not any(_mentioned(kind) for kind in kinds.values())):
        return _sandboxed(failures)
    clients: dict[str, BlockingClient[Any]] = {}
    for name, kind in kinds.items():
        if kind.instead_of in clients:
            continue
        try:
            client = kind.from_environment()
        except AssetServiceError as error:
            failures[name] = without_frames(error)
        except Exception as error:  # noqa: BLE001  # as for loading
            failures[name] = AssetServiceError(
                f"The service {name} cannot be connected ({type(error).__name__}: {error})."
            )
        else:
            if client is not None:
                clients[name] = client
    if not clients:
        ways = "; ".join(f"{name}: {' + '.join(names)}" for name, kind in kinds.items() for names in kind.needed)
        reasons = "".join(f" {name}: {error}" for name, error in failures.items())
        raise AuthenticationError(
            f"No asset service is connected. Set the credentials of one in the environment ({ways}), "
            f"or unset all of them to get the sandbox.{reasons}"
        )
    return Services(clients, failures=failures)


def _kinds() -> tuple[dict[str, type[BlockingClient[Any]]], dict[str, AssetServiceError]]:
    """The public client classes of all installed services, ours and others', and those that cannot be loaded."""
    from ipyassets.clients.base import BlockingClient

    points = {point.name: point for point in entry_points(group="ipyassets.services")}
    names = [name for name in _OURS if name in points] + sorted(set(points) - set(_OURS))
    kinds: dict[str, type[BlockingClient[Any]]] = {}
    failures: dict[str, AssetServiceError] = {}
    for name in names:
        try:
            kind = points[name].load()
            if not (isinstance(kind, type) and issubclass(kind, BlockingClient)):
                raise TypeError("its entry point names no class derived from ipyassets.clients.base.BlockingClient")
            kinds[name] = kind
        except Exception as error:  # noqa: BLE001  # somebody's broken plug-in must not cost the other services
            failures[name] = AssetServiceError(
                f"The service {name} cannot be loaded ({type(error).__name__}: {error})."
            )
    return kinds, failures


def _mentioned(kind: type[BlockingClient[Any]]) -> bool:
    return any(os.getenv(variable, "").strip() for variable in kind.variables)


_sandbox: Sandbox | None = None


def _sandboxed(failures: Mapping[str, AssetServiceError]) -> Services:
    from ipyassets.sandbox import Sandbox

    global _sandbox  # noqa: PLW0603  # running the cell again must not leave one more server behind each time
    if _sandbox is None or not _sandbox.running:
        _sandbox = Sandbox().start()
    clients: dict[str, BlockingClient[Any]] = {
        "vntana": _sandbox.vntana(),
        "itwin": _sandbox.itwin(),
        "scenario": _sandbox.scenario(),
    }
    return Services(clients, sandbox=_sandbox, failures=failures)
