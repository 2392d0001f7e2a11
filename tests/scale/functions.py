"""What workers do with a poster: in a module, so that every process finds it."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

import ipyassets as ia
from ipyassets.collections import portable


def width_of(asset: ia.Asset, image: Image.Image) -> tuple[str, int, int]:
    return asset.id, image.width, os.getpid()


@dataclass(frozen=True)
class Dying:
    """Ends its process at one of the assets, the first time only."""

    at: str
    mark: Path
    always: bool = False

    def __call__(self, asset: ia.Asset, image: Image.Image) -> tuple[str, int, int]:
        if asset.id == self.at:
            try:
                self.mark.touch(exist_ok=self.always)
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return width_of(asset, image)


class Stubborn(Exception):
    """An error that does not survive a journey."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


def stubborn(asset: ia.Asset, image: Image.Image) -> None:
    raise Stubborn("this", "that")


def hide_token() -> None:
    """What a worker looks like whose environment has no credentials."""
    os.environ["HIDDEN"] = os.environ.pop("VNTANA_PERSONAL_ACCESS_TOKEN")
    portable._made, globals()["_kept"] = {}, portable._made


def show_token() -> None:
    os.environ["VNTANA_PERSONAL_ACCESS_TOKEN"] = os.environ.pop("HIDDEN")
    portable._made = globals().pop("_kept")
