"""What lies behind the hero: a sky in two colours, a pattern, a ground."""

import math
from collections.abc import Callable
from random import Random

from PIL import Image

from sample_platform.art.brush import FRAME_UNITS, Brush, Colour, Palette, fade, gradient, mix

Pattern = Callable[[Brush, Random, Palette], None]

PALETTES = (
    Palette("#ffc39e", "#ef6f7c", "#ffe66d", "#7d3cff", "#5b1a2e", "#fff6ea"),
    Palette("#b9f0d8", "#4fbf9a", "#ff7b89", "#ffd166", "#10423a", "#f6fffb"),
    Palette("#2a2359", "#7a4bc4", "#ffd166", "#ff6fb5", "#140f33", "#f1eaff"),
    Palette("#8ec5fc", "#e0c3fc", "#ff6fae", "#ffe066", "#2b2d63", "#ffffff"),
    Palette("#ffb35a", "#ff4e7a", "#fff07a", "#5b2be0", "#4a1042", "#fff5ec"),
    Palette("#fff0a8", "#ffbf4d", "#e4572e", "#3aa6a0", "#4a2c1a", "#fffdf3"),
    Palette("#52d3bd", "#23397f", "#f9f871", "#ff7eb6", "#0e1a45", "#f0fffb"),
    Palette("#e9c1e4", "#fff3dc", "#8a4fd0", "#ff9f68", "#3c1f5a", "#ffffff"),
    Palette("#2f9fd0", "#8fe3f5", "#ffb02e", "#ff5c7a", "#0b3350", "#f5fdff"),
    Palette("#e6ef83", "#58bf5f", "#ff7f50", "#ffffff", "#173f1c", "#fdfff0"),
    Palette("#ff6fb1", "#ff8a5c", "#fff275", "#6a2cff", "#4a0a2b", "#fff4fa"),
    Palette("#1d2433", "#3d5a80", "#3df5b3", "#ffd166", "#0c111c", "#eefcff"),
    Palette("#f7d9c4", "#b08bd9", "#ff6f59", "#2ec4b6", "#3a1f4d", "#fffaf5"),
    Palette("#c8f4f9", "#7aa8ff", "#ff8c42", "#ffe66d", "#14305c", "#ffffff"),
)


def focus(b: Brush) -> float:
    """Where the figure stands across the frame: the middle, or the right of a wide one."""
    return b.wide * (0.74 if b.wide > b.high * 1.1 else 0.5)


def sun(b: Brush, chance: Random, p: Palette) -> None:
    middle = b.high * 0.56
    for step, share in ((430, 0.18), (360, 0.3), (290, 0.85)):
        b.circle(focus(b), middle, step, fade(mix(p.accent, p.light, 0.45), share))


def rays(b: Brush, chance: Random, p: Palette) -> None:
    far = math.hypot(b.wide, b.high)
    middle = (focus(b), b.high * 0.58)
    for step in range(0, 24, 2):
        a, z = step * math.tau / 24, (step + 1) * math.tau / 24
        corners = [(middle[0] + far * math.cos(angle), middle[1] + far * math.sin(angle)) for angle in (a, z)]
        b.poly([middle, *corners], fade(p.light, 0.22))
    b.circle(*middle, 330, fade(p.light, 0.28))


def dots(b: Brush, chance: Random, p: Palette) -> None:
    rows = int(b.high / 62) + 2
    for row in range(rows):
        radius = 4 + 17 * row / rows
        for column in range(int(b.wide / 62) + 2):
            b.circle(column * 62 + (row % 2) * 31, row * 62, radius, fade(p.light, 0.2))
    b.circle(focus(b), b.high * 0.57, 350, fade(p.light, 0.35))


def stripes(b: Brush, chance: Random, p: Palette) -> None:
    for x in range(-int(b.high), int(b.wide), 150):
        b.poly([(x, b.high), (x + 75, b.high), (x + 75 + b.high, 0), (x + b.high, 0)], fade(p.light, 0.16))
    b.circle(focus(b), b.high * 0.57, 345, fade(p.accent, 0.55))


def bokeh(b: Brush, chance: Random, p: Palette) -> None:
    for _ in range(26):
        colour = chance.choice([p.light, p.accent, p.second])
        b.circle(
            chance.uniform(0, b.wide), chance.uniform(0, b.high), chance.uniform(25, 120), fade(colour, chance.uniform(0.1, 0.3))
        )


def arches(b: Brush, chance: Random, p: Palette) -> None:
    colours: list[Colour] = [p.second, p.accent, p.light, mix(p.bottom, p.light, 0.35)]
    for step, colour in enumerate(colours):
        b.circle(focus(b), b.high * 0.62, 470 - step * 68, fade(colour, 0.75))


