"""The Python half of the widgets; the other is js/.

`Explorer` over asset services, `ImageGrid` and `Compare` over any PIL images, `RenderPanel` to order renders,
`ArchivePanel` to order archives, `JobMonitor` over jobs, `TurntablePlayer` for what turns.
"""

from ipyassets.widgets.archive_panel import ArchivePanel
from ipyassets.widgets.compare import Compare
from ipyassets.widgets.explorer import Explorer
from ipyassets.widgets.image_grid import ImageGrid
from ipyassets.widgets.job_monitor import JobMonitor
from ipyassets.widgets.render_panel import RenderPanel
from ipyassets.widgets.turntable_player import TurntablePlayer

__all__ = ["ArchivePanel", "Compare", "Explorer", "ImageGrid", "JobMonitor", "RenderPanel", "TurntablePlayer"]
