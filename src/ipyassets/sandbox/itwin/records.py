"""The JSON forms of what the platform serves, minimal and full."""

from __future__ import annotations

import datetime as dt
from typing import Any

from ipyassets.sandbox.itwin.catalogue import ACCOUNT, IModel, ITwin
from ipyassets.sandbox.itwin.history import Changeset, NamedVersion, User, changesets, last_push, named_versions, users

__all__ = ["changeset", "imodel", "itwin", "named_version", "user"]

# Half the side of an iModel's extent: degrees of latitude, about a hundred metres.
_HALF_EXTENT = 0.0009


def _stamp(moment: dt.datetime, *, decimals: int = 7) -> str:
    """The iModels API writes seven decimals, the iTwins API three."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond:06d}0"[:decimals] + "Z"


def _link(href: str | None) -> dict[str, str] | None:
    return None if href is None else {"href": href}


def imodel(item: IModel, base: str, *, full: bool) -> dict[str, Any]:
    minimal = {"id": item.id, "displayName": item.name, "dataCenterLocation": item.itwin.data_center}
    if not full:
        return minimal
    here = f"{base}/imodels/{item.id}"
    pushed = last_push(item)
    place = item.building
    return minimal | {
        "name": item.name,
        "description": item.description,
        "state": item.state,
        "createdDateTime": _stamp(item.created),
        "lastChangesetPushDateTime": None if pushed is None else _stamp(pushed),
        "iTwinId": item.itwin.id,
        "isSecured": item.index % 11 == 10,
        "extent": {
            "southWest": {"latitude": place.latitude - _HALF_EXTENT, "longitude": place.longitude - _HALF_EXTENT},
            "northEast": {"latitude": place.latitude + _HALF_EXTENT, "longitude": place.longitude + _HALF_EXTENT},
        },
        "containersEnabled": 0,
        "_links": {
            "creator": _link(f"{here}/users/{users(item.itwin)[0].id}"),
            "changesets": _link(f"{here}/changesets"),
            "namedVersions": _link(f"{here}/namedversions"),
        },
    }


def itwin(item: ITwin, *, full: bool) -> dict[str, Any]:
    minimal = {
        "id": item.id,
        "class": item.class_,
        "subClass": item.sub_class,
        "type": item.type,
        "number": item.number,
        "displayName": item.display_name,
    }
    if not full:
        return minimal
    author = users(item)[0].id
    created = _stamp(item.created, decimals=3)
    return minimal | {
        "geographicLocation": item.location,
        "latitude": None,
        "longitude": None,
        "ianaTimeZone": item.time_zone,
        "dataCenterLocation": item.data_center,
        "status": item.status,
        "parentId": None if item is ACCOUNT else ACCOUNT.id,
        "iTwinAccountId": None if item is ACCOUNT else ACCOUNT.id,
        "imageName": None,
        "image": None,
        "createdDateTime": created,
        "createdBy": author,
        "lastModifiedDateTime": created,
        "lastModifiedBy": author,
    }


def named_version(item: NamedVersion, owner: IModel, base: str, *, full: bool) -> dict[str, Any]:
    minimal = {
        "id": item.id,
        "displayName": item.name,
        "changesetId": item.changeset.id if item.changeset else None,
        "changesetIndex": item.changeset.index if item.changeset else 0,
    }
    if not full:
        return minimal
    here = f"{base}/imodels/{owner.id}"
    return minimal | {
        "name": item.name,
        "description": item.description,
        "createdDateTime": _stamp(item.created),
        "state": item.state,
        "application": None,
        "_links": {
            "creator": _link(f"{here}/users/{item.creator.id}"),
            "changeset": _link(f"{here}/changesets/{item.changeset.id}" if item.changeset else None),
        },
    }


def changeset(item: Changeset, owner: IModel, base: str, *, full: bool) -> dict[str, Any]:
    here = f"{base}/imodels/{owner.id}"
    links: dict[str, Any] = {
        "self": _link(f"{here}/changesets/{item.id}"),
        "creator": _link(f"{here}/users/{item.creator.id}"),
    }
    record: dict[str, Any] = {
        "id": item.id,
        "displayName": str(item.index),
        "description": item.description,
        "index": item.index,
        "parentId": item.parent,
        "creatorId": item.creator.id,
        "pushDateTime": _stamp(item.pushed),
        "state": "fileUploaded",
        "containingChanges": item.containing,
        "fileSize": item.size,
        "briefcaseId": 2 + item.index % 3,
        "groupId": None,
        "_links": links,
    }
    if full:
        named = next((v for v in named_versions(owner) if v.changeset and v.changeset.index == item.index), None)
        record |= {"application": None, "synchronizationInfo": None}
        # There are no changeset files here to download and no checkpoints.
        links |= {
            "namedVersion": _link(f"{here}/namedversions/{named.id}" if named else None),
            "currentOrPrecedingCheckpoint": None,
            "download": None,
        }
    return record


def user(item: User, owner: IModel, base: str) -> dict[str, Any]:
    pushed = [c for c in changesets(owner) if c.creator.id == item.id]
    return {
        "id": item.id,
        "displayName": item.display_name,
        "givenName": item.given,
        "surname": item.surname,
        "email": item.email,
        "statistics": {
            "pushedChangesetsCount": len(pushed),
            "lastChangesetPushDate": _stamp(pushed[-1].pushed) if pushed else None,
            "createdVersionsCount": sum(v.creator.id == item.id for v in named_versions(owner)),
            "briefcasesCount": 0,
        },
        "_links": {"self": _link(f"{base}/imodels/{owner.id}/users/{item.id}")},
    }