def night(b: Brush, chance: Random, p: Palette) -> None:
    for _ in range(70):
        b.circle(
            chance.uniform(0, b.wide),
            chance.uniform(0, b.high * 0.8),
            chance.uniform(1.5, 5),
            fade("#ffffff", chance.uniform(0.4, 1)),
        )
    b.circle(focus(b), b.high * 0.55, 340, fade("#fff3c9", 0.2))
    b.circle(focus(b), b.high * 0.55, 300, "#ffeeb8")
    for x, y, r in ((-120, -140, 46), (100, -190, 30), (150, 40, 54), (-40, 190, 34)):
        b.circle(focus(b) + x, b.high * 0.55 + y, r, "#f7dc94")


def grid(b: Brush, chance: Random, p: Palette) -> None:
    horizon = b.high * 0.62
    b.circle(focus(b), horizon - 120, 300, fade(p.accent, 0.9))
    for step in range(6):
        b.box(0, horizon - 30 - step * 46, b.wide, horizon - 14 - step * 46, fade(p.bottom, 0.95))
    b.box(0, horizon, b.wide, b.high, p.dark)
    for step in range(-16, 17):
        b.line([(focus(b) + step * 40, horizon), (focus(b) + step * 260, b.high)], 3.5, fade(p.second, 0.75))
    for step in range(10):
        y = horizon + (b.high - horizon) * (step / 10) ** 1.8
        b.line([(0, y), (b.wide, y)], 3.5, fade(p.second, 0.75))


def city(b: Brush, chance: Random, p: Palette) -> None:
    b.circle(b.wide * 0.72, b.high * 0.3, 120, fade(p.light, 0.9))
    for depth, share in ((0.42, 0.35), (0.52, 0.7)):
        x = -20.0
        while x < b.wide:
            width = chance.uniform(70, 150)
            top = b.high * depth + chance.uniform(-60, 110)
            colour = mix(p.bottom, p.dark, share)
            b.box(x, top, x + width, b.high, colour)
            for row in range(int((b.high * 0.8 - top) / 44)):
                for column in range(int(width / 34)):
                    if chance.random() < 0.5:
                        left, upper = x + 12 + column * 32, top + 16 + row * 44
                        b.box(left, upper, left + 14, upper + 20, fade(p.accent, 0.8), 2)
            x += width + chance.uniform(4, 20)


def hills(b: Brush, chance: Random, p: Palette) -> None:
    """The ground in the lower part, in three waves."""
    for step, share in enumerate((0.25, 0.45, 0.68)):
        y = b.high * (0.76 + step * 0.075)
        lift, shift = 26 + chance.uniform(0, 30), chance.uniform(0, 6)
        crest = [(x, y + lift * math.sin(x / 210 + shift)) for x in range(0, int(b.wide) + 41, 40)]
        b.poly([(0, b.high), *crest, (b.wide, b.high)], mix(p.bottom, p.dark, share * 0.75))


def table(b: Brush, chance: Random, p: Palette) -> None:
    top = b.high * 0.77
    b.box(0, top, b.wide, b.high, mix(p.accent, p.dark, 0.45))
    b.box(0, top, b.wide, top + 22, mix(p.accent, p.light, 0.35))
    for x in range(60, int(b.wide), 190):
        b.line([(x, top + 60), (x - 30, b.high)], 5, fade(p.dark, 0.14))


def floor(b: Brush, chance: Random, p: Palette) -> None:
    top = b.high * 0.79
    b.box(0, top, b.wide, b.high, mix(p.bottom, p.dark, 0.5))
    b.oval(focus(b), top + 62, 400, 56, fade(p.accent, 0.5))


PATTERNS: dict[str, tuple[tuple[Pattern, ...], tuple[Pattern, ...]]] = {
    "cat": ((sun, rays, dots, arches, night, bokeh), (hills, floor)),
    "food": ((rays, dots, stripes, sun, bokeh, arches), (table,)),
    "travel": ((sun, bokeh, night, arches), (hills,)),
    "dance": ((grid, rays, bokeh, city, stripes), (floor,)),
    "streetfood": ((city, rays, bokeh, stripes, dots), (table,)),
    "fitness": ((stripes, rays, sun, dots, arches), (floor, hills)),
    "craft": ((dots, arches, sun, bokeh, stripes), (table,)),
    "tech": ((grid, city, bokeh, rays, night, dots), (floor,)),
}


def backdrop(topic: str, chance: Random, palette: Palette, width: int, height: int) -> Image.Image:
    units = FRAME_UNITS * width / min(width, height)
    b = Brush(
        width, height, units, smooth=1.0 if width > 900 else 2.0, ground=gradient(width, height, palette.top, palette.bottom)
    )
    behind, under = PATTERNS[topic]
    pattern = chance.choice(behind)
    pattern(b, chance, palette)
    if pattern is not grid:
        chance.choice(under)(b, chance, palette)
    return b.done()
