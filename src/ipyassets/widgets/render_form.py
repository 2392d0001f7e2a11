"""The fields of an order of renders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import ipywidgets as w

from ipyassets.errors import InvalidRequest
from ipyassets.services.rendering import FORMATS, RenderOrder, Turntable
from ipyassets.widgets.presets import CUSTOM, PRESETS, preset_of

__all__ = ["OrderForm"]

_USUAL, _COLOUR, _NONE = "usual", "colour", "transparent"
_BACKDROPS: Final = (("The service's own", _USUAL), ("A colour", _COLOUR), ("Transparent", _NONE))
_LABELS: Final = {"description_width": "initial"}


class OrderForm:
    """Fields for stills and turntable, and a choice of presets that fills them; `box` is what is shown."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._filling = False
        self.preset = w.Dropdown(
            options=[*((preset.title, preset.key) for preset in PRESETS), ("Custom", CUSTOM)],
            description="Preset",
            style=_LABELS,
        )
        self.width = _number("Width")
        self.height = _number("Height")
        self.format = w.Dropdown(options=FORMATS, description="Format", style=_LABELS)
        self.backdrop = _Backdrop("Background")
        self.frames = _number("Frames")
        self.fps = _number("Frames a second")
        self.film_width = _number("Width")
        self.film_height = _number("Height")
        self.gif = w.Checkbox(description="GIF too", indent=False)
        self.film_backdrop = _Backdrop("Background")
        self.box = w.VBox(
            [
                self.preset,
                _group("Stills", self.width, self.height, self.format, *self.backdrop.fields),
                _group(
                    "Turntable",
                    *(self.film_width, self.film_height, self.frames, self.fps, self.gif, *self.film_backdrop.fields),
                ),
            ]
        )
        self.box.add_class("ipya-form")
        self._fill(PRESETS[0].order)
        self.preset.observe(self._preset_chosen, "value")
        for field in self._fields:
            field.observe(self._field_changed, "value")

    @property
    def order(self) -> RenderOrder:
        """The order as the fields stand. Raises `InvalidRequest` for what makes no sense."""
        return RenderOrder(
            self.width.value,
            self.height.value,
            self.format.value,
            self.backdrop.background,
            self.backdrop.transparent,
            Turntable(
                self.frames.value,
                self.fps.value,
                self.film_width.value,
                self.film_height.value,
                self.gif.value,
                self.film_backdrop.background,
                self.film_backdrop.transparent,
            ),
        )

    def fill(self, order: RenderOrder) -> None:
        """Show ``order`` in the fields."""
        self._fill(order)
        self._changed()

    def _fill(self, order: RenderOrder) -> None:
        film = order.turntable
        self._filling = True
        try:
            self.width.value, self.height.value, self.format.value = order.width, order.height, order.format
            self.backdrop.fill(order.background, transparent=order.transparent)
            self.frames.value, self.fps.value, self.gif.value = film.frames, film.fps, film.gif
            self.film_width.value, self.film_height.value = film.width, film.height
            self.film_backdrop.fill(film.background, transparent=film.transparent)
            self.preset.value = preset_of(order)
        finally:
            self._filling = False

    @property
    def _fields(self) -> tuple[Any, ...]:
        still = (self.width, self.height, self.format, *self.backdrop.fields)
        film = (self.frames, self.fps, self.film_width, self.film_height, self.gif, *self.film_backdrop.fields)
        return still + film

    def _preset_chosen(self, change: Any) -> None:
        order = next((preset.order for preset in PRESETS if preset.key == change.new), None)
        if order is not None and not self._filling:
            self.fill(order)

    def _field_changed(self, _change: Any) -> None:
        if self._filling:
            return
        self._filling = True
        try:
            self.preset.value = preset_of(self.order)
        except InvalidRequest:
            self.preset.value = CUSTOM
        finally:
            self._filling = False
        self._changed()


class _Backdrop:
    """What stands behind the thing: the service's own choice, a colour, or nothing."""

    def __init__(self, label: str) -> None:
        self._kind = w.Dropdown(options=_BACKDROPS, description=label, style=_LABELS)
        self._colour = w.ColorPicker(value="#ffffff", description="Colour", style=_LABELS)
        self._kind.observe(self._show, "value")
        self.fields = (self._kind, self._colour)
        self._show(None)

    @property
    def background(self) -> str | None:
        return self._colour.value if self._kind.value == _COLOUR else None

    @property
    def transparent(self) -> bool:
        return bool(self._kind.value == _NONE)

    def fill(self, background: str | None, *, transparent: bool) -> None:
        if background is not None:
            self._colour.value = background
        self._kind.value = _NONE if transparent else _COLOUR if background is not None else _USUAL

    def _show(self, _change: Any) -> None:
        self._colour.layout.display = None if self._kind.value == _COLOUR else "none"


def _number(label: str) -> Any:
    return w.IntText(description=label, style=_LABELS)


def _group(title: str, *fields: Any) -> Any:
    heading = w.HTML(f"<strong>{title}</strong>")
    heading.add_class("ipya-form-title")
    row = w.HBox([heading, *fields])
    row.add_class("ipya-form-row")
    return row
