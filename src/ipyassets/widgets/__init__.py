"""The Python half of the widgets; the other is js/.

`Explorer` over asset services, `ImageGrid` over any PIL images, `JobMonitor` over jobs.
"""

from ipyassets.widgets.explorer import Explorer
from ipyassets.widgets.image_grid import ImageGrid
from ipyassets.widgets.job_monitor import JobMonitor

__all__ = ["Explorer", "ImageGrid", "JobMonitor"]
