"""Who may ask a sandbox: programs of this machine, and no page of the web that a browser here happens to show."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse

from ipyassets.sandbox.faults import App, Message, Receive, Send

__all__ = ["guarded"]

_OWN = frozenset({"same-origin", "none"})
"""What browsers say of a request by a page of ours, or by the person at the address bar."""
_ANY_ORIGIN = "/v1/storage/download/clients/sign-url"
"""The call that demands an Origin, whichever, of programs too."""


def guarded(app: App, hosts: Sequence[str]) -> App:
    """``app``, for requests to one of ``hosts`` that no foreign page has sent.

    A page may point a name of its own at this address: its Host header gives it away. Or it may ask this address from
    where it is: then the browser says so.
    """
    return TrustedHostMiddleware(_NoForeignPages(app), allowed_hosts=list(hosts), www_redirect=False)


class _NoForeignPages:
    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _foreign(scope):
            refusal = PlainTextResponse("The sandbox answers no pages of the web.\n", status_code=403)
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _foreign(scope: Message) -> bool:
    headers: dict[bytes, str] = {name: value.decode("latin-1") for name, value in scope["headers"]}
    site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
    if site is not None:
        return site not in _OWN
    if origin is None or scope["path"].endswith(_ANY_ORIGIN):
        return False
    # With the port: browsers say no site when they ask for a WebSocket, which a page of another server here may do.
    return origin.lower() != f"http://{headers.get(b'host', '')}".lower()
