"""Cats: sitting, in a box, asleep, peeking; in six coats."""

from random import Random

from sample_platform.art.brush import Brush, Palette, fade, mix

COATS = (
    ("#f4a04a", "#d97b22", "#fff1dc"),
    ("#8d97a8", "#646e80", "#eef1f6"),
    ("#34353f", "#1e1f27", "#f5f5f7"),
    ("#fbf7f0", "#e3d7c5", "#ffffff"),
    ("#d9b38c", "#7a5236", "#fff7ec"),
    ("#c98f63", "#8a5a37", "#fde9d3"),
)
EYES = ("#5fbf6a", "#f2b632", "#4fb3e8")


def _head(b: Brush, chance: Random, coat: tuple[str, str, str], x: float, y: float, r: float, *, asleep: bool = False) -> None:
    fur, stripe, pale = coat
    for side in (-1, 1):
        b.blob(
            [(x + side * r * 0.95, y - r * 0.25), (x + side * r * 0.88, y - r * 1.18), (x + side * r * 0.25, y - r * 0.8)], fur
        )
        b.blob(
            [(x + side * r * 0.8, y - r * 0.42), (x + side * r * 0.78, y - r * 0.95), (x + side * r * 0.42, y - r * 0.72)],
            "#ff9fae",
        )
    b.oval(x, y, r * 1.08, r * 0.94, fur)
    for shift in (-0.24, 0, 0.24):
        b.line([(x + shift * r, y - r * 0.88), (x + shift * r * 0.8, y - r * 0.58)], r * 0.1, stripe)
    for side in (-1, 1):
        b.line([(x + side * r * 1.0, y - r * 0.02), (x + side * r * 0.76, y + r * 0.04)], r * 0.09, stripe)
        b.line([(x + side * r * 0.96, y + r * 0.24), (x + side * r * 0.74, y + r * 0.24)], r * 0.09, stripe)
    b.oval(x, y + r * 0.42, r * 0.5, r * 0.38, pale)
    look = "asleep" if asleep else chance.choice(("open", "open", "happy", "big"))
    for side in (-1, 1):
        ex, ey = x + side * r * 0.44, y - r * 0.02
        if look == "asleep":
            b.arc(ex, ey, r * 0.2, r * 0.16, 0, 180, r * 0.07, "#2a2018")
        elif look == "happy":
            b.arc(ex, ey + r * 0.1, r * 0.2, r * 0.2, 180, 360, r * 0.08, "#2a2018")
        else:
            size = r * (0.25 if look == "big" else 0.2)
            b.oval(ex, ey, size * 1.08, size * 1.16, "#ffffff")
            b.oval(ex, ey, size, size * 1.08, EYES[chance.randrange(3)] if side < 0 else EYES[hash_of(coat) % 3])
            b.oval(ex, ey, size * 0.62, size * 0.86, "#191512")
            b.circle(ex - size * 0.3, ey - size * 0.4, size * 0.28, "#ffffff")
        b.oval(x + side * r * 0.68, y + r * 0.32, r * 0.15, r * 0.1, "#ff9fae")
    b.poly([(x - r * 0.1, y + r * 0.22), (x + r * 0.1, y + r * 0.22), (x, y + r * 0.34)], "#f2677c")
    for side in (-1, 1):
        b.arc(
            x + side * r * 0.13,
            y + r * 0.38,
            r * 0.13,
            r * 0.12,
            0 if side > 0 else 20,
            160 if side > 0 else 180,
            r * 0.05,
            "#4a2f28",
        )
        for lift in (-0.02, 0.12):
            start = (x + side * r * 0.42, y + r * (0.36 + lift * 0.5))
            b.line([start, (x + side * r * 1.3, y + r * (0.28 + lift * 2))], r * 0.025, mix(stripe, "#ffffff", 0.55))


def hash_of(coat: tuple[str, str, str]) -> int:
    return int(coat[0][1:], 16)


def _collar(b: Brush, chance: Random, x: float, y: float, width: float) -> None:
    colour = chance.choice(("#e63946", "#3a86ff", "#2a9d8f", "#ff5d8f"))
    b.box(x - width, y, x + width, y + 4.6, colour, 2.3)
    b.circle(x, y + 6.2, 3.5, "#ffd23f")
    b.circle(x, y + 7.2, 0.9, "#8a5a00")


