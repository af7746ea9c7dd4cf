"""Places one would rather be."""

import math
from random import Random

from sample_platform.art.brush import Brush, Palette, fade, mix


def mountains(b: Brush, chance: Random, palette: Palette) -> None:
    near, far = mix(palette.dark, palette.bottom, 0.25), mix(palette.dark, palette.bottom, 0.55)
    b.poly([(0, 88), (26, 34), (40, 58), (52, 40), (80, 88)], far)
    b.poly([(26, 34), (19, 49), (24, 46), (28, 52), (32, 46)], "#ffffff")
    b.poly([(24, 92), (62, 16), (100, 92)], near)
    b.poly([(62, 16), (50, 40), (56, 37), (61, 45), (67, 36), (74, 40)], "#ffffff")
    b.oval(50, 92, 50, 8, mix("#7fd6e8", palette.bottom, 0.3))
    for y, x0, x1 in ((90, 20, 44), (94, 52, 84), (92, 60, 72)):
        b.line([(x0, y), (x1, y)], 1.1, "#ffffff")
    for x, size in ((8, 16.0), (18, 20.0), (88, 18.0), (96, 14.0)):
        for step in range(3):
            base = 90 - step * size * 0.32
            half = size * (0.34 - step * 0.07)
            b.poly([(x - half, base), (x + half, base), (x, base - size * 0.5)], mix("#2f7d5b", palette.dark, 0.15))
        b.box(x - 1, 90, x + 1, 94, "#5a3a22")


def balloon(b: Brush, chance: Random, palette: Palette) -> None:
    colours = chance.choice((("#ff5c5c", "#ffd166"), ("#5b5bd6", "#ffffff"), ("#ff8c42", "#2ec4b6"), ("#ff6fae", "#fff275")))
    b.limb([(38, 58), (50, 76), (62, 58)], 30, 30, colours[0])
    b.circle(50, 38, 36, colours[0])
    for rx in (26, 11):
        b.oval(50, 38, rx, 36, colours[1] if rx == 26 else colours[0])
    b.poly([(32, 66), (68, 66), (57, 80), (43, 80)], colours[0])
    b.poly([(42, 68), (58, 68), (54, 80), (46, 80)], colours[1])
    b.oval(36, 24, 6, 9, fade("#ffffff", 0.45))
    for x in (44, 56):
        b.line([(x, 79), (x, 88)], 1.1, "#5a3a22")
    b.box(41, 86, 59, 98, "#b5793c", 2.5)
    b.box(41, 86, 59, 89.5, "#8d5a2b", 1.5)
    for x in (46, 50, 54):
        b.line([(x, 91), (x, 96.5)], 0.9, "#8d5a2b")


def train(b: Brush, chance: Random, palette: Palette) -> None:
    body = chance.choice(("#e63946", "#2a9d8f", "#3a6ff7", "#ff8c42"))
    b.line([(0, 92), (100, 92)], 2.6, "#4b4453")
    for x in range(4, 100, 10):
        b.box(x - 1.5, 92, x + 1.5, 97, "#7a6a58")
    b.box(4, 44, 92, 84, body, 12)
    b.blob([(70, 44), (90, 46), (99, 64), (98, 84), (70, 84)], body)
    b.box(4, 70, 97, 75, "#ffffff")
    for x in (12, 28, 44):
        b.box(x, 50, x + 12, 64, "#bfe9ff", 3)
        b.line([(x + 3, 61), (x + 8, 53)], 1.6, "#ffffff")
    b.blob([(68, 50), (84, 51), (91, 62), (68, 64)], "#bfe9ff")
    b.circle(93, 78, 3, "#ffe66d")
    for x in (18, 34, 62, 78):
        b.circle(x, 87, 5.4, "#33323a")
        b.circle(x, 87, 2.4, "#d8d8de")
    b.box(20, 38, 60, 44, mix(body, "#000000", 0.25), 3)
    for step, x in enumerate((50, 34, 14)):
        b.circle(x, 26 - step * 8, 6 + step * 3, mix("#ffffff", palette.top, 0.12))


def tent(b: Brush, chance: Random, palette: Palette) -> None:
    cloth = chance.choice(("#ff8c42", "#2ec4b6", "#ffd166", "#ef476f"))
    for x, high in ((10, 60), (24, 44), (84, 56), (95, 40)):
        for step in range(4):
            y = 88 - step * high * 0.2
            half = high * (0.2 - step * 0.03)
            b.poly([(x - half, y), (x + half, y), (x, y - high * 0.34)], mix("#1f5c4a", palette.dark, 0.25))
    b.poly([(18, 90), (52, 36), (86, 90)], cloth)
    b.poly([(52, 36), (86, 90), (66, 90)], mix(cloth, "#000000", 0.22))
    b.poly([(52, 46), (40, 90), (64, 90)], "#ffe9a8")
    b.poly([(52, 46), (40, 90), (46, 90)], mix(cloth, "#ffffff", 0.3))
    b.line([(52, 36), (52, 30)], 1.6, "#5a3a22")
    b.poly([(52, 26), (62, 29), (52, 32)], "#ffffff")
    for x, turn in ((8, 12), (20, -12)):
        b.line([(x, 97), (x + turn, 91)], 3, "#7a4a22")
    b.blob([(14, 70), (20, 82), (18, 92), (10, 92), (7, 82)], "#ff6b35")
    b.blob([(14, 79), (17, 87), (14, 92), (11, 87)], "#ffd166")


def island(b: Brush, chance: Random, palette: Palette) -> None:
    b.oval(50, 86, 50, 13, "#35b6d6")
    b.oval(50, 84, 47, 10, "#62d0e6")
    b.oval(48, 82, 32, 8, "#f6dca0")
    for root, bend in ((40, -10), (52, 12)):
        top = (root + bend * 1.6, 34 if bend < 0 else 24)
        b.limb([(root, 80), (root + bend * 0.5, 60), top], 6, 3.6, "#9a6b3f")
        for step in range(6):
            angle = math.radians(step * 60 + 15)
            reach = (top[0] + 22 * math.cos(angle), top[1] + 13 * math.sin(angle) + 6)
            middle = ((top[0] + reach[0]) / 2, (top[1] + reach[1]) / 2 - 6)
            b.limb([top, middle, reach], 7, 1.5, ("#2f9e62", "#43bd78")[step % 2])
        for dx in (-2.5, 2.5):
            b.circle(top[0] + dx, top[1] + 3, 2.6, "#7a4a22")
    b.poly([(66, 80), (84, 80), (81, 86), (69, 86)], "#e63946")
    b.line([(75, 80), (75, 58)], 1.3, "#5a3a22")
    b.poly([(76, 58), (76, 77), (88, 77)], "#ffffff")
    b.line([(24, 78), (31, 60)], 1.4, "#ffffff")
    b.pie(31, 62, 13, 200, 350, "#ff5c7a")
    for y, x0, x1 in ((92, 16, 36), (95, 56, 80)):
        b.line([(x0, y), (x1, y)], 1.2, "#ffffff")


HEROES = (mountains, balloon, train, tent, island)
