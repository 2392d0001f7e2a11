"""The fields of an order of an archive."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import ipywidgets as w

from ipyassets.services.downloading import DEFAULT_TEMPLATE, ArchiveOrder
from ipyassets.widgets.panel import line, show

__all__ = ["ArchiveForm"]

_LABELS: Final = {"description_width": "initial"}
_FOLDERS: Final = (("Grouped, as the service does it", False), ("None", True))
_SEPARATORS: Final = "-_/ ."


class ArchiveForm:
    """Fields for the names of members, folders, and the archive's own name; `box` is what is shown.

    ``tokens``: what may stand in a template, and what comes in its place.
    """

    def __init__(self, tokens: Mapping[str, str], changed: Callable[[], None]) -> None:
        self._changed = changed
        self.template = w.Text(DEFAULT_TEMPLATE, description="Names of the files", style=_LABELS)
        self.template.add_class("ipya-form-wide")
        self.tokens = {token: self._token(token, words) for token, words in tokens.items()}
        self.folders = w.Dropdown(options=_FOLDERS, value=False, description="Folders", style=_LABELS)
        self.name = w.Text(description="Name of the archive", placeholder="the service's own", style=_LABELS)
        self.name.add_class("ipya-form-middle")
        self.original = w.Checkbox(description="Originals, where they were kept", indent=False)
        self.split = w.Checkbox(indent=False)
        self.judged = line("ipya-panel-judged")
        """What is to be said of the template."""
        self.preview = line("ipya-panel-preview")
        """Names that members will have."""
        insert = w.HBox([_caption("Insert"), *self.tokens.values()])
        insert.add_class("ipya-form-tokens")
        other = w.HBox([self.folders, self.name, self.original])
        other.add_class("ipya-form-row")
        self.box = w.VBox([self.template, insert, self.judged, self.preview, other, self.split])
        self.box.add_class("ipya-form")
        show(self.split, visible=False)
        self._used(None)
        self.template.observe(self._used, "value")
        for field in (self.template, self.folders, self.name, self.original, self.split):
            field.observe(lambda _: self._changed(), "value")

    @property
    def order(self) -> ArchiveOrder:
        """The order as the fields stand, of no assets yet; its template is as it was typed."""
        return ArchiveOrder(
            template=self.template.value,
            flat=self.folders.value,
            archive_name=self.name.value.strip() or None,
            prefer_original=self.original.value,
        )

    def fill(self, order: ArchiveOrder) -> None:
        """Show ``order`` in the fields."""
        self.template.value = order.template
        self.folders.value = order.flat
        self.name.value = order.archive_name or ""
        self.original.value = order.prefer_original

    def offer_split(self, archives: int) -> None:
        """Offer to make several archives, if it is more than one."""
        show(self.split, visible=archives > 1)
        self.split.description = f"Make {archives:,} archives of them"

    def preview_names(self, names: Iterable[str], more: int) -> None:
        """Show what the first files will be called, and that there are ``more``."""
        items = "".join(f'<li dir="auto">{html.escape(name)}</li>' for name in names)
        rest = f"<p>and {more:,} more like these</p>" if more > 0 else ""
        self.preview.value = f'<ul aria-label="Names the files will have">{items}</ul>{rest}' if items else ""
        show(self.preview, visible=bool(items))

    def _token(self, token: str, words: str) -> Any:
        button = w.Button(description=token, tooltip=f"Insert {token}: {words}")
        button.on_click(lambda _: self._insert(token))
        return button

    def _insert(self, token: str) -> None:
        text = self.template.value
        between = "" if not text or text[-1] in _SEPARATORS else "-"
        self.template.value = f"{text}{between}{token}"

    def _used(self, _change: Any) -> None:
        """What stands in the template already would disappear if it stood there again."""
        for token, button in self.tokens.items():
            button.disabled = token in self.template.value


def _caption(text: str) -> Any:
    caption = w.HTML(f"<span>{text}</span>")
    caption.add_class("ipya-form-caption")
    return caption
