from __future__ import annotations

import ntpath
import sys
import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ipyassets.collections import safe_names
from ipyassets.collections.safe_names import PathNames, safe_parts

NAMES = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            [
                "..",
                ".",
                "",
                "a",
                "/",
                "\\",
                "C:",
                "con",
                "NUL.txt",
                "~",
                "\0",
                "\u202e",
                "x" * 300,
                " ",
                ".x",
                "e\u0301",
            ]
        ),
        max_size=12,
    ).map("/".join),
    st.text(alphabet="./\\: aA\u00e9e\u0301\u0130\u0131\ufb01\u2044\uff0f\uff0e", max_size=20),
)


def _reserved(part: str) -> bool:
    """Whether Windows keeps the name for itself; pathlib's way to ask is on its way out."""
    return ntpath.isreserved(part) if sys.version_info >= (3, 13) else PureWindowsPath(part).is_reserved()


@given(NAMES)
@example("../../x")
@example("\uff0e\uff0e\uff0fx")
@example("a/..\\..\\b")
@example("\ud800")
def test_no_name_leads_anywhere_else(name: str) -> None:
    parts = safe_parts(name)
    assert parts
    for part in parts:
        assert part not in ("", ".", "..")
        assert not set(part) & set('/\\:*?"<>|\0')
        assert part == unicodedata.normalize("NFC", part)
        assert part[-1] not in " ."
        assert not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in part)
        assert len(part.encode()) <= 170
        assert not _reserved(part)
    assert len("/".join(parts).encode()) <= 240
    root = Path("/somewhere/safe")
    assert Path(root, *parts).resolve().is_relative_to(root)
    assert PureWindowsPath("C:/safe", *parts).is_relative_to("C:/safe")


@given(st.lists(NAMES, max_size=12))
def test_no_two_names_meet_on_any_file_system(names: list[str]) -> None:
    paths = PathNames()
    given_ = [paths.path(name) for name in names]
    keys = [unicodedata.normalize("NFKC", str(path)).casefold() for path in given_]
    assert len(set(keys)) == len(keys)
    folders = {str(parent).casefold() for path in given_ for parent in path.parents if parent.name}
    assert folders.isdisjoint(keys)


@given(NAMES)
def test_a_name_that_was_made_safe_stays_as_it_is(name: str) -> None:
    made = "/".join(safe_parts(name))
    assert "/".join(safe_parts(made)) == made


@given(
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=300), st.sampled_from([".png", ".tar", ".glb"])
)
def test_however_long_a_name_is_it_keeps_its_ending(stem: str, ending: str) -> None:
    assert safe_parts(stem + ending)[-1].endswith(ending)


@given(st.lists(NAMES, max_size=8), st.lists(NAMES, max_size=8))
def test_what_was_there_before_is_in_nobodys_way(before: list[str], names: list[str]) -> None:
    there = {str(path).casefold() for path in map(PathNames().path, before)}
    paths = PathNames(lambda path: str(path).casefold() in there)
    made = [paths.path(name) for name in names]
    assert there.isdisjoint(str(path).casefold() for path in made)
    assert [len(path.parts) >= 1 for path in made] == [True] * len(names)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a chair/blue-1.png", "a chair/blue-1.png"),
        ("../outside.txt", "outside.txt"),
        ("a/../../outside.txt", "a/outside.txt"),
        ("/etc/passwd", "etc/passwd"),
        ("//server/share/x.txt", "server/share/x.txt"),
        ("C:\\Windows\\x.txt", "Windows/x.txt"),
        ("C:x.txt", "x.txt"),
        ("..\\outside.txt", "outside.txt"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("console.txt", "console.txt"),
        ("what?*.txt", "what__.txt"),
        ("bell\x07\x1b.txt", "bell__.txt"),
        ("line\nbreak.txt", "line_break.txt"),
        ("right\u202etxt.exe", "right_txt.exe"),
        ("trailing dot.", "trailing dot"),
        (" leading.txt", "leading.txt"),
        (".hidden", ".hidden"),
        ("-rf", "-rf"),
        ("cafe\u0301.txt", "caf\u00e9.txt"),
        ("\U0001fa91\u200d\U0001f3a8 chair.txt", "\U0001fa91\u200d\U0001f3a8 chair.txt"),
        ("", "unnamed"),
        ("/../.", "unnamed"),
        ("percent%2f..%2fname.txt", "percent%2f..%2fname.txt"),
    ],
)
def test_names_are_kept_as_far_as_can_be(name: str, path: str) -> None:
    assert "/".join(safe_parts(name)) == path


def test_long_names_are_cut_and_keep_their_endings() -> None:
    (name,) = safe_parts("w" * 300 + ".webp")
    assert name.endswith("w.webp")
    assert len(name) == 160
    assert safe_parts("deep/" * 60 + "name.txt")[-1] == "name.txt"
    assert len("/".join(safe_parts("deep/" * 60 + "name.txt"))) <= 220


def test_clashes_get_numbers() -> None:
    paths = PathNames()
    names = ["a.png", "A.PNG", "a.png", "caf\u00e9.txt", "cafe\u0301.txt", "stra\u00dfe", "STRASSE", "x", "x/y.png"]
    assert [str(paths.path(name)) for name in names] == [
        "a.png",
        "A_2.PNG",
        "a_3.png",
        "caf\u00e9.txt",
        "caf\u00e9_2.txt",
        "stra\u00dfe",
        "STRASSE_2",
        "x",
        "x_2/y.png",
    ]
    assert str(paths.path("X/z.png")) == "x_2/z.png"


def test_what_is_there_already_is_left_alone() -> None:
    there = {PurePosixPath("a.png"), PurePosixPath("a_2.png")}
    assert str(PathNames(there.__contains__).path("a.png")) == "a_3.png"


@pytest.mark.parametrize(
    "names",
    [
        ["a.png"] * 500,
        ["x" * 400 + f"{number}.png" for number in range(500)],
        ["a/b"] * 500,
        ["a", *(f"a_{number}" for number in range(2, 250)), *["a/x"] * 250],
    ],
    ids=["files", "long", "in-a-folder", "folder-among-files"],
)
def test_many_of_one_name(names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """For each, all numbers were tried anew: an archive of 4,000 files of one name took minutes, of 100,000 days."""
    tried = 0
    numbered = safe_names._numbered

    def counted(name: str, number: int) -> str:
        nonlocal tried
        tried += 1
        return numbered(name, number)

    monkeypatch.setattr(safe_names, "_numbered", counted)
    given = PathNames()
    assert len({str(given.path(name)) for name in names}) == len(names)
    assert tried < 3 * len(names)
