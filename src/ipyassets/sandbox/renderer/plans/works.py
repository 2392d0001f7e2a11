"""Places of work and machinery: plant, tower, warehouse, mill."""

from __future__ import annotations

import numpy as np

from ipyassets.sandbox.renderer.model import Model
from ipyassets.sandbox.renderer.plans.draft import Draft

__all__ = [
    "airfield_control_tower",
    "chilled_water_plant_room",
    "hilltop_water_tower",
    "logistics_warehouse",
    "weaving_mill",
]


def chilled_water_plant_room() -> Model:
    """A room cut open: two chillers, three pumps, a tank, headers and panels."""
    d = Draft("Chilled Water Plant Room")
    floor, wall, plinth = (
        d.paint("floor", "#a9b0b3", roughness=0.4),
        d.paint("wall", "#e7e5df"),
        d.paint("plinth", "#c8c6c0"),
    )
    chiller, dark, motor = (
        d.paint("chiller", "#d9dcdd", roughness=0.4),
        d.paint("dark", "#4a5055", roughness=0.5),
        d.paint("motor", "#2f6aa5", roughness=0.35),
    )
    cold, warm, metal = (
        d.paint("chilled water", "#3f7fb5", roughness=0.35),
        d.paint("condenser water", "#5d9a62", roughness=0.35),
        d.paint("metal", "#c2c6c8", roughness=0.25, metallic=0.7),
    )
    red, panel, yellow = (
        d.paint("valve", "#c23a2e", roughness=0.4),
        d.paint("panel", "#8f9aa0", roughness=0.4),
        d.paint("marking", "#e3b53a"),
    )
    d.box(floor, 0, 0, 0, 18, 0.3, 12)
    d.box(wall, 0, 0.3, -6.1, 18.4, 5, 0.3)
    d.box(wall, -9.1, 0.3, 0, 0.3, 5, 12)
    for x in (-4.8, 1.6):
        d.box(plinth, x, 0.3, -1.6, 5.6, 0.2, 2.6)
        for z in (-2.1, -1.0):
            d.tube(chiller if z < -2 else dark, (x - 2.4, 1.15, z), (x + 2.4, 1.15, z), 0.52, sides=28)
            for end in (-2.4, 2.4):
                d.tube(dark, (x + end - 0.1, 1.15, z), (x + end + 0.1, 1.15, z), 0.6, sides=28)
        d.tube(chiller, (x - 1.3, 2.15, -1.55), (x + 1.1, 2.15, -1.55), 0.5, sides=28)
        d.tube(motor, (x + 1.1, 2.15, -1.55), (x + 2.0, 2.15, -1.55), 0.38, sides=24)
        d.box(panel, x - 0.2, 1.1, -0.32, 1.5, 1.4, 0.25)
        d.box(dark, x - 0.2, 1.9, -0.18, 0.6, 0.35, 0.05)
        for dx, paint in ((-1.7, cold), (-0.9, cold), (0.9, warm), (1.7, warm)):
            d.pipe(
                paint,
                [(x + dx, 1.6, -2.3), (x + dx, 3.3 + 0.35 * (dx > 0), -2.3), (x + dx, 3.3 + 0.35 * (dx > 0), -4.3)],
                0.17,
            )
            d.tube(red, (x + dx, 2.55, -2.3), (x + dx, 2.75, -2.3), 0.24, sides=20)
    for y, paint in ((3.3, cold), (3.65, warm)):
        d.pipe(paint, [(-8.4, y, -4.3), (8.2, y, -4.3)], 0.24)
    for k, x in enumerate((-5.5, -2.5, 0.5)):
        d.box(plinth, x, 0.3, 3.6, 1.5, 0.35, 2.4)
        d.tube(motor, (x, 1.15, 3.5), (x, 1.15, 4.7), 0.34, sides=24)
        d.tube(dark, (x, 1.15, 2.9), (x, 1.15, 3.5), 0.2, sides=20)
        d.tube(motor, (x, 1.15, 2.5), (x, 1.15, 2.95), 0.5, sides=28)
        d.pipe(cold, [(x, 1.15, 2.6), (x, 1.15, 1.9), (x, 4.1, 1.9), (x, 4.1, -4.3 + 0.4 * k)], 0.15)
        d.pipe(cold, [(x, 1.5, 2.7), (x, 2.9, 2.7), (x + 0.9, 2.9, 2.7), (x + 0.9, 4.4, 2.7)], 0.13)
        d.tube(red, (x, 2.1, 2.7), (x, 2.3, 2.7), 0.2, sides=20)
    d.pipe(cold, [(-5.6, 4.4, 2.7), (6.2, 4.4, 2.7), (6.2, 3.4, 2.7)], 0.2)
    d.revolve(metal, [(0, 0.6), (0.9, 0.7), (1.05, 1.0), (1.05, 3.0), (0.9, 3.3), (0, 3.42)], 6.2, 2.7)
    for turn in range(3):
        a = turn * 2 * np.pi / 3
        d.tube(
            dark,
            (6.2 + 0.8 * np.sin(a), 0.3, 2.7 + 0.8 * np.cos(a)),
            (6.2 + 0.8 * np.sin(a), 0.9, 2.7 + 0.8 * np.cos(a)),
            0.07,
        )
    for x in (5.3, 6.3, 7.3):
        d.box(panel, x, 0.3, -5.6, 0.95, 2.2, 0.6)
        d.box(dark, x, 1.9, -5.28, 0.5, 0.3, 0.04)
    for x in (-8.2, 8.3):
        d.box(yellow, x, 0.3, 1.2, 0.12, 0.02, 9)
    d.box(yellow, 0, 0.3, 5.6, 16.6, 0.02, 0.12)
    return d.model()


