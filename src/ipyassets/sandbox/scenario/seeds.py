"""What an asset is made from: the shipped generated images, and a few assets of the other kinds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import Any, Literal

from ipyassets.sandbox import library
from ipyassets.sandbox.scenario import media, vectors
from ipyassets.sandbox.scenario.meshes import Beside

__all__ = ["COLLECTIONS", "Seed", "foreign_seeds", "own_seeds"]

Kind = Literal["3d", "audio", "image", "text", "video"]
Picture = tuple[library.Kind, str]

# name of a collection -> the tags that put an asset in it
COLLECTIONS = {
    "Seating": {"chair", "couch", "sofa", "armchair", "stool", "bench", "deck chair"},
    "Night shots": {"night", "dramatic"},
    "Golden hour": {"golden hour"},
    "Kitchen and table": {"kitchen", "coffee", "cup", "table"},
    "Reference uploads": {"reference"},
}
_IMAGE_EDITS = ("DETECTION", "GENERATIVE_FILL", "PIXELATE", "PROMPT_EDITING", "REFRAME", "REMOVE_BACKGROUND", "UPSCALE")


@dataclass(frozen=True, eq=False)
class Seed:
    """One asset of the natural catalogue, and what its variations in a grown one share."""

    key: str
    kind: Kind
    type: str
    source: str
    mime: str
    name: str
    created: dt.datetime
    load: Callable[[], bytes]
    """The file itself."""
    facts: Callable[[bytes], dict[str, Any]] | None = None
    """``properties`` besides the size, read from the file."""
    prompt: str | None = None
    negative_prompt: str | None = None
    number: int | None = None
    """The generator's seed."""
    model_id: str | None = None
    style: str | None = None
    description: str | None = None
    caption: str | None = None
    tags: tuple[str, ...] = ()
    nsfw: tuple[str, ...] = ()
    public: bool = False
    picture: Picture | None = None
    """The shipped picture that this asset is (images) or is shown by (3D, video)."""
    parent: str | None = None
    """Key of the seed whose asset this one was made from, or is shown by."""
    pixels: tuple[int, int] | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    """Further keys of ``metadata``."""
    upload: tuple[Callable[[], bytes], str] | None = None
    """The file as it was uploaded and its media type, where the service re-encoded it and kept that."""
    beside: Beside | None = None
    """The files a mesh needs to show its materials."""

    @cached_property
    def properties(self) -> dict[str, Any]:
        content = self.load()
        size = {"width": self.pixels[0], "height": self.pixels[1]} if self.pixels else {}
        return {"size": len(content), **size, **(self.facts(content) if self.facts else {})}

    @cached_property
    def collections(self) -> tuple[str, ...]:
        """Names of the collections it is in from the start."""
        return tuple(name for name, tags in COLLECTIONS.items() if tags.intersection(self.tags))

    @property
    def edits(self) -> list[str]:
        return list(_IMAGE_EDITS) if self.kind == "image" else []


def _image(image: library.Generated, name: str, *, public: bool) -> Seed:
    return Seed(
        key=image.key,
        kind="image",
        type="inference-txt2img",
        source="inference-txt",
        mime="image/webp",
        name=f"{name}, {image.style}",
        created=image.created,
        load=partial(library.picture, "generated", image.key),
        prompt=image.prompt,
        negative_prompt=image.negative_prompt,
        number=image.seed,
        model_id=image.model_id,
        style=image.style,
        caption=f"A rendered picture of: {name.lower()}, {image.style} light",
        tags=image.tags,
        public=public,
        picture=("generated", image.key),
        pixels=library.size("generated", image.key),
        parameters={"guidance": 3.5, "numInferenceSteps": 28, "scheduler": "EulerDiscreteScheduler"},
    )


def _upload(building: library.Building, created: dt.datetime) -> Seed:
    return Seed(
        key=f"upload-{building.key}",
        kind="image",
        type="uploaded",
        source="uploaded",
        mime="image/png",
        name=f"{building.name} reference.png",
        created=created,
        load=partial(library.encoded, "building", building.key, width=400, format="PNG"),
        description=building.description,
        tags=("reference", "architecture"),
        picture=("building", building.key),
        pixels=(400, 250),
    )


