"""Tags, collections, deletion: what changes on assets, and the lists of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ipyassets.sandbox.scenario.catalogue import Asset, Project, stamp
from ipyassets.sandbox.scenario.errors import bad_request, not_found
from ipyassets.sandbox.scenario.parameters import boolean, ids, integer
from ipyassets.sandbox.scenario.records import Records
from ipyassets.sandbox.scenario.tokens import page
from ipyassets.sandbox.world import World

__all__ = ["Organising", "select", "team"]

_MADE = "2026-01-10T09:00:00.000Z"
_IN_COLLECTION, _IN_DELETION = 49, 100
_LONGEST_TAG = 128


def select(project: Project, wanted: list[str]) -> list[Asset]:
    """The assets with these ids; unknown ones are left out, but a 404 if none is known."""
    found = [asset for id in wanted if (asset := project.find(id)) is not None]
    if not found:
        raise not_found("Assets")
    return found


class Organising:
    def __init__(self, world: World) -> None:
        self._world = world
        # Counting a grown catalogue takes a moment, and several pages ask for the same counts.
        self._counted = lru_cache(maxsize=4)(_counted)

    def tags(self, project: Project, query: Mapping[str, str]) -> dict[str, Any]:
        size = integer(query, "pageSize", 50, least=1, most=100)
        counts, _ = self._counted(project, project.generation)
        rows, following = page("tags", sorted(counts), query.get("paginationToken"), size)
        owner = {"ownerId": project.team_id, "createdAt": _MADE, "updatedAt": _MADE}
        return {"tags": [{"tagName": tag, "itemCount": counts[tag], **owner} for tag in rows], **following}

    def collections(self, project: Project, query: Mapping[str, str], records: Records) -> dict[str, Any]:
        size = integer(query, "pageSize", 10, least=1, most=100)
        names = list(project.collection_ids)
        rows, following = page("collections", names, query.get("paginationToken"), size)
        return {"collections": [self._collection(project, name, records) for name in rows], **following}

    def collection(self, project: Project, id: str, records: Records) -> dict[str, Any]:
        return {"collection": self._collection(project, self._name(project, id), records)}

    def fill(
        self, project: Project, id: str, body: Mapping[str, Any], records: Records, *, add: bool
    ) -> dict[str, Any]:
        """Put assets into a collection, or take them out."""
        name = self._name(project, id)
        for asset in select(project, ids(body, "assetIds", _IN_COLLECTION)):
            others = tuple(one for one in asset.collections if one != id)
            project.edit(asset, self._world.clock(), collections=(*others, id) if add else others)
        return {"collection": self._collection(project, name, records)}

    @staticmethod
    def _name(project: Project, id: str) -> str:
        for name, one in project.collection_ids.items():
            if one == id:
                return name
        raise not_found("Collection")

    def _collection(self, project: Project, name: str, records: Records) -> dict[str, Any]:
        id = project.collection_ids[name]
        _, counts = self._counted(project, project.generation)
        members = (a for a in project.assets if a.deleted is None and id in a.collections)
        first = next(members, None)
        thumbnail = first and records.picture(first)
        return {
            "id": id,
            "name": name,
            "ownerId": project.team_id,
            "assetCount": counts[id],
            "itemCount": counts[id],
            "modelCount": 0,
            "createdAt": _MADE,
            "updatedAt": _MADE,
            **({"thumbnail": thumbnail} if thumbnail else {}),
        }

    def edit_tags(self, project: Project, asset: Asset, body: Mapping[str, Any]) -> dict[str, Any]:
        add, delete = (_tags(body, name) for name in ("add", "delete"))
        if not add and not delete:
            raise bad_request("add or delete must hold a tag")
        with project.lock:
            added = [tag for tag in add if tag not in asset.tags]
            deleted = [tag for tag in delete if tag in asset.tags]
            if boolean(body, "strict") and (len(added), len(deleted)) != (len(add), len(delete)):
                raise bad_request("strict: a tag to add exists already, or a tag to delete does not")
            kept = tuple(tag for tag in asset.tags if tag not in deleted)
            project.edit(asset, self._world.clock(), tags=(*kept, *added))
        return {"added": added, "deleted": deleted}

    def delete(self, project: Project, body: Mapping[str, Any]) -> dict[str, Any]:
        for asset in select(project, ids(body, "assetIds", _IN_DELETION)):
            project.delete(asset, self._world.clock())
        return {}

    def restore(self, project: Project, body: Mapping[str, Any]) -> dict[str, Any]:
        restored, skipped = [], []
        for id in ids(body, "assetIds", _IN_DELETION):
            reason = project.restore(id, self._world.clock())
            if reason is None:
                restored.append(id)
            else:
                skipped.append({"assetId": id, "reason": reason})
        return {"restoredAssetIds": restored, "skippedAssets": skipped}


def _counted(project: Project, generation: int) -> tuple[Counter[str], Counter[str]]:
    """The counts of a project as it was at ``generation``."""
    return project.counted()


def _tags(body: Mapping[str, Any], name: str) -> list[str]:
    value = body.get(name) or []
    if not isinstance(value, list) or not all(isinstance(tag, str) and 0 < len(tag) <= _LONGEST_TAG for tag in value):
        raise bad_request(f"{name} must be an array of tags")
    return list(dict.fromkeys(value))


def team(project: Project) -> dict[str, Any]:
    """The team of a project, as seen with that project's key: no other project is told of."""
    made = stamp(project.seeds[0].created.timestamp())
    return {
        "id": project.team_id,
        "name": project.team_name,
        "type": "shared",
        "plan": "cu-max",
        "createdAt": made,
        "updatedAt": made,
        "context": {"invitationsCount": 0, "keysCount": 1, "usersCount": 3, "userRole": "key"},
        "projects": [{"id": project.id, "name": project.name, "createdAt": made, "updatedAt": made}],
    }