def hilltop_water_tower() -> Model:
    """A concrete cone on a ribbed shaft."""
    d = Draft("Hilltop Water Tower")
    grass, concrete, dark = d.paint("grass", "#9db47a"), d.paint("concrete", "#d8d4ca"), d.paint("joint", "#aaa59a")
    glass, rail, path = d.glass(), d.paint("rail", "#5e676c", metallic=0.5, roughness=0.4), d.paint("path", "#d9cfba")
    d.revolve(grass, [(0, 2.4), (6, 2.2), (12, 1.2), (16, 0.4), (16, 0)], sides=56)
    d.cylinder(path, 0, 2.2, 0, 5.4, 0.3, sides=40)
    d.revolve(concrete, [(2.9, 2.4), (2.5, 8), (2.4, 22), (2.9, 25)], sides=40)
    for k in range(12):
        s, c = float(np.sin(k * np.pi / 6)), float(np.cos(k * np.pi / 6))
        d.beam(concrete, (3.1 * s, 2.4, 3.1 * c), (2.55 * s, 24.5, 2.55 * c), 0.35)
        d.beam(dark, (3.2 * s, 25.6, 3.2 * c), (9.35 * s, 32.6, 9.35 * c), 0.25)
    d.revolve(concrete, [(2.9, 25), (9.2, 32.5), (9.5, 33.4), (9.5, 34.6), (9.1, 34.9)], sides=56)
    d.revolve(dark, [(9.55, 33.3), (9.62, 33.3), (9.62, 33.6), (9.55, 33.6)], sides=56)
    d.revolve(concrete, [(9.1, 34.9), (6, 36), (2.2, 36.8), (2.2, 38.6), (0, 39.2)], sides=56)
    for k in range(10):
        s, c = float(np.sin(k * np.pi / 5)), float(np.cos(k * np.pi / 5))
        d.box(glass, 2.2 * s, 37.2, 2.2 * c, 0.6, 0.9, 0.6)
    turn = np.linspace(0, 2 * np.pi, 33)
    for k in range(32):
        a = (9.2 * float(np.sin(turn[k])), 9.2 * float(np.cos(turn[k])))
        b = (9.2 * float(np.sin(turn[k + 1])), 9.2 * float(np.cos(turn[k + 1])))
        d.tube(rail, (a[0], 36.0, a[1]), (b[0], 36.0, b[1]), 0.06, sides=6)
        d.tube(rail, (a[0], 34.8, a[1]), (a[0], 36.0, a[1]), 0.05, sides=6)
    d.box(glass, 0, 2.5, 2.75, 1.3, 2.3, 0.5)
    for y in (8.0, 12, 16, 20):
        d.box(glass, 0, y, 2.35, 0.6, 1.2, 0.4)
    for x, z, y, size in ((10, 5, 1.4, 7), (-9.5, 6, 1.5, 6), (-11, -4, 1.2, 8), (9, -8, 1.2, 7), (3, 12, 1.0, 5)):
        d.tree(x, z, size, y)
    return d.model()