def _others(images: dict[str, Seed]) -> list[Seed]:
    start = dt.datetime(2026, 1, 19, 10, 4, 7, tzinfo=dt.UTC)
    step = dt.timedelta(days=7, hours=5, minutes=3)
    buildings = {building.key: building for building in library.buildings()}
    made = [_upload(buildings[key], start + step * n) for n, key in enumerate(("fzk-house", "weir-road-bridge"))]
    made.append(
        Seed(
            "fzk-house-model", "3d", "uploaded-3d", "uploaded-3d", "model/gltf-binary", "FZK House.glb",
            start + step * 2, media.house, media.glb_facts, description=buildings["fzk-house"].description,
            tags=("architecture", "mesh"), picture=("building", "fzk-house"), parent="upload-fzk-house",
        )
    )  # fmt: skip
    objects = {model.key: model for model in library.objects()}
    for n, (key, shown) in enumerate((("crate", "crate-studio-1"), ("barrel", "barrel-warm-1"))):
        model = objects[key]
        made.append(
            Seed(
                f"{key}-mesh", "3d", "uploaded-3d", "uploaded-3d", "model/obj", f"{model.name}.obj",
                start + step * (3 + n), partial(media.obj, model.model), media.obj_facts,
                description=f"{model.name} by {model.creator}, {model.licence}.",
                tags=("mesh", key), picture=("generated", shown), parent=shown,
                beside=partial(media.beside_obj, model.model),
            )
        )  # fmt: skip
    for n, (key, facts) in enumerate(sorted(media.videos().items())):
        image = images[key]
        made.append(
            Seed(
                f"{key}-pan", "video", "img2video", "img2video", "video/mp4", f"{image.name}, slow push-in",
                start + step * (5 + n), partial(media.video, key), partial(_constant, facts),
                prompt=f"slow push-in on {image.prompt}", number=7_001 + n, model_id="model_camera-moves",
                tags=(*image.tags, "motion"), picture=image.picture, parent=key,
                pixels=(int(facts["width"]), int(facts["height"])), parameters={"image": key},
            )
        )  # fmt: skip
    for n, (pitch, frequency) in enumerate((("low", 196.0), ("high", 523.25))):
        made.append(
            Seed(
                f"tone-{pitch}", "audio", "txt2audio", "txt2audio", "audio/wav", f"Struck bar, {pitch}",
                start + step * (7 + n), partial(media.tone, frequency, 2.0), partial(_constant, media.tone_facts(2.0)),
                prompt=f"a single {pitch} note on a metal bar, dry room", number=9_101 + n,
                model_id="model_struck-tones", tags=("sound", "music"),
            )
        )  # fmt: skip
    made.append(
        Seed(
            "tone-uploaded", "audio", "uploaded-audio", "uploaded-audio", "audio/mpeg", "Struck bar, doorbell.wav",
            start + step * 10, media.doorbell, partial(_constant, media.doorbell_facts()),
            description="A struck bar for the doorbell, uploaded as WAV.", tags=("sound",),
            upload=(partial(media.tone, *media.DOORBELL), "audio/wav"),
        )
    )  # fmt: skip
    traced = images["crate-golden-hour-2"]
    made.append(
        Seed(
            "crate-vector", "image", "vectorization", "vectorization", "image/svg+xml", f"{traced.name}, vectorized",
            start + step * 11, partial(vectors.traced, "generated", traced.key),
            description="Flat colours, traced for print.", tags=("vector",), picture=traced.picture, parent=traced.key,
            pixels=traced.pixels,
        )
    )  # fmt: skip
    text = "\n".join(f"{image.name}: {image.prompt}" for image in images.values()).encode()
    made.append(
        Seed(
            "prompt-book", "text", "uploaded-text", "uploaded-text", "text/plain", "Prompt book.txt", start + step * 9,
            lambda: text, media.text_facts, description="Every prompt of this project, one a line.", tags=("notes",),
        )
    )  # fmt: skip
    return made


def _constant(facts: dict[str, Any], content: bytes) -> dict[str, Any]:
    return facts


def _images() -> dict[str, Seed]:
    names = {model.key: model.name for model in library.objects()}
    return {
        image.key: _image(image, names[image.object_key], public=n % 9 == 4)
        for n, image in enumerate(library.generated())
    }


@lru_cache(maxsize=1)
def own_seeds() -> tuple[Seed, ...]:
    """The main project's natural catalogue, the generated images first."""
    images = _images()
    return (*images.values(), *_others(images))


@lru_cache(maxsize=1)
def foreign_seeds() -> tuple[Seed, ...]:
    """A few assets of another organisation; two of the four are public."""
    images = list(_images().values())[-4:]
    names = ("Ward corridor study", "Reception desk study", "Shelf mock-up", "Wash room mood")
    return tuple(
        Seed(
            f"foreign-{seed.key}", "image", seed.type, seed.source, seed.mime, name, seed.created, seed.load,
            prompt=seed.prompt, negative_prompt=seed.negative_prompt, number=n + 11, model_id=seed.model_id,
            style=seed.style, tags=seed.tags, public=n % 2 == 0, picture=seed.picture, pixels=seed.pixels,
        )
        for n, (seed, name) in enumerate(zip(images, names, strict=True))
    )  # fmt: skip
