"""Files that are in their place only once they are whole."""

from __future__ import annotations

import os
import stat
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


def test_the_rights_of_files_that_others_make_meanwhile_are_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The umask of the whole process was nothing for a moment: what other threads made then, anybody could change."""
    before = os.umask(0o027)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(os, "umask", lambda mask: pytest.fail(f"the umask became {mask:o}"))
            with aside(tmp_path / "new") as file:
                file.write(b"content")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


def test_what_could_not_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"), aside(tmp_path / "new") as file:
        file.write(b"half")
        raise OSError("full")
    assert list(tmp_path.iterdir()) == []


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