def logistics_warehouse() -> Model:
    """A high-bay hall with loading docks, lorries and an office head."""
    d = Draft("Logistics Warehouse")
    yard, panel, band = (
        d.paint("yard", "#c2c3c0"),
        d.paint("panel", "#dfe3e4", roughness=0.5),
        d.paint("band", "#2f6c9c", roughness=0.5),
    )
    door, dock, glass = d.paint("door", "#f1f1ee"), d.paint("dock", "#3b4045"), d.glass()
    roof, line, lorry = (
        d.paint("roof", "#c9cdcf"),
        d.paint("line", "#f2d24b"),
        d.paint("trailer", "#eceae4", roughness=0.4),
    )
    cabs = [d.paint("cab", c, roughness=0.25) for c in ("#b8332b", "#2b5a8a", "#e0a32f")]
    d.box(yard, 0, 0, 4, 84, 0.3, 62)
    d.box(panel, 0, 0.3, -6, 70, 11, 36)
    d.box(band, 0, 9.3, -6, 70.3, 1.4, 36.3)
    d.box(roof, 0, 11.3, -6, 70.6, 0.5, 36.6)
    for x in np.arange(-30, 31, 6.0):
        for z in (-16.0, -6, 4):
            d.box(glass, float(x), 11.8, z, 1.6, 0.5, 5)
    for x in np.arange(-34.5, 35, 3.0):
        d.box(roof, float(x), 0.3, 12.05, 0.12, 9, 0.12)
    for k in range(10):
        x = -27 + k * 5.0
        d.box(dock, x, 1.2, 12.2, 3.7, 4.1, 0.5)
        d.box(door, x, 1.4, 12.35, 2.8, 3.4, 0.4)
        d.box(dock, x, 0.3, 12.5, 3.2, 0.9, 0.9)
        d.box(line, x - 2.4, 0.3, 21, 0.16, 0.03, 17)
        if k in {1, 2, 5, 8}:
            d.box(lorry, x, 1.5, 19, 2.6, 2.9, 12)
            d.box(dock, x, 0.8, 19.5, 1.2, 0.7, 13)
            d.box(cabs[k % 3], x, 0.9, 26.6, 2.5, 2.8, 2.2)
            d.box(glass, x, 2.3, 27.72, 2.3, 1.0, 0.1)
            for z in (15, 16.4, 23, 26.6):
                for side in (-1, 1):
                    d.tube(dock, (x + side * 0.8, 0.8, z), (x + side * 1.2, 0.8, z), 0.5)
    d.box(panel, 30, 0.3, 15, 10, 7.4, 8)
    for y in (1.3, 4.6):
        d.box(glass, 30, y, 19.02, 9, 2, 0.2)
        d.box(glass, 35.02, y, 15, 0.2, 2, 7)
    d.box(band, 30, 7.7, 15, 10.4, 0.6, 8.4)
    for x, z in ((38, 30), (38, 20), (-38, 30), (-39, 10), (-39, -10), (30, 32)):
        d.tree(x, z, 6, 0.3)
    return d.model()


