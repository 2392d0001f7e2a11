"""Images of many assets: a sequence in the order of the assets, with the failures named."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ipyassets.collections.aside import aside
from ipyassets.collections.images import opened
from ipyassets.collections.slots import Slots
from ipyassets.errors import AssetServiceError

if TYPE_CHECKING:
    from PIL import Image

    from ipyassets.collections.assets import AssetBase

__all__ = ["ImageBatch", "file_name", "stem"]

_EXTENSIONS: Final = {"JPEG": ".jpg", "TIFF": ".tif"}


class ImageBatch(Slots["Image.Image", AssetServiceError]):
    """The images of some assets: as many and in the same order; a failed slot is None and stands in `failures`."""

    _unit = "images"

    def __init__(
        self,
        assets: Sequence[AssetBase],
        images: Sequence[Image.Image | None],
        failures: Sequence[tuple[int, AssetBase, AssetServiceError]] = (),
        contents: Sequence[bytes | None] = (),
    ) -> None:
        super().__init__(assets, images, failures)
        self._contents = list(contents) or [None] * len(self)

    @property
    def images(self) -> list[Image.Image | None]:
        """The images in order, None where one failed."""
        return self._results

    def _of(self, chosen: range, failures: list[tuple[int, AssetBase, AssetServiceError]]) -> ImageBatch:
        return ImageBatch(
            [self._assets[i] for i in chosen],
            [self._results[i] for i in chosen],
            failures,
            [self._contents[i] for i in chosen],
        )

    def contact_sheet(self, columns: int = 8, *, tile: int = 160, captions: bool = True) -> Image.Image:
        """One image of all, ``columns`` wide, each within ``tile`` x ``tile`` pixels and with its name below."""
        from ipyassets.collections.sheet import contact_sheet

        return contact_sheet(
            self.images, [asset.name for asset in self._assets] if captions else None, columns=columns, tile=tile
        )

    def save(self, folder: str | Path) -> list[Path]:
        """Write each image into ``folder`` as it was served (not re-encoded) and give the paths.

        Names are made of the position, the asset's name and its id; images that were made here rather than served are
        written as PNG. Failed slots have no file. What was there under such a name is replaced, a link by a file.
        """
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        paths = []
        for index, (asset, image) in enumerate(self.items()):
            if image is None:
                continue
            content = self._contents[index]
            name = stem(index, len(self), asset)
            if content is None:
                path = target / f"{name}.png"
                with aside(path) as file:
                    image.save(file, "PNG")
            else:
                kind = opened(content).format or "PNG"
                path = target / (name + _EXTENSIONS.get(kind, f".{kind.lower()}"))
                with aside(path) as file:
                    file.write(content)
            paths.append(path)
        return paths

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        del include, exclude
        from ipyassets.collections.display import batch_html

        return {"text/plain": repr(self), "text/html": batch_html(self)}


def stem(index: int, count: int, asset: AssetBase) -> str:
    """The name of the file of slot ``index`` of ``count``, without its ending: in their order, each once."""
    return f"{index:0{len(str(max(count - 1, 0)))}d}-{file_name(asset.name)}-{file_name(asset.id)}"


def file_name(text: str, length: int = 48) -> str:
    """``text`` as a part of a file name that every system takes: letters and digits of any script, dashes between."""
    words = re.sub(r"[^\w]+", "-", unicodedata.normalize("NFC", text), flags=re.UNICODE).strip("-_")
    return words.encode()[: 4 * length].decode(errors="ignore")[:length].strip("-_") or "asset"
