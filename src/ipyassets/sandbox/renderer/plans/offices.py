"""Houses people live, work and learn in."""

from __future__ import annotations

import numpy as np

from ipyassets.sandbox.renderer.model import Model
from ipyassets.sandbox.renderer.plans.draft import Draft

__all__ = [
    "birchwood_primary_school",
    "harbour_office_tower",
    "lindenhof_offices",
    "quayside_apartments",
    "station_car_park",
]


def harbour_office_tower() -> Model:
    """Fourteen floors of curtain wall on a podium."""
    d = Draft("Harbour Office Tower")
    plaza, slab, fin = (
        d.paint("plaza", "#cfcbc2"),
        d.paint("slab", "#e9e6df"),
        d.paint("fin", "#8e979c", roughness=0.35, metallic=0.3),
    )
    core, glass, shop, plant = (
        d.paint("core", "#b7754a"),
        d.glass("#1f4556"),
        d.glass("#3a4a4c"),
        d.paint("plant", "#9aa0a4"),
    )
    width, depth, floor, floors = 24.0, 18.0, 3.6, 14
    d.box(plaza, 0, 0, 0, 48, 0.4, 38)
    d.box(shop, 2, 0.4, 1, 36, 5.2, 27)
    for x in np.arange(-15.5, 20, 3.5):
        for z in (-12.4, 14.4):
            d.box(fin, float(x), 0.4, z, 0.3, 5.2, 0.5)
    d.box(slab, 2, 5.6, 1, 38, 0.7, 29)
    base = 6.3
    for k in range(floors):
        y = base + k * floor
        d.box(glass, 0, y, 0, width - 0.5, floor, depth - 0.5)
        d.box(slab, 0, y, 0, width + 0.9, 0.4, depth + 0.9)
    for x in np.linspace(-width / 2 + 0.3, width / 2 - 0.3, 21):
        for z in (-1, 1):
            d.box(fin, float(x), base, z * depth / 2, 0.16, floors * floor, 0.55)
    for z in np.linspace(-depth / 2 + 0.3, depth / 2 - 0.3, 16):
        for x in (-1, 1):
            d.box(fin, x * width / 2, base, float(z), 0.55, floors * floor, 0.16)
    top = base + floors * floor
    d.box(slab, 0, top, 0, width + 1.2, 0.9, depth + 1.2)
    d.box(core, -2, top + 0.9, 0, 9, 3.4, 7)
    for x, z in ((6, -4), (6, 0), (6, 4), (9.4, -4), (9.4, 0)):
        d.box(plant, x, top + 0.9, z, 2.4, 1.7, 2.4)
        d.cylinder(fin, x, top + 2.6, z, 0.8, 0.3, sides=20)
    d.tube(fin, (-4, top + 4, 1), (-4, top + 11, 1), 0.1)
    for x in (-21, -14, -7, 8, 15, 22):
        d.tree(x, 16.8, 5.5 + x % 3 * 0.5, 0.4)
    for z in (-12, -4, 4, 11):
        d.tree(-21, z, 5.6, 0.4)
    return d.model()


def lindenhof_offices() -> Model:
    """Six storeys around a courtyard, brick piers with set-back windows."""
    d = Draft("Lindenhof Offices")
    pavement, brick, stone = (
        d.paint("pavement", "#cbc8c0"),
        d.paint("brick", "#a7583f", roughness=0.9),
        d.paint("stone", "#e0d6c3"),
    )
    glass, frame, lawn, zinc = (
        d.glass("#2c4650"),
        d.paint("frame", "#2f3438"),
        d.paint("lawn", "#97ad72"),
        d.paint("zinc", "#8c969b", roughness=0.45, metallic=0.4),
    )
    d.box(pavement, 0, 0, 0, 54, 0.4, 46)
    d.box(lawn, 0, 0.4, 0, 17, 0.1, 11)
    floor, floors = 3.5, 6
    # Four wings: centre x, z and size; the gate is in the front one.
    for x, z, w, dep in ((0.0, 14.5, 44, 10), (0, -14.5, 44, 10), (-17, 0, 10, 19), (17, 0, 10, 19)):
        d.box(glass, x, 0.4, z, w - 1.2, floors * floor, dep - 1.2)
        for k in range(floors + 1):
            d.box(stone if k in {1, 6} else brick, x, 0.4 + k * floor - 0.3, z, w - 0.3, 0.9, dep - 0.3)
        d.box(zinc, x, 0.4 + floors * floor + 0.5, z, w - 1.6, 1.6, dep - 1.6)
        d.box(stone, x, 0.4 + floors * floor + 0.3, z, w + 0.5, 0.35, dep + 0.5)
        for px in np.linspace(x - w / 2 + 0.5, x + w / 2 - 0.5, round(w / 2.6) + 1):
            for pz in (z - dep / 2 + 0.35, z + dep / 2 - 0.35):
                d.box(brick, float(px), 0.4, pz, 0.85, floors * floor, 0.7)
        for pz in np.linspace(z - dep / 2 + 0.5, z + dep / 2 - 0.5, round(dep / 2.6) + 1):
            for px in (x - w / 2 + 0.35, x + w / 2 - 0.35):
                d.box(brick, px, 0.4, float(pz), 0.7, floors * floor, 0.85)
    d.box(stone, 0, 0.4, 19.7, 7, 5.2, 0.8)
    d.box(frame, 0, 0.4, 19.95, 4.6, 4.2, 0.6)
    for x in np.arange(-24, 25, 6.0):
        d.tree(float(x), 21.6, 4.6, 0.4)
    for x, z in ((-5, 2), (5, -2), (0, 3), (-6, -3)):
        d.tree(x, z, 7, 0.5)
    return d.model()


