"""What every public client shares. Each service has two, an awaited one and one that blocks, over one core."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar

from ipyassets.arguments import whole
from ipyassets.collections.asset_list import AssetList, AsyncAssetList
from ipyassets.collections.assets import Asset, AsyncAsset
from ipyassets.collections.following import end_following
from ipyassets.collections.pages import RecordPages
from ipyassets.errors import AuthenticationError, InvalidRequest
from ipyassets.http import credentials, loop
from ipyassets.services.base import AssetService, Capabilities, Workspace
from ipyassets.services.wire import origin

__all__ = ["AsyncClient", "BlockingClient", "Client"]

S = TypeVar("S", bound=AssetService)
L = TypeVar("L", AssetList, AsyncAssetList)


class Client(Generic[S, L]):
    """A service behind its public face. ``core`` is the service itself: its coroutines run on the loop thread.

    Each service has one class derived from this that holds its arguments and its search, and two derived from that
    and from `BlockingClient` or `AsyncClient`.
    """

    core: S
    variables: ClassVar[tuple[str, ...]] = ()
    """Every environment variable that configures the service; `connect` looks at them."""
    needed: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Sets of variables, each of which is enough to connect without asking anybody."""
    instead_of: ClassVar[str | None] = None
    """The service that makes this one superfluous where both could be connected."""

    @classmethod
    def from_environment(cls) -> Self | None:
        """A client made of the environment and the keyring alone; None if they do not hold enough."""
        return cls() if cls._configured() else None

    @classmethod
    def from_reference(cls, settings: Mapping[str, str]) -> Self:
        """A client of ``settings`` (`AssetService.reference`) with the credentials that are set here; asks nobody.

        Raises `AuthenticationError`, naming the variables, if there are none.
        """
        if not cls._configured():
            ways = ", or ".join(" and ".join(names) for names in cls.needed)
            raise AuthenticationError(
                f"{cls.__name__}: this process (a worker?) has no credentials of its own. Set {ways} in its "
                "environment or its keyring; credentials never travel along with assets."
            )
        return cls(**settings)

    @classmethod
    def check_place(cls, settings: Mapping[str, str]) -> None:
        """Raises `InvalidRequest` where ``settings`` name another place than that of the credentials that are set here.

        Somebody else's file of assets would have them sent to whom it likes; a colleague's, to a sandbox that is gone
        and whose port has another owner by now.
        """
        usual, there = cls.from_environment(), settings.get("base_url")
        if usual is not None and there is not None and origin(there) != origin(usual.base_url):
            names = ", ".join(name for name in cls.variables if name.endswith("_URL"))
            raise InvalidRequest(
                f"The asset is one of {there}, and the credentials that are set here are for {usual.base_url}: they "
                f"are not sent there. If that place is the right one, set it too ({names or 'in its variables'})."
            )

    @classmethod
    def _configured(cls) -> bool:
        return any(all(credentials.secret(None, name) for name in names) for names in cls.needed)

    @property
    def base_url(self) -> str:
        """Where the service is."""
        return self.core.base_url

    @property
    def capabilities(self) -> Capabilities:
        """What the service can do: ``"render" in client.capabilities``."""
        return self.core.capabilities

    def __repr__(self) -> str:
        core = vars(self).get("core")  # tracebacks of a client that could not be made show it too
        return f"<{type(self).__name__} {core.title if core is not None else '(not made)'}>"

    def __reduce__(self) -> Any:
        raise TypeError("A client holds credentials and is not pickled; create it anew in the other process.")

    @abstractmethod
    def _search(self, text: str, limit: int | None, **keywords: Any) -> L:
        """The list of what ``core.search`` finds."""

    def _pages(self, text: str, limit: int | None, keywords: dict[str, Any]) -> RecordPages:
        if not isinstance(text, str):
            raise InvalidRequest(f"The search text must be a str, not {type(text).__name__}.")
        limit = None if limit is None else whole("limit", limit, none="for all")
        for name in ("workspace", "sort"):
            if not isinstance(keywords.get(name), str | None):
                raise InvalidRequest(f"{name} must be a str, not {type(keywords[name]).__name__}.")
        return RecordPages(self.core, self.core.search(text, **keywords), limit)

    async def _close(self) -> None:
        await end_following(
            self.core,
            InvalidRequest(f"The {self.core.title} client was closed, so its jobs are not followed any more."),
        )
        await self.core.close()

    def _label(self, text: str) -> str:
        return f"{self.core.title} {text!r}" if text else self.core.title


class BlockingClient(Client[S, AssetList]):
    """A client whose methods block until they are done."""

    def _search(self, text: str, limit: int | None, **keywords: Any) -> AssetList:
        return AssetList(self._pages(text, limit, keywords), self._label(text))

    def asset(self, id: str) -> Asset:
        """One asset by its id. Raises `NotFound` if there is none."""
        return Asset(loop.run(self.core.record(id)), self.core)

    def workspaces(self) -> list[Workspace]:
        """The places this account can search (workspaces, iTwins); empty where the service has none."""
        return list(loop.run(self.core.workspaces()))

    def close(self) -> None:
        """Close connections and forget the token. Safe to call twice; the client cannot be used afterwards."""
        loop.run(self._close())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(Client[S, AsyncAssetList]):
    """A client whose methods are awaited, on whatever loop; the work itself runs on the package's loop thread."""

    def _search(self, text: str, limit: int | None, **keywords: Any) -> AsyncAssetList:
        return AsyncAssetList(self._pages(text, limit, keywords), self._label(text))

    async def asset(self, id: str) -> AsyncAsset:
        """One asset by its id. Raises `NotFound` if there is none."""
        return AsyncAsset(await loop.awaiting(self.core.record(id)), self.core)

    async def workspaces(self) -> list[Workspace]:
        """The places this account can search (workspaces, iTwins); empty where the service has none."""
        return list(await loop.awaiting(self.core.workspaces()))

    async def close(self) -> None:
        """Close connections and forget the token. Safe to call twice; the client cannot be used afterwards."""
        await loop.awaiting(self._close())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
