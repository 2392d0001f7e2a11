"""Where models come from: the shipped archive, files, and our own building plans."""

from __future__ import annotations

import gzip
import io
import posixpath
import zipfile
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from ipyassets.sandbox import library
from ipyassets.sandbox.renderer.glb import read_glb
from ipyassets.sandbox.renderer.model import Model, ModelError
from ipyassets.sandbox.renderer.obj import read_obj
from ipyassets.sandbox.renderer.plans import PLANS

__all__ = ["load_building", "load_model", "load_object", "load_shipped", "original_file"]

MAX_FILE_BYTES = 256 * 2**20


def load_model(path: str | Path) -> Model:
    """Read an ``.obj`` (with its materials beside it), ``.glb`` or ``.glb.gz`` file. `ModelError` if it is broken."""
    path = Path(path)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ModelError(f"{path.name}: larger than {MAX_FILE_BYTES // 2**20} MiB")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path.name}: cannot be read ({error.strerror})") from error
    name = path.name.lower()
    if name.endswith(".obj"):
        folder = path.parent.resolve()

        def beside(other: str) -> bytes:
            target = (folder / other).resolve()
            if not target.is_relative_to(folder):
                raise KeyError(other)
            return target.read_bytes()

        return read_obj(data, beside, name=path.name)
    if name.endswith(".glb.gz"):
        return read_glb(_unzip(data, path.name), name=path.name)
    if name.endswith(".glb"):
        return read_glb(data, name=path.name)
    raise ModelError(f"{path.name}: not a model file this renderer reads (.obj, .glb, .glb.gz)")


def load_object(key: str) -> Model:
    """One object of the catalogue. `KeyError` if there is none of that key."""
    entry = _objects()[key]
    archive = _archive()
    folder = posixpath.dirname(entry.model)
    return read_obj(
        archive.read(entry.model),
        lambda name: archive.read(posixpath.join(folder, name)),
        name=entry.name,
        rotation=entry.rotation,
    )


def load_shipped(name: str) -> Model:
    """One file of ``data/models``, OBJ or GLB. `ModelError` if it is broken."""
    if name.endswith(".obj"):
        return read_obj(_data(name), _nothing_beside, name=name)
    return read_glb(_data(name), name=name)


def original_file(kind: str, key: str) -> bytes:
    """The model as its maker uploaded it: of an ``object`` of the catalogue, or a ``file`` of ``data/models``."""
    return _archive().read(_objects()[key].model) if kind == "object" else _data(key)


def _nothing_beside(name: str) -> bytes:
    raise KeyError(name)


def load_building(key: str) -> Model:
    """One building of the catalogue. `KeyError` if there is none of that key."""
    if key == "fzk-house":
        return read_glb(_unzip(_data("fzk-haus.glb.gz"), "fzk-haus.glb.gz"), name="FZK House")
    return PLANS[key]()


def _unzip(data: bytes, name: str) -> bytes:
    try:
        with gzip.open(io.BytesIO(data)) as packed:
            plain = packed.read(MAX_FILE_BYTES + 1)
    except (OSError, EOFError) as error:
        raise ModelError(f"{name}: not a readable gzip file ({error})") from error
    if len(plain) > MAX_FILE_BYTES:
        raise ModelError(f"{name}: unpacks to more than {MAX_FILE_BYTES // 2**20} MiB")
    return plain


def _data(name: str) -> bytes:
    return (files("ipyassets.sandbox") / "data" / "models" / name).read_bytes()


@lru_cache(maxsize=1)
def _archive() -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(_data("furniture-cc0.zip")))


@lru_cache(maxsize=1)
def _objects() -> dict[str, library.Model]:
    return {entry.key: entry for entry in library.objects()}