def quayside_apartments() -> Model:
    """Eight storeys with brick bands and deep balconies."""
    d = Draft("Quayside Apartments")
    quay, water, brick = (
        d.paint("quay", "#c5beb2"),
        d.paint("water", "#779db0", roughness=0.1),
        d.paint("brick", "#c9a27e", roughness=0.9),
    )
    white, glass, rail, wood = (
        d.paint("concrete", "#ecebe6"),
        d.glass("#31505e"),
        d.paint("balustrade", "#b9d0d6", roughness=0.1, alpha=0.45),
        d.paint("timber", "#9b6b43"),
    )
    floor = 3.1
    d.box(quay, 0, 0, -4, 44, 1.6, 26)
    d.box(water, 0, 0, 13, 44, 0.6, 8)
    for block, (x, floors) in enumerate(((-11.2, 8), (0, 6), (11.2, 7))):
        z = -5.0 + block % 2 * -1.2
        base = 1.6
        d.box(brick, x, base, z, 11, floors * floor + 0.8, 12)
        for k in range(floors):
            y = base + k * floor
            d.box(white, x, y + floor - 0.25, z, 11.3, 0.3, 12.3)
            for dx in (-3.4, 0, 3.4):
                d.box(glass, x + dx, y + 0.35, z + 6, 2.1, 2.3, 0.25)
                d.box(glass, x + dx, y + 0.8, z - 6, 1.4, 1.6, 0.25)
            for dz in (-3.6, 0, 3.6):
                for side in (-1.0, 1):
                    d.box(glass, x + side * 5.5, y + 0.8, z + dz, 0.25, 1.6, 1.4)
            if k:
                for dx in (-2.9, 2.9) if k % 2 else (-2.6, 3.2):
                    d.box(white, x + dx, y - 0.1, z + 7, 3.9, 0.22, 2.2)
                    d.box(rail, x + dx, y + 0.12, z + 8.02, 3.9, 1.05, 0.06)
                    for side in (-1.92, 1.92):
                        d.box(rail, x + dx + side, y + 0.12, z + 7.05, 0.06, 1.05, 2.0)
        top = base + floors * floor + 0.8
        d.box(white, x, top, z, 11.4, 0.3, 12.4)
        d.box(wood, x + 1, top + 0.3, z - 2, 4, 2.5, 4)
        d.box(d.leaf, x - 2.8, top + 0.3, z + 2.4, 3.6, 0.4, 4)
    for x in (-19.5, -5.6, 5.6, 19):
        d.tree(x, 5.2, 5, 1.6)
    for x in np.arange(-21, 22, 3.0):
        d.cylinder(white, float(x), 1.6, 8.4, 0.16, 0.6, sides=10)
    return d.model()


