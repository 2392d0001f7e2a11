"""Bridges and a viaduct."""

from __future__ import annotations

import numpy as np

from ipyassets.sandbox.renderer.model import Model
from ipyassets.sandbox.renderer.plans.draft import Draft

__all__ = ["cable_stayed_bridge", "canal_footbridge", "mill_valley_viaduct", "weir_road_bridge"]


def weir_road_bridge() -> Model:
    """Three spans of steel girders on hammerhead piers, over a strip of water."""
    d = Draft("Weir Road Bridge")
    water, bank, concrete = (
        d.paint("water", "#7fa3b0", roughness=0.12),
        d.paint("bank", "#b9bf9a"),
        d.paint("concrete", "#c9c5bc"),
    )
    steel, asphalt, white = (
        d.paint("steel", "#8c3b2e", roughness=0.45),
        d.paint("asphalt", "#54575b"),
        d.paint("line", "#f2f2ee"),
    )
    rail, glass = d.paint("rail", "#5d6a72", roughness=0.4), d.glass()
    d.box(water, 0, 0, 0, 56, 0.5, 40)
    for side in (-1, 1):
        d.profile(bank, [(side * 24, 0), (side * 46, 0), (side * 46, 5.6), (side * 34, 5.6)], -20, 20)
        d.box(concrete, side * 34.4, 0, 0, 2.4, 6.1, 12.4)
    for x in (-12.0, 12):
        d.prism(
            concrete, [(x - 1.1, -3.2), (x, -4.2), (x + 1.1, -3.2), (x + 1.1, 3.2), (x, 4.2), (x - 1.1, 3.2)], 0, 4.6
        )
        d.side_profile(
            concrete, [(-3.4, 4.4), (3.4, 4.4), (5.4, 5.8), (5.4, 6.3), (-5.4, 6.3), (-5.4, 5.8)], x - 1, x + 1
        )
    for z in (-4.4, -1.5, 1.5, 4.4):
        d.box(steel, 0, 6.3, z, 70, 0.12, 0.7)
        d.box(steel, 0, 6.4, z, 70, 1.5, 0.16)
        d.box(steel, 0, 7.85, z, 70, 0.1, 0.6)
        for x in np.arange(-34, 34.1, 2):
            d.box(steel, float(x), 6.4, z, 0.1, 1.45, 0.55)
    d.box(concrete, 0, 7.95, 0, 92, 0.35, 12)
    d.box(asphalt, 0, 8.3, 0, 92, 0.08, 7.4)
    for side in (-1, 1):
        d.box(concrete, 0, 8.3, side * 4.9, 92, 0.25, 2.2)
        for x in np.arange(-45, 45.1, 2.5):
            d.box(rail, float(x), 8.5, side * 5.8, 0.12, 1.15, 0.12)
        for y in (8.85, 9.2, 9.55):
            d.box(rail, 0, y, side * 5.8, 92, 0.08, 0.08)
        for x in (-30, -10, 10, 30):
            d.tube(rail, (x, 8.3, side * 5.6), (x, 15, side * 5.6), 0.09)
            d.beam(rail, (x, 15, side * 5.6), (x, 15.2, side * 3.6), 0.14)
    for x in np.arange(-44.0, 45, 4):
        d.box(white, float(x), 8.37, 0, 2, 0.03, 0.16)
    for x, z, colour in ((-22, -1.9, "#b8352c"), (9, 1.9, "#2f5d8c"), (27, -1.9, "#d9d9d6"), (-5, 1.9, "#e0b23a")):
        d.car(d.paint("car", colour, roughness=0.3), glass, x, 8.4, z)
    for x, z, height in ((-41, 12, 6), (-40, -13, 7), (41, 14, 7), (42, -12, 5), (-43, 16, 5), (39, 16.5, 4.5)):
        d.tree(x, z, height, 5.6)
    return d.model()


