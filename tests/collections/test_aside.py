"""Files that are in their place only once they are whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ipyassets.collections.aside import aside


def test_a_new_file_has_its_name_and_its_content_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name was taken first, by an empty file: a process killed in between left that."""
    monkeypatch.delattr(Path, "replace")
    target = tmp_path / "new"
    with aside(target, new=True) as file:
        file.write(b"content")
    assert target.read_bytes() == b"content"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_is_there_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    def none(*_: object) -> None:
        raise OSError("no links here")

    if not links:
        monkeypatch.setattr(os, "link", none)
    target = tmp_path / "new"
    for content, wanted in ((b"first", b"first"), (b"second", b"first")):
        try:
            with aside(target, new=True) as file:
                file.write(content)
        except FileExistsError:
            assert content == b"second"
        assert target.read_bytes() == wanted
        assert list(tmp_path.iterdir()) == [target]
