"""Machines, large and small."""

from random import Random

from sample_platform.art.brush import Brush, Palette, fade, mix


def robot(b: Brush, chance: Random, palette: Palette) -> None:
    body = chance.choice(("#eef2f7", "#7fd1ff", "#ffd166", "#b8f2c4"))
    dark = mix(body, "#1d2433", 0.3)
    glow = chance.choice(("#3df5b3", "#5cc8ff", "#ff7eb6"))
    b.line([(50, 4), (50, 16)], 2.4, dark)
    b.circle(50, 5, 4.4, "#ff5c5c")
    for side in (-1, 1):
        b.limb([(50 + side * 26, 64), (50 + side * 40, 70), (50 + side * 40, 56 if side > 0 else 82)], 9, 8, dark)
        b.circle(50 + side * 40, 54 if side > 0 else 84, 6, body)
        b.box(50 + side * 12 - 6, 86, 50 + side * 12 + 6, 99, dark, 4)
        b.box(50 + side * 33 - 4, 28, 50 + side * 33 + 4, 42, dark, 3)
    b.box(26, 56, 74, 92, body, 10)
    b.box(20, 14, 80, 56, body, 15)
    b.box(26, 20, 74, 50, "#141a2b", 11)
    for side in (-1, 1):
        b.oval(50 + side * 11, 33, 5, 6.4, glow)
        b.circle(50 + side * 11 - 1.6, 30.6, 1.6, "#ffffff")
    b.arc(50, 38, 6.4, 5, 20, 160, 2, glow)
    b.box(36, 64, 64, 80, mix(body, "#ffffff", 0.4), 4)
    b.heart(50, 72, 5.6, "#ff5c7a")
    for x in (40, 50, 60):
        b.circle(x, 86.5, 1.8, glow)
    b.line([(30, 19), (44, 17)], 1.8, fade("#ffffff", 0.8))


def rocket(b: Brush, chance: Random, palette: Palette) -> None:
    fin = chance.choice(("#e63946", "#3a6ff7", "#ff8c42", "#8338ec"))
    b.blob([(50, 100), (40, 86), (42, 76), (58, 76), (60, 86)], "#ff8c42")
    b.blob([(50, 92), (45, 84), (46, 76), (54, 76), (55, 84)], "#ffe66d")
    for side in (-1, 1):
        b.blob([(50 + side * 16, 50), (50 + side * 32, 70), (50 + side * 30, 82), (50 + side * 12, 74)], fin)
    b.blob([(50, 2), (66, 24), (70, 52), (62, 78), (38, 78), (30, 52), (34, 24)], "#ffffff")
    b.pie(50, 26, 18, 200, 340, fin)
    b.blob([(50, 2), (59, 12), (63, 20), (50, 23), (37, 20), (41, 12)], fin)
    b.circle(50, 40, 10, mix(fin, "#000000", 0.25))
    b.circle(50, 40, 7, "#8fe3ff")
    b.oval(47.5, 37.5, 2.2, 2.8, "#ffffff")
    b.box(36, 60, 64, 65, fin, 2)
    b.box(42, 76, 58, 81, "#4a4e69", 2)
    b.line([(37, 30), (34, 54)], 2.4, fade("#c9d6ea", 0.8))


def phone(b: Brush, chance: Random, palette: Palette) -> None:
    b.box(24, 2, 78, 98, "#0c111c", 9)
    b.box(26.6, 4.6, 75.4, 95.4, palette.second, 7)
    b.box(26.6, 4.6, 75.4, 46, mix(palette.second, palette.top, 0.5), 7)
    b.box(42, 8, 60, 12.4, "#0c111c", 2.2)
    colours = ["#ff5c7a", "#ffd166", "#3df5b3", "#5cc8ff", "#ffffff", "#c79bff", "#ff8c42", "#7fe07f"]
    for row in range(3):
        for column in range(3):
            x, y = 32 + column * 14, 42 + row * 14
            b.box(x, y, x + 10, y + 10, colours[(row * 3 + column + chance.randrange(8)) % 8], 3)
    b.box(31, 18, 71, 35, fade("#ffffff", 0.85), 4)
    b.circle(39, 26.5, 5, "#ffbe0b")
    b.line([(48, 24), (66, 24)], 2, "#4a4e69")
    b.line([(48, 30), (60, 30)], 2, "#9aa0b8")
    b.line([(44, 91), (58, 91)], 1.6, "#ffffff")
    b.line([(80, 26), (80, 38)], 1.8, "#4a4e69")


def chip(b: Brush, chance: Random, palette: Palette) -> None:
    gold = "#ffcf5c"
    for step in range(7):
        at = 23 + step * 9
        b.box(at - 1.6, 4, at + 1.6, 96, gold, 1)
        b.box(4, at - 1.6, 96, at + 1.6, gold, 1)
    b.box(14, 14, 86, 86, "#1d2b3a", 6)
    b.box(19, 19, 81, 81, "#27394d", 4)
    b.box(32, 32, 68, 68, mix(palette.accent, "#0c111c", 0.1), 5)
    b.box(35, 35, 65, 65, "#0c111c", 4)
    for x0, y0, x1, y1 in (
        (50, 35, 50, 24),
        (42, 35, 42, 28),
        (58, 65, 58, 74),
        (65, 50, 75, 50),
        (35, 44, 26, 44),
        (65, 58, 72, 58),
    ):
        b.line([(x0, y0), (x1, y1)], 1.4, palette.accent)
        b.circle(x1, y1, 2, palette.accent)
    b.star(50, 50, 11, palette.accent, points=4, inner=0.28)
    b.circle(24, 24, 2, "#5a6f86")


def headphones(b: Brush, chance: Random, palette: Palette) -> None:
    shell = chance.choice(("#ffffff", "#ff5c7a", "#2b2d42", "#3a86ff"))
    dark = mix(shell, "#000000", 0.25)
    b.arc(50, 52, 36, 42, 180, 360, 8, shell)
    b.arc(50, 52, 33, 39, 190, 350, 2, dark)
    for side in (-1, 1):
        x = 50 + side * 33
        b.box(x - 11, 46, x + 11, 86, shell, 10)
        b.box(x - 8 + side * -8, 50, x + 8 + side * -8, 82, "#2b2d42", 7)
        b.circle(x + side * 5, 66, 4, dark)
        b.box(x - 3, 40, x + 3, 50, dark, 2)
    for place, high in enumerate((8, 17, 26, 14, 22, 10)):
        x = 38 + place * 5
        b.line([(x, 70 - high / 2), (x, 70 + high / 2)], 2.6, palette.accent)


HEROES = (robot, rocket, phone, chip, headphones)
