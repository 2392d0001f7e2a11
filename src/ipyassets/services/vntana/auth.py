"""The ladder: log in, choose an organization, choose a workspace, each step with a token of its own.

A token of a lower rung opens nothing but the next one. Owners and administrators of an organization stop at its
token, which reaches all its workspaces; everybody else needs one of the workspace. Asking for a new token of the same
scope revokes the older one, so each is shared by all clients of the process with the same credentials.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ipyassets.errors import AssetServiceError, AuthenticationError, BadResponse, PermissionDenied
from ipyassets.http.client import HttpClient
from ipyassets.http.loop import LoopLock
from ipyassets.http.messages import Answer, Authorizer, Call
from ipyassets.http.secret import Secret, SecretHeaders
from ipyassets.http.tokens import SharedToken, sendable, shared_token
from ipyassets.services.base import Workspace
from ipyassets.services.vntana.choosing import chosen, matching
from ipyassets.services.vntana.errors import confirm, response, token_is_stale
from ipyassets.services.vntana.login import Login, TokenLogin
from ipyassets.services.vntana.records import Organization, organization, workspace
from ipyassets.services.wire import each_once, is_uuid, listed

__all__ = ["Ladder", "Reach", "Scope"]

HEADER: Final = "X-AUTH-TOKEN"
_PREFIX: Final = "bearer "
_REFUSED_FOR: Final = 5.0
"""Seconds a refused login is not tried again: a batch of posters must not lock the account."""

Obtain = Callable[[], Awaitable[Secret]]
Probe = Callable[[Mapping[str, str]], Awaitable[bool]]
"""Asks the service whether the token in these headers still opens anything."""


class Scope(Authorizer):
    """The token of one rung, and how to get another one."""

    def __init__(self, token: SharedToken, obtain: Obtain, opens: Probe) -> None:
        self.token = token
        self._obtain = obtain
        self._opens = opens

    async def headers(self) -> Mapping[str, str]:
        return bearer(await self.token.get(self._login))

    def refused(self, answer: Answer, sent: Mapping[str, str]) -> bool:
        if not token_is_stale(answer):
            return False
        self.token.forget(_bare(sent[HEADER]))
        return True

    async def overtaken(self, sent: Mapping[str, str]) -> bool:
        """Another process with the same credentials gets tokens too, and each ends ours; ours is then tried again."""
        return not await self._opens(sent)

    def learned(self, answer: Answer, sent: Mapping[str, str]) -> None:
        """Any answer may bring a newer token; it counts while the one we sent is still the current one."""
        newer, current = Secret(_bare(answer.headers.get(HEADER, ""))), self.token.peek()
        if sendable(newer) and current is not None and current.reveal() == _bare(sent[HEADER]):
            self.token.set(newer)

    async def alive(self) -> bool:
        """Whether the token is good, so that a refusal was not its fault. Raises what a new login raises."""
        return await self._opens(await self.headers())

    async def _login(self) -> tuple[Secret, float | None]:
        return await self._obtain(), None


class _Steadfast(Authorizer):
    """A scope whose token is not to blame for a 403: no new login follows one."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def headers(self) -> Mapping[str, str]:
        return await self._scope.headers()

    def refused(self, answer: Answer, sent: Mapping[str, str]) -> bool:
        return answer.status == 401 and self._scope.refused(answer, sent)

    async def overtaken(self, sent: Mapping[str, str]) -> bool:
        return await self._scope.overtaken(sent)

    def learned(self, answer: Answer, sent: Mapping[str, str]) -> None:
        self._scope.learned(answer, sent)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a search goes: the workspaces it covers, and the token that opens them."""

    organization: Organization
    workspaces: tuple[Workspace, ...]
    scope: Scope

    @property
    def many(self) -> bool:
        """Whether the search over several workspaces is open to this role."""
        return self.organization.administered is True


class Ladder:
    """One account: which organization and workspace it works in, and the tokens for them."""

    def __init__(
        self, http: HttpClient, base_url: str, login: Login, *, organization: str | None, workspace: str | None
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._login: Login = login
        self._organization_wanted = organization
        self._workspace_wanted = workspace
        self._organization: Organization | None = None
        self._places: tuple[Workspace, ...] | None = None
        self._choosing = LoopLock()
        self._listing = LoopLock()
        self._refusal: tuple[float, AuthenticationError] | None = None
        self._identity: tuple[str | Secret, ...] = ("vntana", base_url, *login.identity())
        self._session = Scope(shared_token(*self._identity), self._log_in, self._opens)
        self._scopes: dict[tuple[str, ...], Scope] = {}
        self._over = False

    # -- where to -------------------------------------------------------------------------------------------------

    async def organization(self) -> Organization:
        """The organization asked for, or the only one. Raises `InvalidRequest` naming those there are."""
        if self._organization is not None:
            return self._organization
        async with self._choosing:
            if self._organization is None:
                self._organization = await self._chosen_organization()
            return self._organization

    async def _chosen_organization(self) -> Organization:
        wanted = (self._organization_wanted or "").strip()
        call = Call(
            "GET", f"{self._base_url}/v1/organizations", authorize=self._session, what="the list of organizations"
        )
        async with _meanwhile(self._in_organization(wanted).headers() if _plain_uuid(wanted) else None):
            answer = await self._http.send(call)
        found = each_once(organization(row) for row in listed(response(answer), "grid", answer))
        return chosen(found, self._organization_wanted, "organization")

    async def workspaces(self, *, anew: bool = False) -> tuple[Workspace, ...]:
        """The workspaces this account can see, kept after the first time unless asked for ``anew``."""
        if self._places is not None and not anew:
            return self._places  # not behind somebody who asks anew
        place = await self.organization()
        async with self._listing:
            if self._places is None or anew:
                call = Call(
                    "GET",
                    f"{self._base_url}/v1/clients/client-organizations",
                    authorize=self._in_organization(place.id),
                    what="the list of workspaces",
                )
                answer = await self._http.send(call)
                rows = listed(response(answer), "grid", answer)
                self._places = tuple(each_once(workspace(row) for row in rows))
            return self._places

    async def reach(self, wanted: str | None = None) -> Reach:
        """The workspace asked for, else the client's own, else the only one, else all of them where the role may.

        Raises `InvalidRequest` naming the workspaces there are.
        """
        place = await self.organization()
        wanted = wanted or self._workspace_wanted
        found = await self.workspaces()
        if wanted and not matching(found, wanted):
            found = await self.workspaces(anew=True)  # it may have been made since
        if not wanted and len(found) > 1 and place.administered:
            return Reach(place, found, self._in_organization(place.id))
        one = chosen(found, wanted, "workspace")
        return Reach(place, (one,), self._in_workspace(place, one.id))

    @contextlib.asynccontextmanager
    async def reaching(self, wanted: str | None = None) -> AsyncIterator[Reach]:
        """What `reach` gives; a workspace called by its uuid is looked up beside what is done inside.

        Raises what `reach` raises, at the latest at the end.
        """
        uuid = wanted or self._workspace_wanted or ""
        if self._places is not None or not _plain_uuid(uuid):
            yield await self.reach(wanted)
            return
        place = await self.organization()
        checked = asyncio.create_task(self.reach(wanted))
        try:
            try:
                yield Reach(place, (Workspace(id=uuid, name=uuid),), self._in_workspace(place, uuid))
            except AssetServiceError:
                await checked  # "there is no such workspace" says more than how it was refused
                raise
            await checked
        finally:
            checked.cancel()
            await asyncio.gather(checked, return_exceptions=True)

    async def reaches(self, uuids: Iterable[str]) -> list[Reach]:
        """What it takes to search the workspaces of these uuids: one search where the role may, else one each."""
        place = await self.organization()
        spots = tuple(Workspace(id=uuid, name=uuid) for uuid in dict.fromkeys(uuids))
        if place.administered and spots:
            return [Reach(place, spots, self._in_organization(place.id))]
        return [Reach(place, (spot,), self._in_workspace(place, spot.id)) for spot in spots]

    async def scope(self, workspace: str | None = None) -> Scope:
        """The token that opens the workspace of this uuid (None: the client's own)."""
        place = await self.organization()
        if place.administered:
            return self._in_organization(place.id)
        if workspace is not None and is_uuid(workspace):
            return self._in_workspace(place, workspace)
        return (await self.reach(workspace)).scope

    async def workspace_uuid(self, workspace: str) -> str:
        """The uuid of a workspace called by uuid, slug or name; a uuid is not looked up."""
        return workspace if is_uuid(workspace) else (await self.reach(workspace)).workspaces[0].id

    @staticmethod
    def steadfast(scope: Scope) -> _Steadfast:
        """``scope`` for a request that the service may refuse whatever the token, such as the poster of a draft."""
        return _Steadfast(scope)

    # -- tokens ---------------------------------------------------------------------------------------------------

    async def log_out(self) -> None:
        """End the tokens of this account at the service and forget them; the next request logs in again.

        Other clients of this process with the same credentials share the tokens, and log in again as well. All are
        forgotten, also where the service cannot be told of one; that is raised once the others have ended.
        """
        failure: AssetServiceError | None = None
        for scope in [*reversed(self._scopes.values()), self._session]:
            token = scope.token.peek()
            if token is None:
                continue
            scope.token.forget(token)
            call = Call(
                "POST", f"{self._base_url}/v1/auth/logout", headers=bearer(token), authorize=False, repeatable=True
            )
            try:
                confirm(await self._http.send(call))
            except AuthenticationError:  # it had ended already
                continue
            except AssetServiceError as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def forget(self) -> None:
        """Let go of the credentials and of all tokens; other clients keep those they share."""
        self._over = True
        self._login, self._identity = TokenLogin(Secret("")), ("vntana", self._base_url)
        self._scopes.clear()
        self._session = Scope(SharedToken(), self._log_in, self._opens)
        self._organization = self._places = None

    def _in_organization(self, uuid: str) -> Scope:
        return self._rung((uuid.lower(),), lambda: self._refresh(self._session, {"organizationUuid": uuid}))

    def _in_workspace(self, place: Organization, uuid: str) -> Scope:
        parent = self._in_organization(place.id)
        if place.administered:
            return parent

        async def obtain() -> Secret:
            try:
                return await self._refresh(parent, {"organizationUuid": place.id, "clientUuid": uuid})
            except AuthenticationError as error:
                if place.administered is None and error.code == "BAD_CREDENTIALS":
                    # A role we do not know, and one that must skip this step: its organization token is enough.
                    return Secret(_bare((await parent.headers())[HEADER]))
                raise

        return self._rung((place.id.lower(), uuid.lower()), obtain)  # two tokens of one workspace would end each other

    def _rung(self, key: tuple[str, ...], obtain: Obtain) -> Scope:
        if self._over:  # what is still on its way keeps no token here
            return Scope(SharedToken(), obtain, self._opens)
        if key not in self._scopes:
            self._scopes[key] = Scope(shared_token(*self._identity, *key), obtain, self._opens)
        return self._scopes[key]

    async def _opens(self, sent: Mapping[str, str]) -> bool:
        """Whether the token in ``sent`` is alive: any token may list the organizations."""
        call = Call(
            "GET", f"{self._base_url}/v1/organizations", headers=sent, authorize=False, what="a look at the token"
        )
        try:
            await self._http.send(call)
        except (AuthenticationError, PermissionDenied):
            return False
        return True

    async def _log_in(self) -> Secret:
        if self._refusal is not None and time.monotonic() - self._refusal[0] < _REFUSED_FOR:
            raise copy.copy(self._refusal[1])
        call = Call(
            "POST",
            f"{self._base_url}{self._login.path}",
            json=self._login.body(),
            authorize=False,
            repeatable=True,
            what="the login",
        )
        try:
            answer = await self._http.send(call)
        except AuthenticationError as error:
            self._refusal = (time.monotonic(), error)
            raise
        return _token(answer)

    async def _refresh(self, parent: Scope, where: Mapping[str, str]) -> Secret:
        """Not an OAuth refresh: a token of a narrower scope, for one of the wider."""
        call = Call(
            "POST",
            f"{self._base_url}/v1/auth/refresh-token",
            headers=where,
            authorize=_ForAnother(parent),
            repeatable=True,
            what=f"a token for the {'workspace' if 'clientUuid' in where else 'organization'}",
        )
        return _token(await self._http.send(call))


class _ForAnother(_Steadfast):
    """A scope that asks for the token of another: the one that comes back is not its own."""

    def refused(self, answer: Answer, sent: Mapping[str, str]) -> bool:
        return self._scope.refused(answer, sent)

    def learned(self, answer: Answer, sent: Mapping[str, str]) -> None:
        del answer, sent


@contextlib.asynccontextmanager
async def _meanwhile(work: Coroutine[Any, Any, object] | None) -> AsyncIterator[None]:
    """Do ``work`` beside what is inside and wait for both. Its errors are left to whoever needs what it brings."""
    task = None if work is None else asyncio.create_task(work)
    try:
        yield
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _plain_uuid(text: str) -> bool:
    """Whether this is a uuid as the service writes it, and no slug or name."""
    return is_uuid(text) and text == text.lower()


def bearer(token: Secret) -> SecretHeaders:
    return SecretHeaders({HEADER: f"Bearer {token.reveal()}"})


def _bare(token: str) -> str:
    text = token.strip()
    return text[len(_PREFIX) :].strip() if text[: len(_PREFIX)].lower() == _PREFIX else text


def _token(answer: Answer) -> Secret:
    """The token an answer brings: in its header, as documented, or else in its body."""
    header = Secret(_bare(answer.headers.get(HEADER, "")))
    if sendable(header):
        return header
    try:
        found = response(answer)
    except AssetServiceError:
        found = {}
    session = found.get("session")
    for value in (found.get("token"), session.get("accessToken") if isinstance(session, Mapping) else None):
        if isinstance(value, str) and sendable(token := Secret(_bare(value))):
            return token
    raise BadResponse(f"{answer.asked} answered without a token in its {HEADER} header.", status=answer.status)