def birchwood_primary_school() -> Model:
    """Two classroom wings and a hall under a sloping roof, joined by a glazed entrance."""
    d = Draft("Birchwood Primary School")
    lawn, yard, render = d.paint("lawn", "#a3b67c"), d.paint("yard", "#d6d1c6"), d.paint("render", "#efece4")
    wood, roof, glass = d.paint("larch", "#b98b5c"), d.paint("roof", "#6d757a", roughness=0.5), d.glass("#35596a")
    colours = [d.paint("accent", c) for c in ("#e0a63c", "#c95b43", "#4f8f8a", "#7fa650")]
    steel = d.paint("steel", "#9aa3a7", roughness=0.35, metallic=0.4)
    d.box(lawn, 0, 0, 0, 66, 0.4, 44)
    d.box(yard, 2, 0.4, 11, 50, 0.06, 16)
    for x, z, w in ((-17.0, -6.0, 26), (17, -10, 26)):
        d.box(render, x, 0.4, z, w, 7.2, 11)
        d.box(roof, x, 7.6, z, w + 1.2, 0.35, 12.4)
        for k, px in enumerate(np.linspace(x - w / 2 + 2.4, x + w / 2 - 2.4, 7)):
            for y in (1.3, 4.8):
                d.box(glass, float(px), y, z + 5.5, 2.5, 2.0, 0.2)
                d.box(glass, float(px), y, z - 5.5, 2.5, 2.0, 0.2)
                d.box(colours[(k + int(y)) % 4], float(px) + 1.55, y, z + 5.55, 0.5, 2.0, 0.25)
        for k in range(5):
            d.box(glass, x - 9 + k * 4.4, 7.95, z, 2.4, 0.35, 1.6)
    d.box(glass, 0, 0.4, -7.5, 10, 6.2, 8)
    d.box(roof, 0, 6.6, -6.5, 11, 0.3, 11)
    for x in (-4.4, -1.5, 1.5, 4.4):
        d.tube(steel, (x, 0.4, -1.6), (x, 6.6, -1.6), 0.12)
    d.side_profile(wood, [(-1, 0.4), (14, 0.4), (14, 7.2), (-1, 11.4)], -29, -13)
    d.side_profile(roof, [(-1.8, 11.7), (14.8, 7.05), (14.8, 7.4), (-1.8, 12.05)], -29.8, -12.2)
    for z in (1.4, 4.8, 8.2, 11.4):
        d.box(glass, -12.95, 1.2, z, 0.25, 4.6, 2.4)
    for x in (-26, -22.5, -19, -15.6):
        d.box(glass, x, 3.2, 14.02, 2.3, 2.6, 0.2)
    for k, x in enumerate((4, 9, 14)):
        d.cylinder(colours[k], x, 0.45, 12, 1.5, 0.35, sides=28)
    d.tube(steel, (20, 0.4, 9), (20, 3.4, 9), 0.1)
    d.tube(steel, (26, 0.4, 9), (26, 3.4, 9), 0.1)
    d.tube(steel, (20, 3.4, 9), (26, 3.4, 9), 0.1)
    for x, z, height in (
        (29, 17, 7),
        (24, 19, 6),
        (30, 2, 6.5),
        (-31, -14, 7),
        (-31, 19, 6),
        (8, 19, 5.5),
        (16, 18.6, 6.4),
        (-4, 18, 6),
        (31, -19, 7),
    ):
        d.tree(x, z, height, 0.4)
    return d.model()


def station_car_park() -> Model:
    """Four open decks, timber slats, a stair tower and parked cars."""
    d = Draft("Station Car Park")
    ground, concrete, slat = d.paint("ground", "#b9b8b2"), d.paint("concrete", "#dbd9d3"), d.paint("slat", "#b58a5a")
    tower, glass, line = d.paint("tower", "#3f6b66"), d.glass(), d.paint("line", "#f4f3ee")
    cars = [
        d.paint("car", c, roughness=0.25) for c in ("#b7332c", "#2c4f7c", "#d8d8d4", "#3b3d40", "#8d9aa3", "#d9a431")
    ]
    d.box(ground, 0, 0, 0, 58, 0.3, 36)
    for k in range(5):
        y = 0.3 + k * 3
        d.box(concrete, 0, y - (0.3 if k else 0), 0, 48, 0.35, 28)
        if k:
            for z in (-14.0, 14):
                d.box(concrete, 0, y, z, 48, 0.9, 0.2)
            for x in (-24.0, 24):
                d.box(concrete, x, y, 0, 0.2, 0.9, 28)
        for n in range(17):
            for z in (-11, 11, -3.2, 3.2):
                number = (n * 7 + k * 5 + int(z)) % 11
                if number < (7 if k < 4 else 4) and (k == 4 or abs(z) > 4):
                    d.car(cars[number % 6], glass, -20.5 + n * 2.6, y + 0.05, z, along_x=False)
        if k == 4:
            for n in range(18):
                for z in (-11, 11, -3.2, 3.2):
                    d.box(line, -21.8 + n * 2.6, y + 0.05, z, 0.1, 0.02, 4.6)
    for x in np.arange(-22.5, 23, 7.5):
        for z in (-13.2, -6, 6, 13.2):
            d.box(concrete, float(x), 0.3, z, 0.5, 12, 0.5)
    for k in range(1, 4):
        for x in np.arange(-23.4, 23.6, 0.62):
            if not 13.5 < x < 20.5:
                d.box(slat, float(x), k * 3 - 1.9, 14.25, 0.26, 2.5, 0.12)
        for z in np.arange(-13.4, 13.6, 0.62):
            d.box(slat, 24.25, k * 3 - 1.9, float(z), 0.12, 2.5, 0.26)
    d.box(tower, 17, 0.3, 15.2, 6.4, 16.4, 4.4)
    d.box(glass, 17, 1, 17.45, 3.4, 14.4, 0.2)
    d.box(tower, -20, 12.3, -9, 5, 3, 5)
    for x in (-24, -16, -8, 0, 8):
        d.tree(x, 16.6, 4.6, 0.3)
    return d.model()
