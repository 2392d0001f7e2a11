"""What a person may set for the whole session: ``ipyassets.options.decoder = "imagecodecs"``."""

from __future__ import annotations

import importlib.util
import os
from typing import Any, Final

from ipyassets.errors import InvalidRequest

__all__ = ["DECODERS", "Options", "options"]

DECODERS: Final = ("pillow", "imagecodecs")


class Options:
    """Settings of this process. Unknown names and values raise, saying what there is."""

    __slots__ = ("_decoder", "_snapshot")

    def __init__(self) -> None:
        self._decoder: str | None = None
        self._snapshot = True

    @property
    def decoder(self) -> str:
        """What decodes PNGs to ``PIL.Image``: ``"pillow"``, or ``"imagecodecs"``, which gives the same pixels in
        two thirds of the time (``pip install "ipyassets[fast]"``). The start is IPYASSETS_DECODER, else Pillow.

        Setting raises `InvalidRequest` for another word, and ImportError where it is not installed.
        """
        if self._decoder is None:
            self.decoder = os.getenv("IPYASSETS_DECODER", "").strip().lower() or DECODERS[0]
        assert self._decoder is not None
        return self._decoder

    @decoder.setter
    def decoder(self, value: Any) -> None:
        if value not in DECODERS:
            raise InvalidRequest(f"decoder must be one of {', '.join(map(repr, DECODERS))}; got {value!r:.80}.")
        if value == "imagecodecs" and importlib.util.find_spec("imagecodecs") is None:
            raise ImportError('The decoder "imagecodecs" is not installed: pip install "ipyassets[fast]"')
        self._decoder = value

    @property
    def snapshot(self) -> bool:
        """Whether a widget leaves a still picture of itself in the notebook, for when its kernel is gone.

        False leaves that to ``explorer.snapshot()``. Setting raises `InvalidRequest` for what is no bool.
        """
        return self._snapshot

    @snapshot.setter
    def snapshot(self, value: Any) -> None:
        if not isinstance(value, bool):
            raise InvalidRequest(f"snapshot must be True or False; got {value!r:.80}.")
        self._snapshot = value

    def __repr__(self) -> str:
        return f"Options(decoder={self.decoder!r}, snapshot={self.snapshot!r})"


options: Final = Options()
"""The settings of this process."""
