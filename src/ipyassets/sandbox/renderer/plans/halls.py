"""Wide roofs: station, glasshouse, grandstand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ipyassets.sandbox.renderer.model import Model
from ipyassets.sandbox.renderer.plans.draft import Draft

__all__ = ["botanical_glasshouse", "central_station_hall", "riverside_grandstand"]


def central_station_hall() -> Model:
    """A glazed barrel vault over two island platforms, a head building in front."""
    d = Draft("Central Station Hall")
    ground, platform, edge = d.paint("ballast", "#a59f95"), d.paint("platform", "#d7d2c7"), d.paint("edge", "#f0ede4")
    steel, pane, rail = (
        d.paint("arch", "#4c5f66", roughness=0.4, metallic=0.3),
        d.paint("pane", "#bcd6da", roughness=0.08, alpha=0.35),
        d.paint("rail", "#6b5f58", metallic=0.5),
    )
    stone, glass, train, stripe = (
        d.paint("stone", "#dcc9a6"),
        d.glass(),
        d.paint("train", "#e8e8e4", roughness=0.3),
        d.paint("stripe", "#b5382e"),
    )
    half, rise, spring = 17.0, 10.5, 6.0
    d.box(ground, 0, 0, 0, 42, 0.5, 60)
    for x in (-8.2, 8.2):
        d.box(platform, x, 0.5, -1, 6, 1, 56)
        d.box(edge, x, 1.5, -1, 6.1, 0.08, 56)
        for z in np.arange(-26, 25, 6.5):
            d.box(steel, x, 1.5, float(z), 1.6, 0.5, 0.5)
    for x in (-13.6, -2.6, 2.6, 13.6):
        for side in (-0.72, 0.72):
            d.box(rail, x + side, 0.5, 0, 0.12, 0.25, 60)
    for x, start in ((-13.6, -6), (2.6, 2)):
        for k in range(2):
            z = start - k * 17.5
            d.box(train, x, 1.0, z, 2.9, 3.4, 17)
            d.box(glass, x, 2.6, z, 2.96, 1.0, 15.6)
            d.box(stripe, x, 1.4, z, 2.98, 0.5, 17)
            d.box(steel, x, 4.4, z, 2.2, 0.35, 16)
    turn = np.linspace(0, np.pi, 21)
    arc = np.stack([-half * np.cos(turn), spring + rise * np.sin(turn)], 1)
    for z in np.arange(-27, 19, 5.0):
        for a, b in pairwise(arc):
            d.beam(steel, (a[0], a[1], z), (b[0], b[1], z), 0.4, 0.7)
        for side in (-half, half):
            d.beam(steel, (side, 0.5, z), (side, spring, z), 0.6)
    for a in arc[1:-1]:
        d.beam(steel, (a[0], a[1], -27), (a[0], a[1], 18), 0.16, 0.22)
    d.skin(pane, [np.insert(arc * (0.995, 1) + (0, 0.35), 2, z, 1) for z in (-27.0, 18.0)])
    for side in (-half, half):
        d.box(stone, side, 0.5, -4.5, 0.9, spring - 0.4, 45)
    d.box(stone, 0, 0.5, 23.5, 40, 11, 9)
    d.box(edge, 0, 11.5, 23.5, 41, 0.7, 10)
    d.box(stone, 0, 12.2, 23.5, 14, 3.4, 8)
    d.box(edge, 0, 15.6, 23.5, 15, 0.5, 9)
    arch = np.linspace(0, np.pi, 13)
    for x in (-15, -10, -5, 0, 5, 10, 15):
        outline = [
            (x - 1.6, 0.9),
            (x + 1.6, 0.9),
            *[(x + 1.6 * float(np.cos(t)), 6.6 + 1.6 * float(np.sin(t))) for t in arch],
        ]
        d.profile(glass, outline, 27.9, 28.15)
        d.box(edge, x, 9.1, 28.05, 3.4, 1.4, 0.15)
        d.box(glass, x, 9.3, 28.1, 2.4, 1.0, 0.15)
    d.revolve(edge, [(0, 0), (1.3, 0), (1.3, 0.3), (0, 0.3)], 0, 0, sides=4)
    d.tube(edge, (0, 13.9, 27.4), (0, 13.9, 27.7), 1.2, sides=32)
    d.tube(steel, (0, 13.9, 27.65), (0, 13.9, 27.75), 0.12)
    d.box(steel, 0, 13.9, 27.75, 0.1, 0.9, 0.04)
    d.box(steel, 0.3, 13.85, 27.75, 0.6, 0.1, 0.04)
    return d.model()


def botanical_glasshouse() -> Model:
    """A palm house: a central dome of glass and steel with two vaulted wings."""
    d = Draft("Botanical Glasshouse")
    lawn, path, stone = d.paint("lawn", "#a2b97c"), d.paint("path", "#dccfb4"), d.paint("plinth", "#e3ddd0")
    frame, pane, soil = (
        d.paint("frame", "#f3f4f0", roughness=0.4),
        d.paint("pane", "#c4dedb", roughness=0.06, alpha=0.3),
        d.paint("soil", "#8a7358"),
    )
    d.box(lawn, 0, 0, 0, 56, 0.3, 34)
    d.box(path, 0, 0.3, 12, 5, 0.05, 10)
    d.box(path, 0, 0.3, 12, 40, 0.05, 2.6)
    d.cylinder(stone, 0, 0.3, 0, 8.6, 1.0, sides=16)
    d.cylinder(soil, 0, 1.3, 0, 7.6, 0.1, sides=16)
    turn = np.linspace(0, 2 * np.pi, 17)
    outline = [(8.0, 1.3), (8.0, 7.4), (7.5, 9.6), (6.1, 11.6), (4.0, 13.0), (2.0, 13.7)]
    rings = [np.stack([r * np.sin(turn), np.full(17, y), r * np.cos(turn)], 1) for r, y in outline]
    d.skin(pane, rings)
    for low, high in pairwise(rings):
        for k in range(16):
            d.beam(frame, tuple(low[k]), tuple(high[k]), 0.2)
            d.beam(frame, tuple(high[k]), tuple(high[k + 1]), 0.16)
    for a, b in pairwise(rings[0]):
        for y in (3.3, 5.3):
            d.beam(frame, (a[0], y, a[2]), (b[0], y, b[2]), 0.1)
    d.revolve(
        frame, [(2.0, 13.7), (2.1, 14.0), (1.5, 14.3), (1.5, 15.8), (1.7, 16.0), (0.6, 17.0), (0, 17.2)], sides=16
    )
    d.tube(frame, (0, 17, 0), (0, 19.4, 0), 0.08)
    arc = np.linspace(0, np.pi, 11)
    section = np.stack([-5.2 * np.cos(arc), 3.6 + 3.8 * np.sin(arc)], 1)
    section = np.concatenate([[(-5.2, 1.1)], section, [(5.2, 1.1)]])
    for side in (-1.0, 1):
        d.box(stone, side * 16.3, 0.3, 0, 17.4, 0.8, 10.8)
        stations = [side * x for x in np.linspace(8.2, 24.8, 9)]
        lines = [np.stack([np.full(len(section), x), section[:, 1], section[:, 0]], 1) for x in stations]
        d.skin(pane, [lines[0], lines[-1]])
        for line in lines:
            for a, b in pairwise(line):
                d.beam(frame, tuple(a), tuple(b), 0.17)
        for k in range(1, len(section) - 1):
            d.beam(frame, tuple(lines[0][k]), tuple(lines[-1][k]), 0.1)
        end = lines[-1]
        d.add(pane, np.array([[end[0], end[k], end[k + 1]] for k in range(1, len(end) - 1)]))
        for z in (-3.0, -1, 1, 3):
            d.beam(frame, (stations[-1], 1.1, z), (stations[-1], 6.4 - abs(z) * 0.25, z), 0.12)
        for k, x in enumerate(np.linspace(10.5, 23, 6)):
            d.tree(side * float(x), (-1.6, 1.7)[k % 2], 3.6 + k % 3 * 0.5, 1.1)
    for x, z, height in ((0, 0, 11), (3.6, 2.5, 7), (-3.8, 2.2, 7.5), (3, -3.6, 6.5), (-3, -3.4, 7)):
        d.tree(x, z, height, 1.4)
    d.box(stone, 0, 0.3, 9, 3.4, 4.4, 2.2)
    d.box(d.glass(), 0, 0.6, 10.1, 2.2, 3.4, 0.2)
    d.profile(frame, [(-2, 4.7), (2, 4.7), (0, 6)], 7.6, 10.4)
    for x in (-22, -16, 16, 22):
        d.tree(x, 12.5, 4.4, 0.3)
    for x in np.arange(-18, 19, 4.0):
        if abs(x) > 4:
            d.ball(d.leaf, (float(x), 0.6, 9.2), 0.8)
    return d.model()


def riverside_grandstand() -> Model:
    """Twenty rows under a cantilevered roof, in front of a running track."""
    d = Draft("Riverside Grandstand")
    turf, track, line = d.paint("turf", "#8fb067"), d.paint("track", "#b5583f"), d.paint("line", "#f5efe6")
    concrete, steel, roof = (
        d.paint("concrete", "#d9d6ce"),
        d.paint("steel", "#eceeee", roughness=0.35),
        d.paint("roof", "#c6d0d4", roughness=0.4),
    )
    seats = [d.paint("seat", c, roughness=0.5) for c in ("#2f6fa8", "#e8e6df", "#2b5f93")]
    glass, dark = d.glass(), d.paint("dark", "#596268")
    d.box(turf, 0, 0, 10, 74, 0.3, 40)
    d.box(track, 0, 0.3, 13, 74, 0.05, 8.6)
    for k in range(8):
        d.box(line, 0, 0.35, 9 + k * 1.22, 74, 0.02, 0.08)
    rows, tread, riser = 20, 0.8, 0.42
    for k in range(rows):
        y, z = 1.4 + k * riser, 5.0 - k * tread
        d.box(concrete, 0, y - 0.5, z - 0.2, 60, 0.62, tread + 0.42)
        for block in range(6):
            x = -24.5 + block * 9.8
            paint = seats[(block + (k // 7)) % 3]
            for seat in np.linspace(x - 4.0, x + 4.0, 14):
                d.box(paint, float(seat), y + 0.12, z + 0.05, 0.46, 0.3, 0.4)
                d.box(paint, float(seat), y + 0.3, z - 0.16, 0.46, 0.42, 0.08)
    d.box(concrete, 0, 0.3, 5.6, 60, 1.2, 0.3)
    back = 5.0 - rows * tread
    d.box(concrete, 0, 0.3, back - 1.2, 60, 10.6, 2.0)
    d.windows(glass, np.arange(-27.5, 28, 5.0), (1.2, 4.6, 7.8), back - 2.2, 3.6, 2.2, depth=0.2)
    for x in np.arange(-28, 28.1, 7.0):
        x_ = float(x)
        d.beam(steel, (x_, 0.3, back - 2.6), (x_, 20.4, back - 3.6), 0.6)
        d.beam(steel, (x_, 16.6, back - 3.2), (x_, 18.4, 6.5), 0.35, 0.6)
        d.beam(steel, (x_, 20.3, back - 3.5), (x_, 18.2, -2.0), 0.18)
        d.beam(steel, (x_, 20.3, back - 3.5), (x_, 18.6, 4.0), 0.14)
        d.beam(steel, (x_, 20.3, back - 3.6), (x_, 4, back - 7), 0.16)
        d.beam(concrete, (x_, 10, back), (x_, 1.5, 4), 0.4)
        d.beam(dark, (x_ + 0.0, 11, back + 0.2), (x_, 16.7, back - 3), 0.3)
    outline = [(back - 4.5, 16.9), (back - 4.5, 17.1), (7.4, 18.95), (7.4, 18.75)]
    d.side_profile(roof, outline, -31, 31)
    for x in np.arange(-30, 30.5, 2.0):
        d.beam(steel, (float(x), 17.2, back - 4.3), (float(x), 19.05, 7.2), 0.12)
    d.box(dark, 0, 18.2, 7.3, 50, 0.35, 0.3)
    for x in (-33, 33):
        d.tube(steel, (x, 0.3, 2), (x, 24, 2), 0.25)
        d.box(dark, x, 23.6, 2.3, 4, 2.2, 0.5)
        d.box(line, x, 23.8, 2.6, 3.6, 1.8, 0.1)
    return d.model()