def weaving_mill() -> Model:
    """Saw-tooth sheds, brick walls, a chimney."""
    d = Draft("Weaving Mill")
    yard, brick, stone = (
        d.paint("yard", "#bdb6a8"),
        d.paint("brick", "#9c4f3a", roughness=0.9),
        d.paint("stone", "#d8cbb4"),
    )
    slate, glass, iron = (
        d.paint("slate", "#5f6870", roughness=0.6),
        d.glass("#5d7f8c"),
        d.paint("iron", "#33383b", roughness=0.5),
    )
    d.box(yard, 0, 0, 0, 62, 0.4, 42)
    teeth, pitch = 7, 6.4
    for k in range(teeth):
        x = -25 + k * pitch
        d.box(brick, x + pitch / 2, 0.4, -2, pitch, 5.2, 28)
        d.profile(brick, [(x, 5.6), (x + pitch, 5.6), (x + 0.4, 9)], -16, -15.5)
        d.profile(brick, [(x, 5.6), (x + pitch, 5.6), (x + 0.4, 9)], 11.5, 12)
        d.quad(
            slate,
            (x + 0.3, 9.15, -16.2),
            (x + 0.3, 9.15, 12.2),
            (x + pitch + 0.15, 5.55, 12.2),
            (x + pitch + 0.15, 5.55, -16.2),
        )
        d.quad(glass, (x, 5.7, -15.5), (x, 5.7, 11.5), (x + 0.3, 9, 11.5), (x + 0.3, 9, -15.5))
        for z in np.arange(-15, 12, 1.8):
            d.beam(iron, (x - 0.04, 5.7, float(z)), (x + 0.26, 9, float(z)), 0.1)
        for dx in (1.7, 4.7):
            d.box(stone, x + dx, 1.2, 12, 1.9, 3.4, 0.2)
            d.box(glass, x + dx, 1.5, 12.08, 1.5, 2.9, 0.2)
            d.box(iron, x + dx, 1.5, 12.14, 0.1, 2.9, 0.2)
            d.box(iron, x + dx, 2.9, 12.14, 1.5, 0.1, 0.2)
        d.box(stone, x + pitch / 2, 5.3, 12.05, pitch, 0.3, 0.2)
    d.box(brick, 24.4, 0.4, 0, 9, 11.5, 14)
    d.side_profile(slate, [(-7.6, 11.9), (7.6, 11.9), (0, 15.4)], 19.6, 29.2)
    d.windows(stone, (21.6, 24.4, 27.2), (1.6, 5.2, 8.6), 7.0, 1.7, 2.4, depth=0.2)
    d.windows(glass, (21.6, 24.4, 27.2), (1.8, 5.4, 8.8), 7.08, 1.3, 2.0, depth=0.2)
    d.windows(stone, (-4.4, 0, 4.4), (1.6, 5.2, 8.6), 28.9, 1.7, 2.4, depth=0.2, along_z=True)
    d.windows(glass, (-4.4, 0, 4.4), (1.8, 5.4, 8.8), 28.98, 1.3, 2.0, depth=0.2, along_z=True)
    d.box(stone, 25, 0.4, -13, 4.6, 2.4, 4.6)
    d.revolve(brick, [(2, 2.8), (1.25, 29), (1.5, 29.4), (1.5, 30.4), (1.0, 30.4), (1.0, 28)], 25, -13, sides=24)
    for y in (10, 17, 24):
        radius = 2.05 - (y - 2.8) / 26.2 * 0.75
        d.revolve(
            iron,
            [(radius - 0.05, y), (radius + 0.05, y), (radius + 0.05, y + 0.25), (radius - 0.05, y + 0.25)],
            25,
            -13,
            sides=24,
        )
    for x, z in ((-28, 17), (-20, 18.5), (-12, 17.5), (6, 18.2), (14, 17.4), (28, 17), (28.5, -18)):
        d.tree(x, z, 5.8, 0.4)
    return d.model()


