"""Small things that float around a scene."""

from collections.abc import Callable
from random import Random

from sample_platform.art.brush import Brush, Palette, fade

Prop = Callable[[Brush, Random, Palette], None]


def heart(b: Brush, chance: Random, palette: Palette) -> None:
    b.heart(50, 52, 40, "#ff5c7a")
    b.oval(34, 36, 8, 6, fade("#ffffff", 0.65))


def star(b: Brush, chance: Random, palette: Palette) -> None:
    b.star(50, 52, 46, palette.accent, turn=chance.uniform(-15, 15), inner=0.52)


def sparkle(b: Brush, chance: Random, palette: Palette) -> None:
    b.star(50, 50, 48, palette.light, points=4, inner=0.22)


def note(b: Brush, chance: Random, palette: Palette) -> None:
    colour = palette.light
    b.line([(40, 78), (40, 20), (78, 12), (78, 68)], 8, colour)
    b.line([(40, 30), (78, 22)], 8, colour)
    b.oval(30, 79, 15, 11, colour)
    b.oval(68, 69, 15, 11, colour)


def cloud(b: Brush, chance: Random, palette: Palette) -> None:
    white = fade("#ffffff", 0.92)
    for x, y, r in ((28, 60, 18), (48, 48, 24), (70, 58, 19)):
        b.circle(x, y, r, white)
    b.box(22, 58, 78, 78, white, 10)


def leaf(b: Brush, chance: Random, palette: Palette) -> None:
    b.blob([(50, 6), (80, 40), (68, 80), (50, 94), (32, 80), (20, 40)], "#6cc070")
    b.line([(50, 20), (50, 92)], 3.5, "#3f8f52")


def paw(b: Brush, chance: Random, palette: Palette) -> None:
    colour = fade(palette.light, 0.9)
    b.blob([(50, 48), (74, 66), (68, 86), (50, 84), (32, 86), (26, 66)], colour)
    for x, y in ((20, 46), (39, 26), (61, 26), (80, 46)):
        b.oval(x, y, 10, 13, colour)


def drop(b: Brush, chance: Random, palette: Palette) -> None:
    b.blob([(50, 6), (72, 50), (66, 82), (50, 90), (34, 82), (28, 50)], "#5cc8ff")
    b.oval(42, 62, 5, 10, fade("#ffffff", 0.7))


def bolt(b: Brush, chance: Random, palette: Palette) -> None:
    b.poly([(58, 4), (22, 56), (46, 56), (38, 96), (78, 40), (52, 40)], palette.accent)


def flower(b: Brush, chance: Random, palette: Palette) -> None:
    colour = chance.choice(["#ff8fab", "#ffffff", "#ffd166", "#c79bff"])
    for x, y in ((50, 22), (77, 42), (67, 74), (33, 74), (23, 42)):
        b.circle(x, y, 19, colour)
    b.circle(50, 50, 14, "#ffb703" if colour != "#ffd166" else "#e4572e")


def flame(b: Brush, chance: Random, palette: Palette) -> None:
    b.blob([(52, 4), (66, 32), (82, 58), (70, 90), (50, 96), (28, 88), (20, 60), (36, 42)], "#ff6b35")
    b.blob([(52, 44), (64, 64), (60, 86), (50, 92), (38, 84), (40, 64)], "#ffd166")


def gear(b: Brush, chance: Random, palette: Palette) -> None:
    b.star(50, 50, 46, palette.light, points=9, inner=0.78)
    b.circle(50, 50, 34, palette.light)
    b.circle(50, 50, 16, palette.dark)


def chilli(b: Brush, chance: Random, palette: Palette) -> None:
    b.limb([(30, 26), (44, 46), (62, 66), (84, 82)], 26, 5, "#e63946")
    b.limb([(30, 24), (22, 14)], 9, 6, "#4f9d4f")


def ball(b: Brush, chance: Random, palette: Palette) -> None:
    b.circle(50, 50, 42, palette.accent)
    b.arc(50, 50, 30, 30, 200, 270, 6, fade("#ffffff", 0.8))


def plane(b: Brush, chance: Random, palette: Palette) -> None:
    b.poly([(4, 52), (96, 14), (62, 88), (46, 64)], "#ffffff")
    b.poly([(96, 14), (46, 64), (44, 90), (54, 72)], "#c9d6ea")


PROPS: dict[str, tuple[Prop, ...]] = {
    "cat": (heart, paw, star, sparkle, flower),
    "food": (heart, chilli, leaf, sparkle, star),
    "travel": (cloud, cloud, plane, sparkle, leaf),
    "dance": (note, note, star, sparkle, bolt),
    "streetfood": (flame, chilli, star, heart, sparkle),
    "fitness": (bolt, drop, flame, star, sparkle),
    "craft": (flower, heart, leaf, ball, sparkle),
    "tech": (gear, bolt, sparkle, star, plane),
}