def cable_stayed_bridge() -> Model:
    """Two H pylons with fans of stays over a channel."""
    d = Draft("North Gate Cable-Stayed Bridge")
    water, rock, concrete = (
        d.paint("water", "#7d9fb3", roughness=0.1),
        d.paint("rock", "#a8a49a"),
        d.paint("concrete", "#dcdad4"),
    )
    deck, asphalt, cable = (
        d.paint("deck", "#b9bec2"),
        d.paint("asphalt", "#55585c"),
        d.paint("cable", "#f4f4f2", roughness=0.4),
    )
    d.box(water, 0, 0, 0, 210, 1, 66)
    for side in (-1, 1):
        d.profile(rock, [(side * 88, 0), (side * 112, 0), (side * 112, 10), (side * 96, 10)], -33, 33)
        x = side * 46
        d.prism(
            concrete,
            [
                (x - 6, -13),
                (x + 6, -13),
                (x + 8, -10),
                (x + 8, 10),
                (x + 6, 13),
                (x - 6, 13),
                (x - 8, 10),
                (x - 8, -10),
            ],
            0,
            3,
        )
        for z in (-1.0, 1):
            d.loft(
                concrete,
                np.array(
                    [
                        (x - 2.2, 3, z * 10 - 1.6),
                        (x + 2.2, 3, z * 10 - 1.6),
                        (x + 2.2, 3, z * 10 + 1.6),
                        (x - 2.2, 3, z * 10 + 1.6),
                    ]
                ),
                np.array(
                    [
                        (x - 1.5, 62, z * 5 - 1.2),
                        (x + 1.5, 62, z * 5 - 1.2),
                        (x + 1.5, 62, z * 5 + 1.2),
                        (x - 1.5, 62, z * 5 + 1.2),
                    ]
                ),
            )
        d.box(concrete, x, 12.5, 0, 3.2, 2.4, 20)
        d.box(concrete, x, 44, 0, 2.6, 2.4, 13.4)
        for k in range(1, 11):
            for z in (-1.0, 1):
                top = (x, 60.5 - k * 0.35, z * 5.1)
                for way in (-1, 1):
                    d.tube(cable, top, (x + way * k * 4.35, 17.6, z * 8.2), 0.19, sides=6)
        d.box(concrete, side * 92, 0, 0, 3, 15.6, 15)
    d.side_profile(deck, [(-8.8, 17.4), (8.8, 17.4), (6, 15.4), (-6, 15.4)], -112, 112)
    d.box(asphalt, 0, 17.4, 0, 224, 0.15, 15.4)
    for z in (-8.6, 8.6, 0):
        d.box(concrete, 0, 17.4, z, 224, 0.9, 0.3)
    return d.model()


def canal_footbridge() -> Model:
    """A tied arch of tubes with a timber deck, stairs at both ends."""
    d = Draft("Canal Footbridge")
    water, quay, stone = (
        d.paint("water", "#6f9aa0", roughness=0.1),
        d.paint("quay", "#c4b9a6"),
        d.paint("coping", "#dcd6ca"),
    )
    steel, wood, rail = (
        d.paint("steel", "#e9e7e1", roughness=0.35),
        d.paint("timber", "#a9794c"),
        d.paint("rail", "#3d4448", roughness=0.4),
    )
    d.box(water, 0, 0, 0, 20, 0.6, 17)
    for side in (-1, 1):
        d.box(quay, side * 14.6, 0, 0, 9.2, 2.2, 17)
        d.box(stone, side * 10.3, 2.2, 0, 0.8, 0.3, 17)
    x = np.linspace(-10.4, 10.4, 25)
    deck, arch = 4.3 + 0.9 * (1 - (x / 10.4) ** 2), 4.0 + 5.4 * (1 - (x / 10.4) ** 2)
    for k in range(24):
        middle = (x[k] + x[k + 1]) / 2
        d.beam(wood, (x[k] + 0.04, deck[k], 0), (x[k + 1] - 0.04, deck[k + 1], 0), 2.8, 0.16)
        for z in (-1.7, 1.7):
            d.tube(steel, (x[k], arch[k], z), (x[k + 1], arch[k + 1], z), 0.2)
            d.tube(steel, (x[k], deck[k] - 0.35, z), (x[k + 1], deck[k + 1] - 0.35, z), 0.16)
            for rise in (0.5, 0.85, 1.2):
                d.tube(rail, (x[k], deck[k] + rise, z * 0.82), (x[k + 1], deck[k + 1] + rise, z * 0.82), 0.035, sides=6)
            d.tube(rail, (x[k], deck[k], z * 0.82), (x[k], deck[k] + 1.2, z * 0.82), 0.04, sides=6)
            if 1 < k < 23 and k % 2 == 0:
                d.tube(steel, (x[k], deck[k] - 0.35, z), (x[k], arch[k], z), 0.06, sides=8)
                d.tube(steel, (x[k], deck[k] - 0.35, z), (x[k + 2], arch[k + 2], z), 0.045, sides=8)
        d.box(steel, middle, float(deck[k]) - 0.4, 0, 0.14, 0.2, 3.3)
    for k in (7, 10, 12, 14, 17):
        d.tube(steel, (x[k], arch[k], -1.7), (x[k], arch[k], 1.7), 0.11)
    for side in (-1, 1):
        for z in (-1.7, 1.7):
            d.tube(steel, (side * 10.4, 2.2, z), (side * 10.4, 4.1, z), 0.24)
        for step in range(11):
            d.box(wood, side * (10.6 + 0.32 * step), 4.06 - 0.18 * step, 0, 0.36, 0.14, 2.6)
        for z in (-1.35, 1.35):
            d.beam(steel, (side * 10.4, 4.0, z), (side * 14.1, 2.1, z), 0.14, 0.3)
            d.tube(rail, (side * 10.4, 5.3, z), (side * 14.1, 3.4, z), 0.05)
            for step in range(0, 11, 2):
                foot = (side * (10.6 + 0.34 * step), 4.1 - 0.175 * step)
                d.tube(rail, (*foot, z), (foot[0], foot[1] + 1.1, z), 0.035, sides=6)
        for z in (-6.2, 5.8):
            d.tree(side * 15.5, z, 4.6, 2.2)
    return d.model()


