"""Things made by hand."""

from random import Random

from sample_platform.art.brush import Brush, Palette, fade, mix

YARNS = ("#ff7b9c", "#7b9cff", "#ffb347", "#6cc6a3", "#c78bff")


def yarn(b: Brush, chance: Random, palette: Palette) -> None:
    one, two = chance.sample(YARNS, 2)
    b.line([(26, 92), (86, 8)], 3, "#c99b63")
    b.line([(78, 92), (18, 10)], 3, "#b5854c")
    b.circle(86, 8, 4, "#ffffff")
    b.circle(18, 10, 4, "#ffffff")
    b.circle(70, 72, 22, two)
    for shift in (-12, -4, 4, 12):
        b.arc(70 + shift, 72, 14, 20, 120, 240, 1.5, mix(two, "#ffffff", 0.4))
    b.circle(42, 58, 32, one)
    for shift in (-18, -9, 0, 9):
        b.arc(42 + shift, 58, 22, 30, 130, 235, 2, mix(one, "#ffffff", 0.45))
    for shift in (-14, -5, 4, 13):
        b.arc(42, 58 + shift, 28, 14, 210, 330, 2, mix(one, "#000000", 0.14))
    b.curve([(20, 80), (8, 88), (16, 96), (34, 95), (50, 97)], 2.4, one)


def crane(b: Brush, chance: Random, palette: Palette) -> None:
    paper = chance.choice(("#ff5c7a", "#ffffff", "#ffd166", "#5cc8ff", "#9b7bff"))
    dark, pale = mix(paper, "#000000", 0.2), mix(paper, "#ffffff", 0.45)
    b.poly([(40, 66), (4, 26), (52, 52)], dark)
    b.poly([(62, 70), (96, 34), (54, 56)], dark)
    b.poly([(96, 34), (82, 56), (92, 60)], paper)
    b.poly([(34, 64), (52, 88), (74, 68), (54, 46)], paper)
    b.poly([(52, 88), (74, 68), (54, 46)], pale)
    b.poly([(54, 52), (34, 2), (68, 62)], pale)
    b.poly([(54, 52), (34, 2), (46, 60)], paper)
    b.poly([(4, 26), (2, 38), (20, 46)], pale)


def vase(b: Brush, chance: Random, palette: Palette) -> None:
    clay = chance.choice(("#c8754a", "#5c8fb8", "#e8d8c3", "#8aa67a"))
    for x, y, colour in ((30, 18, "#ff7b9c"), (52, 8, "#ffd166"), (72, 20, "#c79bff"), (42, 30, "#ffffff"), (62, 32, "#ff9f68")):
        b.curve([(50, 60), ((50 + x) / 2 + 2, 42), (x, y)], 2, "#4b9b5a")
        for dx, dy in ((0, -6.4), (6, -2), (3.8, 5.2), (-3.8, 5.2), (-6, -2)):
            b.circle(x + dx, y + dy, 5, colour)
        b.circle(x, y, 3.8, "#ffb703" if colour != "#ffd166" else "#e4572e")
    for x in (36, 66):
        b.blob([(x, 38), (x + 7, 44), (x, 54), (x - 7, 46)], "#6cc070")
    b.blob([(40, 52), (60, 52), (62, 60), (78, 76), (70, 97), (30, 97), (22, 76), (38, 60)], clay)
    b.box(37, 50, 63, 55.5, mix(clay, "#ffffff", 0.25), 2.5)
    for x in range(28, 74, 9):
        b.line([(x, 74), (x + 4.5, 80), (x + 9, 74)], 1.8, mix(clay, "#ffffff", 0.65))
    b.oval(33, 72, 3, 9, fade("#ffffff", 0.35))


def bear(b: Brush, chance: Random, palette: Palette) -> None:
    wool = chance.choice(("#c9935f", "#f1d3b2", "#a9b4c8", "#f4a6b7"))
    dark, pale = mix(wool, "#000000", 0.16), mix(wool, "#ffffff", 0.55)
    for side in (-1, 1):
        b.oval(50 + side * 24, 88, 12, 10, dark)
        b.oval(50 + side * 24, 89, 7, 6, pale)
        b.limb([(50 + side * 18, 60), (50 + side * 32, 68), (50 + side * 33, 76)], 13, 11, dark)
        b.circle(50 + side * 21, 15, 10.5, wool)
        b.circle(50 + side * 21, 15, 6, pale)
    b.oval(50, 76, 25, 22, wool)
    b.oval(50, 79, 15, 14, pale)
    b.circle(50, 34, 27, wool)
    b.oval(50, 42, 12, 9.5, pale)
    for side in (-1, 1):
        b.circle(50 + side * 11, 31, 3.4, "#2b1d1a")
        b.circle(50 + side * 11 - 1, 29.8, 1.1, "#ffffff")
        b.oval(50 + side * 18, 40, 4, 2.6, mix(wool, "#ff5c7a", 0.45))
    b.oval(50, 38, 4, 2.8, "#4a2c1a")
    b.line([(50, 40), (50, 44)], 1.2, "#4a2c1a")
    b.arc(50, 43, 4.4, 3.4, 10, 170, 1.2, "#4a2c1a")
    ribbon = chance.choice(("#e63946", "#3a86ff", "#ffbe0b"))
    b.poly([(50, 60), (34, 53), (34, 67)], ribbon)
    b.poly([(50, 60), (66, 53), (66, 67)], ribbon)
    b.circle(50, 60, 4, mix(ribbon, "#000000", 0.2))


def house(b: Brush, chance: Random, palette: Palette) -> None:
    wall, roof = chance.choice((("#fff1d6", "#e4572e"), ("#d8ecff", "#3d5a80"), ("#ffe0ea", "#b5446e")))
    b.oval(50, 94, 46, 6, "#7cc576")
    b.box(68, 20, 77, 44, mix(roof, "#000000", 0.25), 1)
    b.box(20, 46, 80, 94, wall, 2)
    b.poly([(10, 50), (50, 14), (90, 50)], roof)
    for row, y in enumerate((30, 38, 46)):
        half = (y - 16) * 1.05
        for step in range(int(half / 4.4)):
            b.arc(50 - half + 7 + step * 9 + (row % 2) * 2, y, 4.5, 3.6, 0, 180, 1.2, mix(roof, "#ffffff", 0.35))
    b.box(43, 66, 57, 94, mix(roof, "#000000", 0.15), 7)
    b.circle(54, 81, 1.4, "#ffd166")
    for x in (25, 62):
        b.box(x, 58, x + 13, 72, "#8fd0ee", 2)
        b.line([(x + 6.5, 58), (x + 6.5, 72)], 1.2, "#ffffff")
        b.line([(x, 65), (x + 13, 65)], 1.2, "#ffffff")
        for step, colour in enumerate(("#ff7b9c", "#ffd166", "#c79bff")):
            b.circle(x + 2 + step * 4.5, 75, 2.6, colour)
    for x in (14, 86):
        b.circle(x, 84, 8, "#4fa85a")
        b.circle(x + 3, 80, 3, "#8fd694")


HEROES = (yarn, crane, vase, bear, house)