def airfield_control_tower() -> Model:
    """A glazed cab on a tapered shaft, with an annex."""
    d = Draft("Airfield Control Tower")
    apron, concrete, white = d.paint("apron", "#b5b9b6"), d.paint("concrete", "#d9d7d0"), d.paint("white", "#f0f0ec")
    glass, steel, red = (
        d.glass("#1f4a52"),
        d.paint("steel", "#7d878c", roughness=0.35, metallic=0.4),
        d.paint("red", "#c43d2f"),
    )
    grass = d.paint("grass", "#a5b580")
    d.box(grass, 0, 0, 0, 34, 0.3, 28)
    d.box(apron, 3, 0.3, 8, 26, 0.06, 10)

    def ring(radius: float, y: float, sides: int = 8) -> np.ndarray:
        turn = (np.arange(sides) + 0.5) * 2 * np.pi / sides
        return np.stack([radius * np.sin(turn), np.full(sides, y), radius * np.cos(turn)], 1)

    d.loft(concrete, ring(3.4, 0.3), ring(2.5, 24))
    for y in np.arange(4, 23, 3.1):
        d.box(glass, 0, float(y), 3.2 - 0.037 * float(y), 1.1, 1.5, 0.35)
    d.loft(white, ring(2.5, 24), ring(5.0, 26.4))
    d.loft(white, ring(5.0, 26.4), ring(5.0, 27.6))
    d.loft(steel, ring(5.5, 27.6), ring(5.5, 27.8))
    d.loft(glass, ring(4.1, 27.8), ring(5.0, 31.4))
    for a, b in zip(ring(4.15, 27.8), ring(5.05, 31.4), strict=True):
        d.beam(white, tuple(a), tuple(b), 0.22)
    d.loft(white, ring(5.6, 31.4), ring(5.3, 32.2))
    d.loft(red, ring(2.0, 32.2), ring(1.8, 33.4))
    d.tube(steel, (0, 33.4, 0), (0, 38.5, 0), 0.09)
    d.tube(red, (0, 36.6, 0), (0, 37.4, 0), 0.12)
    for x in (-2.6, 2.6):
        d.tube(steel, (x, 32.2, 0), (x, 35.2, 0), 0.06)
    outer = ring(5.4, 28.8)
    for a, b in zip(outer, np.roll(outer, -1, 0), strict=True):
        d.tube(steel, tuple(a), tuple(b), 0.06, sides=6)
        d.tube(steel, (a[0], 27.8, a[2]), tuple(a), 0.06, sides=6)
    d.box(white, 7, 0.3, -3, 16, 4.2, 10)
    d.box(steel, 7, 4.5, -3, 16.6, 0.4, 10.6)
    d.windows(glass, np.arange(1.6, 14, 2.4), (1.5,), 2.02, 1.8, 1.7)
    d.windows(glass, (-6, -3.4, -0.8), (1.5,), 15.02, 1.8, 1.7, along_z=True)
    d.box(steel, 5, 4.9, -4, 2, 1.3, 2)
    d.box(steel, 9, 4.9, -4, 2, 1.3, 2)
    d.box(red, 4, 0.4, 8, 5, 1.5, 2.1)
    d.box(glass, 5.6, 1.9, 8, 1.6, 0.8, 2)
    for x in (2.6, 5.6):
        for z in (6.9, 9.1):
            d.tube(steel, (x, 0.75, z - 0.1), (x, 0.75, z + 0.1), 0.4)
    for x, z in ((-13, -9), (-14, 4), (-10, 11), (13.5, -11)):
        d.tree(x, z, 5, 0.3)
    return d.model()
