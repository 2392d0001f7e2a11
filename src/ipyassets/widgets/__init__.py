"""The Python half of the widgets: `Explorer` over asset services, `ImageGrid` over any PIL images; the other is js/."""

from ipyassets.widgets.explorer import Explorer
from ipyassets.widgets.image_grid import ImageGrid

__all__ = ["Explorer", "ImageGrid"]
