"""Credentials from a keyring that is really there: keyrings.alt's, which keeps them in a file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.errors import KeyringLocked
from keyrings.alt.file import EncryptedKeyring, PlaintextKeyring

import ipyassets as ia
from ipyassets.http.credentials import KEYRING_SERVICE


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlaintextKeyring]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyrings.alt.file.PlaintextKeyring")
    before = keyring.get_keyring()
    made = PlaintextKeyring()
    keyring.set_keyring(made)
    assert made.file_path.startswith(str(tmp_path))
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def places(sandbox: ia.Sandbox, ring: PlaintextKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in the keyring; where the services are, which is no secret, in the environment."""
    info = sandbox.connection_info()
    entries = {
        "VNTANA_EMAIL": info["vntana"]["email"],
        "VNTANA_PASSWORD": info["vntana"]["password"],
        "ITWIN_CLIENT_ID": info["itwin"]["client_id"],
        "ITWIN_CLIENT_SECRET": info["itwin"]["client_secret"],
        "SCENARIO_SDK_API_KEY": info["scenario"]["api_key"],
        "SCENARIO_SDK_API_SECRET": info["scenario"]["api_secret"],
    }
    for name, value in entries.items():
        ring.set_password(KEYRING_SERVICE, name, value)
    for name, value in sandbox.environment().items():
        if not any(word in name for word in ("TOKEN", "SECRET", "KEY", "CLIENT_ID")) or name.endswith("_URL"):
            monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("places")
def test_all_services_connect_by_the_keyring_alone() -> None:
    """VNTANA's e-mail address and iTwin's client id were seen in the keyring, so that the service counted as
    configured, but not read from there: `connect` then failed for want of them.
    """
    with ia.connect(sandbox=False) as services:
        assert not services.failures
        assert set(services) == {"vntana", "itwin", "scenario"}
        for client in services.values():
            assert client.search()[0].name


@pytest.mark.usefixtures("places")
def test_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "another")
    with ia.Scenario() as scenario, pytest.raises(ia.AuthenticationError):
        scenario.search()[0]


def test_what_the_keyrings_own_command_stores_is_found(ring: PlaintextKeyring, tmp_path: Path) -> None:
    """As docs/credentials.md says to do it."""
    command = [sys.executable, "-m", "keyring", "set", KEYRING_SERVICE, "ITWIN_ACCESS_TOKEN"]
    subprocess.run(command, input="abc.def.ghi\n", text=True, check=True, capture_output=True)
    assert Path(ring.file_path).is_file()
    with ia.ITwin() as itwin:
        assert "abc.def" not in repr(itwin)


BY_ITSELF = pytest.mark.filterwarnings("ignore:PBKDF2 without:DeprecationWarning")
"""keyrings.alt takes PBKDF2's usual count."""


@pytest.fixture
def sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EncryptedKeyring]:
    """A keyring behind a password that has been given once, and holds a token."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("getpass.getpass", lambda *_: "open, please")
    before = keyring.get_keyring()
    EncryptedKeyring().set_password(KEYRING_SERVICE, "ITWIN_ACCESS_TOKEN", "abc.def.ghi")
    made = EncryptedKeyring()
    keyring.set_keyring(made)
    assert made.file_path.startswith(str(tmp_path))
    yield made
    keyring.set_keyring(before)


@BY_ITSELF
def test_a_keyring_behind_a_password_is_opened_and_read(sealed: EncryptedKeyring) -> None:
    with ia.ITwin() as itwin:
        assert itwin.core._authorizer._headers["Authorization"] == "Bearer abc.def.ghi"
    assert b"abc.def" not in Path(sealed.file_path).read_bytes()


@BY_ITSELF
@pytest.mark.parametrize("answer", ["wrong", None])
def test_a_keyring_that_is_not_opened_holds_nothing(
    sealed: EncryptedKeyring, answer: str | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong password was a bare ValueError out of the client, and one that nobody could give an EOFError."""

    def asked(*_: object) -> str:
        if answer is None:
            raise EOFError
        return answer

    monkeypatch.setattr("getpass.getpass", asked)
    with pytest.raises(ia.AuthenticationError, match="ITWIN_ACCESS_TOKEN"):
        ia.ITwin()
    assert "keyring could not be read" in caplog.text


@pytest.mark.parametrize("trouble", [KeyringLocked("locked"), RuntimeError("no bus"), OSError("gone")], ids=repr)
def test_a_keyring_that_cannot_be_read_holds_nothing(monkeypatch: pytest.MonkeyPatch, trouble: Exception) -> None:
    def locked(self: PlaintextKeyring, service: str, username: str) -> str:
        raise trouble

    monkeypatch.setattr(PlaintextKeyring, "get_password", locked)
    before = keyring.get_keyring()
    keyring.set_keyring(PlaintextKeyring())
    try:
        with pytest.raises(ia.AuthenticationError, match="ITWIN_ACCESS_TOKEN"):
            ia.ITwin()
    finally:
        keyring.set_keyring(before)
