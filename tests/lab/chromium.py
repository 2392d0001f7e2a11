"""The machine's own Chromium, in folders of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright

from tests.processes import MARK, left_behind, private_environment

__all__ = ["NAMES", "find", "running"]

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


def find() -> str | None:
    """Its path; None where there is none on the PATH."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def running(playwright: Playwright, path: str, folder: Path) -> Iterator[Browser]:
    """A browser with its home below ``folder``; nothing of it is left at the end, or AssertionError."""
    environment = {**private_environment(folder), "LANG": "en_US.UTF-8"}
    browser = playwright.chromium.launch(
        executable_path=path,
        args=FLAGS,
        env=environment,
        ignore_default_args=["--hide-scrollbars"],  # people have them, and they take room
    )
    yield browser
    browser.close()
    left = left_behind(environment[MARK])
    assert not left, f"Chromium left processes behind: {left}"