def sitting(b: Brush, chance: Random, palette: Palette) -> None:
    coat = chance.choice(COATS)
    fur, stripe, pale = coat
    b.limb([(70, 88), (88, 84), (92, 66), (84, 56)], 10, 8, stripe)
    b.blob([(50, 42), (70, 56), (77, 86), (66, 98), (34, 98), (23, 86), (30, 56)], fur)
    b.blob([(50, 58), (61, 70), (58, 92), (50, 95), (42, 92), (39, 70)], pale)
    for side in (-1, 1):
        b.oval(50 + side * 23, 91, 12, 8, fur)
        b.box(50 + side * 9 - 6, 72, 50 + side * 9 + 6, 97, fur, 6)
        b.oval(50 + side * 9, 95, 7.5, 4.5, pale)
        for y in (66, 73, 80):
            b.line([(50 + side * 25, y), (50 + side * 19, y + 1.5)], 2.6, stripe)
    _head(b, chance, coat, 50, 34, 25)
    _collar(b, chance, 50, 57, 15)


def boxed(b: Brush, chance: Random, palette: Palette) -> None:
    coat = chance.choice(COATS)
    b.poly([(8, 60), (20, 50), (80, 50), (92, 60)], "#a8763f")
    b.limb([(74, 62), (84, 44), (78, 30)], 8, 6, coat[1])
    _head(b, chance, coat, 48, 42, 25)
    b.box(14, 62, 86, 98, "#d8a463", 2)
    b.poly([(14, 62), (2, 74), (12, 80), (22, 66)], "#c48c4a")
    b.poly([(86, 62), (98, 74), (88, 80), (78, 66)], "#c48c4a")
    b.box(14, 62, 86, 66, "#e6b97c", 1)
    for side in (-1, 1):
        b.oval(48 + side * 15, 64, 7.5, 6, coat[0])
        for shift in (-2.4, 0, 2.4):
            b.line([(48 + side * 15 + shift, 65), (48 + side * 15 + shift, 68.5)], 0.9, coat[1])
    b.heart(50, 83, 7, fade("#e4572e", 0.75))


def sleeping(b: Brush, chance: Random, palette: Palette) -> None:
    coat = chance.choice(COATS)
    fur, stripe, _ = coat
    cushion = chance.choice((palette.second, palette.accent, "#ff7b9c"))
    b.oval(50, 84, 48, 14, mix(cushion, "#000000", 0.2))
    b.oval(50, 80, 48, 14, cushion)
    b.blob([(14, 76), (22, 48), (50, 36), (80, 46), (90, 72), (74, 82), (30, 82)], fur)
    for x in (46, 58, 70):
        b.curve([(x, 38 + abs(x - 50) * 0.14), (x + 3, 46), (x + 2, 54)], 4, stripe)
    b.limb([(88, 70), (78, 84), (52, 86), (40, 82)], 10, 8, stripe)
    _head(b, chance, coat, 32, 60, 21, asleep=True)
    for x, y, r in ((70, 26, 5), (80, 15, 7)):
        b.line([(x - r, y - r), (x + r, y - r), (x - r, y + r), (x + r, y + r)], r * 0.45, "#ffffff")


def peeking(b: Brush, chance: Random, palette: Palette) -> None:
    coat = chance.choice(COATS)
    _head(b, chance, coat, 50, 52, 34)
    wall = mix(palette.second, palette.dark, 0.15)
    b.box(0, 80, 100, 100, wall, 3)
    b.box(0, 80, 100, 84, mix(wall, "#ffffff", 0.35), 2)
    for side in (-1, 1):
        b.oval(50 + side * 30, 81, 11, 8, coat[0])
        for shift in (-3.6, 0, 3.6):
            b.line([(50 + side * 30 + shift, 82), (50 + side * 30 + shift, 87)], 1.3, coat[1])


def scarfed(b: Brush, chance: Random, palette: Palette) -> None:
    """A cat with a hat and a scarf: the one that goes out."""
    coat = chance.choice(COATS)
    fur, _, pale = coat
    b.blob([(50, 50), (72, 62), (76, 90), (62, 99), (38, 99), (24, 90), (28, 62)], fur)
    b.oval(50, 84, 13, 14, pale)
    _head(b, chance, coat, 50, 42, 27)
    colour = chance.choice(("#e63946", "#3a86ff", "#7b2cbf", "#2a9d8f"))
    b.box(28, 62, 72, 71, colour, 4.5)
    b.box(58, 66, 68, 88, mix(colour, "#000000", 0.12), 3)
    for x in (30, 40, 50, 60):
        b.line([(x + 3, 62.5), (x + 6, 70.5)], 1.6, mix(colour, "#ffffff", 0.5))
    b.pie(50, 24, 21, 180, 360, colour)
    b.box(27, 20, 73, 27, mix(colour, "#ffffff", 0.75), 3.5)
    b.circle(50, 3.8, 5.4, mix(colour, "#ffffff", 0.75))


HEROES = (sitting, boxed, sleeping, peeking, scarfed)
