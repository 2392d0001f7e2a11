"""A small studio renderer: numpy and Pillow, with Embree for the rays where it is installed.

``render(bake(load_object("osaka-chair")), 640, 640)`` gives a `PIL.Image.Image`. Baking works out the light once;
every picture after it, from any side and in any mood, only needs to find what is visible.
"""

from __future__ import annotations

from ipyassets.sandbox.renderer.baking import BakedModel, Light, bake, restore
from ipyassets.sandbox.renderer.engines import engine_name
from ipyassets.sandbox.renderer.frame import render
from ipyassets.sandbox.renderer.light import MOODS
from ipyassets.sandbox.renderer.model import Model, ModelError
from ipyassets.sandbox.renderer.sources import load_building, load_model, load_object, load_shipped

__all__ = [
    "MOODS",
    "BakedModel",
    "Light",
    "Model",
    "ModelError",
    "bake",
    "engine_name",
    "load_building",
    "load_model",
    "load_object",
    "load_shipped",
    "render",
    "restore",
]
