"""Both VNTANA APIs of one sandbox, and the accounts that open them."""

from __future__ import annotations

import asyncio

from starlette.routing import BaseRoute

from ipyassets.sandbox.library import OBJECT_SIZE
from ipyassets.sandbox.rendering import Stills
from ipyassets.sandbox.vntana.access import Access
from ipyassets.sandbox.vntana.accounts import NORTHLIGHT, SHOWROOM, Accounts
from ipyassets.sandbox.vntana.admin import AdminApi
from ipyassets.sandbox.vntana.attachments import AttachmentApi, Attachments
from ipyassets.sandbox.vntana.auth import AuthApi
from ipyassets.sandbox.vntana.bus import Bus
from ipyassets.sandbox.vntana.catalogue import Catalogue
from ipyassets.sandbox.vntana.changes import Changes
from ipyassets.sandbox.vntana.conversions import Conversions
from ipyassets.sandbox.vntana.deliveries import Deliveries
from ipyassets.sandbox.vntana.errors import nothing_else
from ipyassets.sandbox.vntana.ordering import RenderApi
from ipyassets.sandbox.vntana.payloads import Payloads
from ipyassets.sandbox.vntana.product_changes import ProductChangesApi
from ipyassets.sandbox.vntana.public import PublicApi
from ipyassets.sandbox.vntana.renders import Renders
from ipyassets.sandbox.vntana.rows import Rows
from ipyassets.sandbox.vntana.search import Finder
from ipyassets.sandbox.vntana.storage import StorageApi
from ipyassets.sandbox.vntana.subscriptions import Subscriptions
from ipyassets.sandbox.vntana.tokens import Tokens
from ipyassets.sandbox.vntana.webhooks import WebhookApi
from ipyassets.sandbox.world import World

__all__ = ["VntanaApi"]

POSTER = Stills(*OBJECT_SIZE, count=1)


class VntanaApi:
    """One VNTANA platform: ``organization`` and ``workspace`` are the main ones, ``owner`` may see everything.

    ``manager`` (two workspaces) and ``assistant`` (one) must take the workspace step and search one workspace at a
    time; ``viewer`` may not search; ``supplier`` administers the other organization alone.
    """

    def __init__(self, world: World) -> None:
        self.organization = NORTHLIGHT
        self.workspace = SHOWROOM
        self.catalogue = Catalogue(world.settings.assets)
        accounts = Accounts()
        self.owner = accounts.owner
        self.manager = accounts.manager
        self.assistant = accounts.assistant
        self.viewer = accounts.viewer
        self.supplier = accounts.supplier
        self.tokens = Tokens(world)
        self.bus = Bus()
        access = Access(self.tokens, self.catalogue)
        attachments = Attachments()
        self.renders = Renders(world, self.catalogue, attachments, self.bus.emit)
        self.storage = StorageApi(world, access, self.catalogue, attachments)
        self._attachments = AttachmentApi(world, access, self.catalogue, attachments)
        self._ordering = RenderApi(world, access, self.catalogue, self.renders)
        finder = Finder(self.catalogue)
        rows = Rows(self.catalogue, self.renders.actions)
        self._auth = AuthApi(world, accounts, self.tokens, self.catalogue)
        self._admin = AdminApi(world, self.tokens, self.catalogue, finder, rows)
        self._public = PublicApi(world, self.catalogue, finder, rows)
        subscriptions = Subscriptions()
        self.webhooks = Deliveries(world, self.catalogue, subscriptions, Payloads(world, self.catalogue, rows))
        self.bus.subscribe(self.webhooks.emit)
        self._webhooks = WebhookApi(world, self.tokens, subscriptions)
        self.changes = Changes(world, self.catalogue)
        self.conversions = Conversions(world, self.catalogue, self.changes, self.bus, self._poster)
        self._changing = ProductChangesApi(access, self.catalogue, self.changes, self.conversions, self.bus)

    def reset(self) -> None:
        """Make everything as in a new sandbox, save accounts and tokens."""
        # Conversions first: they would take the end of the renderer for a failure, and tell of it.
        self.conversions.reset()
        self.renders.reset()
        self.webhooks.reset()

    async def _poster(self, index: int) -> bytes:
        (file,) = await asyncio.wrap_future(self.renders.make(index, POSTER))
        return await asyncio.to_thread(file.read_bytes)

    def admin_routes(self) -> list[BaseRoute]:
        """Routes of the Admin API, relative to its prefix."""
        return nothing_else(
            [
                *self._auth.routes(),
                *self._ordering.routes(),
                *self._attachments.routes(),
                *self.storage.admin_routes(),
                *self._changing.routes(),
                *self._admin.routes(),
                *self._webhooks.routes(),
            ]
        )

    def storage_routes(self) -> list[BaseRoute]:
        """Routes of the storage host, relative to its prefix."""
        return self.storage.routes()

    def public_routes(self) -> list[BaseRoute]:
        """Routes of the Public API, relative to its prefix."""
        return nothing_else(self._public.routes())
