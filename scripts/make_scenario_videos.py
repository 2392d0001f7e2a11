"""Make the two short videos that the emulated Scenario service holds, a slow push-in on a shipped picture, and its MP3.

    python scripts/make_scenario_videos.py

Needs PyAV (``pip install av``), which nothing else does: that is why the results are kept in the repository.
"""

from __future__ import annotations

import io
import json
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image

from ipyassets.sandbox import library
from ipyassets.sandbox.scenario import media

FOLDER = Path(__file__).parents[1] / "src" / "ipyassets" / "sandbox" / "scenario" / "media"
KEYS = ("coffee-cup-warm-1", "forklift-studio-1")
WIDTH = 384
RATE, FRAMES = 12, 36
CLOSEST = 0.72


def frames(key: str) -> list[Image.Image]:
    """Crops around the middle, from the whole picture down to `CLOSEST` of it."""
    with Image.open(io.BytesIO(library.picture("generated", key))) as stored:
        picture = stored.convert("RGB")
    # H.264 with 4:2:0 colours wants even sides.
    size = (WIDTH, round(WIDTH * picture.height / picture.width / 2) * 2)
    made = []
    for n in range(FRAMES):
        share = 1 - (1 - CLOSEST) * n / (FRAMES - 1)
        x, y = picture.width * (1 - share) / 2, picture.height * (1 - share) / 2
        box = (x, y, picture.width - x, picture.height - y)
        made.append(picture.resize(size, Image.Resampling.BICUBIC, box=box))
    return made


def doorbell() -> None:
    """The tone that was "uploaded as WAV"."""
    with (
        av.open(io.BytesIO(media.tone(*media.DOORBELL))) as tone,
        av.open(str(FOLDER / "doorbell.mp3"), "w", format="mp3") as container,
    ):
        stream = container.add_stream("libmp3lame", rate=22_050)
        stream.bit_rate = 48_000
        stream.layout = "mono"
        for frame in tone.decode(audio=0):
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    facts = {}
    for key in KEYS:
        path = FOLDER / f"{key}.mp4"
        images = frames(key)
        with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
            stream = container.add_stream("libx264", rate=RATE, options={"crf": "27", "preset": "slow"})
            stream.width, stream.height = images[0].size
            stream.pix_fmt = "yuv420p"
            stream.time_base = Fraction(1, RATE)
            for image in images:
                container.mux(stream.encode(av.VideoFrame.from_image(image)))
            container.mux(stream.encode())
        seconds = FRAMES / RATE
        facts[key] = {
            "width": images[0].width,
            "height": images[0].height,
            "duration": seconds,
            "frameRate": RATE,
            "nbFrames": FRAMES,
            "bitrate": round(path.stat().st_size * 8 / seconds),
            "codecName": "h264",
        }
    doorbell()
    (FOLDER / "videos.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
