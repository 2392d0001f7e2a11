"""The ladder: log in, organization, workspace; who may skip what; how tokens end."""

from __future__ import annotations

import httpx
import pytest

from ipyassets.sandbox.vntana import accounts

from .conftest import code

ORGANIZATIONS, WORKSPACES = "/v1/organizations", "/v1/clients/client-organizations"


def test_password_and_personal_access_token_both_log_in(sandbox, caller):
    owner = sandbox.vntana_api.owner
    by_password = caller().post("/v1/auth/login", json={"email": owner.email, "password": owner.password})
    by_token = caller().post("/v1/auth/login/token", json={"personal-access-token": owner.personal_access_token})
    for response in (by_password, by_token):
        assert response.json() == {"success": True, "errors": [], "response": {"email": owner.email}}
        assert not response.headers["X-AUTH-TOKEN"].startswith("Bearer")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("login", {"email": "ada@northlight-home.example", "password": "wrong"}),
        ("login", {"email": "nobody@northlight-home.example", "password": "wrong"}),
        ("login", {}),
        ("login", {"email": None, "password": 5}),
        ("login/token", {"personal-access-token": "wrong"}),
        ("login/token", {"personalAccessToken": "wrong"}),
    ],
)
def test_bad_credentials(sandbox, caller, path, body):
    assert code(caller().post(f"/v1/auth/{path}", json=body)) == (403, "BAD_CREDENTIALS")
    sandbox.settings.vntana_bad_credentials_status = 401
    assert code(caller().post(f"/v1/auth/{path}", json=body)) == (401, "BAD_CREDENTIALS")


def test_a_login_token_lists_organizations_and_opens_nothing_else(sandbox, caller):
    owner = caller()
    owner.use(owner.login(sandbox.vntana_api.owner))
    rows = owner.get(ORGANIZATIONS).json()["response"]
    assert rows["totalCount"] == 2
    assert [(row["slug"], row["role"]) for row in rows["grid"]] == [
        ("northlight-home", "ORGANIZATION_OWNER"),
        ("harbour-props", "ORGANIZATION_ADMIN"),
    ]
    search = owner.post("/v1/products/clients/search", json={"page": 1, "size": 1})
    for response in (owner.get(WORKSPACES), owner.get("/v1/organizations/current"), search):
        assert code(response) == (403, "FORBIDDEN")


def test_organization_token_tells_the_organization_and_its_workspaces(sandbox, admin):
    info = sandbox.connection_info()["vntana"]
    current = admin.get("/v1/organizations/current").json()["response"]
    assert (current["uuid"], current["slug"], current["status"]) == (
        info["organization_uuid"],
        info["organization_slug"],
        "ACTIVE",
    )
    grid = admin.get(WORKSPACES).json()["response"]["grid"]
    assert [row["slug"] for row in grid] == [
        "showroom", "workshop", "sortiment-deutschland", "nihon-catalogue", "unusual-names",
    ]  # fmt: skip
    assert (grid[0]["uuid"], grid[0]["slug"]) == (info["workspace_uuid"], info["workspace_slug"])


def test_one_workspace_by_uuid_gives_both_slugs_and_counts(sandbox, admin):
    one = admin.get(f"/v1/clients/{accounts.SHOWROOM.uuid}").json()["response"]
    assert (one["organizationSlug"], one["clientSlug"]) == ("northlight-home", "showroom")
    assert one["productsCount"] == 95
    assert one["tagsCount"] > 20
    assert code(admin.get("/v1/clients/no-such-uuid")) == (404, "CLIENT_NOT_FOUND")
    assert code(admin.get(f"/v1/clients/{accounts.OUTDOOR.uuid}")) == (404, "CLIENT_NOT_FOUND")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_refresh_by_get_and_by_post(sandbox, caller, method):
    owner = caller()
    headers = {
        "X-AUTH-TOKEN": f"Bearer {owner.login(sandbox.vntana_api.owner)}",
        "organizationUuid": accounts.NORTHLIGHT.uuid,
    }
    owner.use(owner.token(owner.request(method, "/v1/auth/refresh-token", headers=headers)))
    assert owner.get(WORKSPACES).is_success


def test_an_organization_admin_must_skip_the_workspace_step(sandbox, admin):
    headers = {"organizationUuid": accounts.NORTHLIGHT.uuid, "clientUuid": accounts.SHOWROOM.uuid}
    assert code(admin.post("/v1/auth/refresh-token", headers=headers)) == (403, "BAD_CREDENTIALS")


def test_a_content_manager_must_take_the_workspace_step(sandbox, caller):
    api = sandbox.vntana_api
    manager = caller().enter(api.manager, api.organization)
    search = f"/v1/products/clients/{accounts.SHOWROOM.uuid}/search"
    assert code(manager.post(search, json={"page": 1, "size": 1})) == (403, "FORBIDDEN")
    grid = manager.get(WORKSPACES).json()["response"]["grid"]
    assert {row["slug"]: row["role"] for row in grid} == dict.fromkeys(
        ["showroom", "workshop"], "CLIENT_ORGANIZATION_CONTENT_MANAGER"
    )
    only_workspace = manager.post("/v1/auth/refresh-token", headers={"clientUuid": accounts.SHOWROOM.uuid})
    manager.use(manager.token(only_workspace))
    assert manager.post(search, json={"page": 1, "size": 1}).is_success
    other = f"/v1/products/clients/{accounts.WORKSHOP.uuid}/search"
    assert code(manager.post(other, json={"page": 1, "size": 1})) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    "headers",
    [
        {"organizationUuid": accounts.HARBOUR.uuid},
        {"organizationUuid": "no-such-uuid"},
        {"organizationUuid": accounts.NORTHLIGHT.uuid, "clientUuid": accounts.GERMAN.uuid},
        {"organizationUuid": accounts.NORTHLIGHT.uuid, "clientUuid": "no-such-uuid"},
    ],
)
def test_refresh_for_places_one_does_not_belong_to(sandbox, caller, headers):
    api = sandbox.vntana_api
    assistant = caller().enter(api.assistant, api.organization)
    assert code(assistant.post("/v1/auth/refresh-token", headers=headers)) == (403, "BAD_CREDENTIALS")