def mill_valley_viaduct() -> Model:
    """Seven round arches of masonry carrying a single track."""
    d = Draft("Mill Valley Viaduct")
    stone, dark, grass = (
        d.paint("stone", "#b79f80", roughness=0.9),
        d.paint("string course", "#a48c6e", roughness=0.9),
        d.paint("grass", "#93a870"),
    )
    ballast, rail, water = (
        d.paint("ballast", "#8d8880"),
        d.paint("rail", "#5a5350", metallic=0.4),
        d.paint("water", "#7c9ca2", roughness=0.1),
    )
    span, pier, top, spring = 8.6, 2.2, 21.5, 15.4
    pitch, radius = span + pier, span / 2
    across = np.array([-46.0, -38, -28, -14, 0, 14, 28, 38, 46])
    height = np.array([17.0, 14, 8, 3.4, 1.6, 3.2, 7.6, 13.6, 17])
    depth = np.array([-13.0, -5, 5, 13])
    d.skin(grass, [np.stack([across, height + 0.02 * abs(z), np.full_like(across, z)], 1) for z in depth])
    for z in (-13.0, 13.0):
        for k in range(len(across) - 1):
            (xa, xb), (ya, yb) = across[k : k + 2], height[k : k + 2] + 0.26
            d.quad(grass, (xa, 0, z), (xb, 0, z), (xb, yb, z), (xa, ya, z))
    for k, x in ((0, -46.0), (-1, 46.0)):
        d.quad(grass, (x, 0, -13), (x, 0, 13), (x, float(height[k]) + 0.26, 13), (x, float(height[k]) + 0.26, -13))
    d.box(water, 0, 0.2, 0, 7, 1.75, 25.9)
    turn = np.linspace(0, np.pi, 19)
    for k in range(-4, 4):
        x = (k + 0.5) * pitch
        d.prism(stone, [(x - 1.1, -2.3), (x + 1.1, -2.3), (x + 1.1, 2.3), (x - 1.1, 2.3)], 0.3, spring)
        d.box(dark, x, spring - 0.5, 0, 2.7, 0.5, 5.1)
    for k in range(-3, 4):
        x = k * pitch
        curve = np.stack([x - radius * np.cos(turn), spring + radius * np.sin(turn)], 1)
        edge = np.stack([np.linspace(x - pitch / 2, x + pitch / 2, 19), np.full(19, top)], 1)
        edge[0], edge[-1] = (x - pitch / 2, spring), (x + pitch / 2, spring)
        edge[1], edge[-2] = (x - pitch / 2, top), (x + pitch / 2, top)
        for z in (-2.3, 2.3):
            d.skin(stone, [np.insert(curve, 2, z, 1), np.insert(edge, 2, z, 1)])
            ring = np.stack([x - (radius + 0.55) * np.cos(turn), spring + (radius + 0.55) * np.sin(turn)], 1)
            d.skin(dark, [np.insert(curve, 2, z * 1.03, 1), np.insert(ring, 2, z * 1.03, 1)])
        d.skin(stone, [np.insert(curve, 2, -2.3, 1), np.insert(curve, 2, 2.3, 1)])
    for side in (-1, 1):
        d.box(stone, side * 42, 8, 0, 8.6, top - 8, 4.6)
    d.box(dark, 0, top, 0, 92, 0.45, 5.4)
    for z in (-2.45, 2.45):
        d.box(stone, 0, top + 0.45, z, 92, 1.1, 0.45)
        d.box(dark, 0, top + 1.5, z, 92, 0.2, 0.65)
    d.box(ballast, 0, top + 0.45, 0, 92, 0.35, 4.2)
    for z in (-0.72, 0.72):
        d.box(rail, 0, top + 0.9, z, 92, 0.16, 0.1)
    for x in np.arange(-45.5, 46, 1.3):
        d.box(d.bark, float(x), top + 0.78, 0, 0.3, 0.14, 2.4)
    for x, y, z, size in (
        (-36, 12.6, 8, 6),
        (-30, 8.6, -8, 7),
        (25, 6.4, 8.5, 6),
        (33, 10.6, 8, 7),
        (-17, 4.4, 9, 5),
        (14, 3, -9, 6),
        (-42, 15.4, 8.5, 5),
    ):
        d.tree(x, z, size, y)
    return d.model()
