"""Meshes in another format, by trimesh. Sizes, positions and colours stay."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import lru_cache

__all__ = ["Beside", "converted"]

Beside = Callable[[], Mapping[str, bytes]]
"""The files that lie beside a mesh (its materials, their pictures), by name."""


@lru_cache(maxsize=16)
def converted(load: Callable[[], bytes], stored: str, wanted: str, beside: Beside | None = None) -> bytes:
    """``load()``, a file in the format ``stored``, as ``wanted``: ``glb`` or ``obj``.

    A GLB holds its materials; an OBJ comes alone, as the service gives it, and so without them.
    """
    import trimesh  # half a second, for the few who convert
    from trimesh.exchange.obj import export_obj
    from trimesh.resolvers import ZipResolver

    files = {name: io.BytesIO(content) for name, content in (beside() if beside else {}).items()}
    scene = trimesh.load_scene(io.BytesIO(load()), file_type=stored, resolver=ZipResolver(files))
    if wanted == "glb":
        return bytes(scene.export(file_type="glb"))  # type: ignore[no-untyped-call]
    return str(export_obj(scene, include_texture=False)).encode()  # type: ignore[no-untyped-call]