def test_refresh_needs_a_place_and_the_workspace_step_an_organization_token(sandbox, caller):
    manager = caller()
    manager.use(manager.login(sandbox.vntana_api.manager))
    assert code(manager.post("/v1/auth/refresh-token")) == (403, "MISSING_ORGANIZATION_UUID")
    both = {"organizationUuid": accounts.NORTHLIGHT.uuid, "clientUuid": accounts.SHOWROOM.uuid}
    assert code(manager.post("/v1/auth/refresh-token", headers=both)) == (403, "FORBIDDEN")
    assert code(manager.post("/v1/auth/refresh-token", headers={"clientUuid": accounts.SHOWROOM.uuid})) == (
        403,
        "FORBIDDEN",
    )


def test_a_new_token_revokes_the_one_before_of_the_same_scope_only(sandbox, caller):
    api = sandbox.vntana_api
    owner, first, elsewhere = caller(), caller(), caller()
    login = owner.login(api.owner)
    first.use(owner.refresh(login, accounts.NORTHLIGHT))
    elsewhere.use(owner.refresh(login, accounts.HARBOUR))
    assert first.get(WORKSPACES).is_success
    second = caller().use(owner.refresh(login, accounts.NORTHLIGHT))
    assert code(first.get(WORKSPACES)) == (403, "FORBIDDEN")
    assert second.get(WORKSPACES).is_success
    assert elsewhere.get(WORKSPACES).is_success
    assert owner.use(login).get(ORGANIZATIONS).is_success


def test_single_token_per_user_is_a_setting(sandbox, caller):
    sandbox.settings.vntana_single_token = True
    owner, elsewhere = caller(), caller()
    login = owner.login(sandbox.vntana_api.owner)
    elsewhere.use(owner.refresh(login, accounts.HARBOUR))
    assert code(owner.use(login).get(ORGANIZATIONS)) == (403, "FORBIDDEN")
    owner.login(sandbox.vntana_api.owner)
    assert code(elsewhere.get(WORKSPACES)) == (403, "FORBIDDEN")


def test_tokens_expire_by_the_clock(sandbox, admin):
    now = sandbox.world.clock()
    sandbox.world.clock = lambda: now + 29 * 24 * 3600
    assert admin.get(WORKSPACES).is_success
    sandbox.world.clock = lambda: now + 31 * 24 * 3600
    assert code(admin.get(WORKSPACES)) == (403, "FORBIDDEN")


def test_status_of_an_expired_token_is_a_setting(sandbox, admin):
    sandbox.vntana_api.tokens.revoke_all()
    sandbox.settings.vntana_expired_token_status = 401
    assert code(admin.get(WORKSPACES)) == (401, "UNAUTHORIZED")


def test_logout_ends_the_token(sandbox, admin):
    assert admin.post("/v1/auth/logout").json() == {"success": True, "errors": [], "response": {}}
    assert code(admin.get(WORKSPACES)) == (403, "FORBIDDEN")
    assert code(admin.post("/v1/auth/logout")) == (403, "FORBIDDEN")


def test_bearer_may_be_left_out_unless_strict(sandbox, admin):
    bare = {"X-AUTH-TOKEN": admin.headers["X-AUTH-TOKEN"].removeprefix("Bearer ")}
    assert admin.get(WORKSPACES, headers=bare).is_success
    sandbox.settings.vntana_strict_bearer = True
    assert code(admin.get(WORKSPACES, headers=bare)) == (403, "FORBIDDEN")
    assert admin.get(WORKSPACES).is_success


def test_no_token_and_authorization_in_its_place(sandbox, admin):
    with httpx.Client(base_url=admin.base_url) as stranger:
        assert code(stranger.get(WORKSPACES)) == (403, "FORBIDDEN")
        header = {"Authorization": admin.headers["X-AUTH-TOKEN"]}
        assert code(stranger.get(WORKSPACES, headers=header)) == (403, "FORBIDDEN")
        assert code(stranger.get(WORKSPACES, headers={"X-AUTH-TOKEN": "Bearer"})) == (403, "FORBIDDEN")


def test_what_is_not_there_is_refused_in_the_envelope(sandbox, admin):
    assert code(admin.get("/v1/nothing")) == (404, "HANDLER_NOT_FOUND")
    assert code(admin.get("/v1/auth/login")) == (405, "METHOD_NOT_ALLOWED")
    assert code(admin.post("/v1/auth/login", content=b"{}")) == (415, "UNSUPPORTED_MEDIA_TYPE")
    json_type = {"content-type": "application/json"}
    for content in (b"{", b"[]", b"\xff", b"null"):
        assert code(admin.post("/v1/auth/login", content=content, headers=json_type)) == (400, "BAD_REQUEST")


def test_secrets_of_users_are_not_shown(sandbox):
    owner = sandbox.vntana_api.owner
    assert owner.password not in repr(owner)
    assert owner.personal_access_token not in repr(owner)
    token = sandbox.vntana_api.tokens.issue(owner)
    assert token.text not in repr(token)
