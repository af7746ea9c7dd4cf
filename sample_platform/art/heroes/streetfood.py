"""What the night market sells."""

from random import Random

from sample_platform.art.brush import Brush, Palette, fade, mix


def skewers(b: Brush, chance: Random, palette: Palette) -> None:
    b.box(2, 78, 98, 98, "#3a3a40", 4)
    for x in range(8, 96, 8):
        b.line([(x, 82), (x, 94)], 2.4, "#1f1f23")
    for x in range(10, 95, 12):
        b.circle(x, 95, 3, "#ff6b35")
    for column, x in enumerate((24, 50, 76)):
        b.line([(x, 4), (x, 96)], 2.2, "#caa472")
        for row in range(4):
            y = 20 + row * 17
            if (row + column) % 3 == 1:
                b.box(x - 10, y - 6, x + 10, y + 6, "#6ab04c", 5)
                b.box(x - 7, y - 4, x + 4, y - 2, "#9ad07e", 1)
            elif (row + column) % 3 == 2:
                b.oval(x, y, 10, 7, "#f6e3c5")
                b.arc(x, y, 6, 4, 180, 350, 1.4, "#d8b98c")
            else:
                b.box(x - 11, y - 7.5, x + 11, y + 7.5, "#a4502f", 4)
                b.line([(x - 7, y - 3), (x + 5, y - 4)], 1.8, "#d9774a")
                b.line([(x - 5, y + 3), (x + 7, y + 2)], 1.8, "#7d3820")
            b.circle(x + 4, y - 1, 0.9, "#ffe08a")
            b.circle(x - 5, y + 2, 0.9, "#ffe08a")


def cart(b: Brush, chance: Random, palette: Palette) -> None:
    one = chance.choice(("#e63946", "#ff8c42", "#2a9d8f", "#5b5bd6"))
    b.box(16, 24, 20, 76, "#7a5a3a")
    b.box(80, 24, 84, 76, "#7a5a3a")
    b.box(8, 56, 92, 82, mix(one, "#000000", 0.1), 4)
    b.box(6, 52, 94, 58, "#f2d6a2", 3)
    for step in range(7):
        x = 6 + step * 12.6
        colour = one if step % 2 == 0 else "#ffffff"
        b.poly([(x + 3, 8), (x + 13, 8), (x + 12.6, 26), (x, 26)], colour)
        b.pie(x + 6.3, 26, 6.3, 0, 180, colour)
    b.box(10, 5, 90, 10, mix(one, "#000000", 0.25), 2)
    for x, colour in ((28, "#ffd166"), (44, "#ff7b89"), (58, "#a0d468")):
        b.box(x - 5, 38, x + 5, 52, "#eef6fa", 2)
        b.box(x - 4, 43, x + 4, 51, colour, 1.5)
    b.pie(74, 52, 9, 180, 360, "#d8d8de")
    b.circle(74, 42, 1.8, "#8a8a93")
    b.box(30, 63, 70, 76, "#fff6e0", 3)
    for x in (40, 50, 60):
        b.heart(x, 69.5, 3.6, one)
    for x in (26, 74):
        b.circle(x, 88, 10.5, "#33323a")
        b.circle(x, 88, 6.5, "#d8d8de")
        b.circle(x, 88, 2.2, "#33323a")
    for x in (12, 88):
        b.line([(x, 26), (x, 32)], 1, "#5a3a22")
        b.oval(x, 38, 6, 7, "#ff5a3c")
        b.box(x - 3, 30.4, x + 3, 32.4, "#ffd166", 1)
        b.oval(x, 38, 2.2, 6.6, fade("#ffd166", 0.6))


def bubbletea(b: Brush, chance: Random, palette: Palette) -> None:
    tea = chance.choice(("#d9a066", "#c9b6e4", "#f3a6b7", "#a8c686"))
    b.line([(54, 36), (62, 2)], 6, "#ff5c7a")
    b.poly([(24, 30), (76, 30), (68, 98), (32, 98)], "#f3fbff")
    b.poly([(26.5, 42), (73.5, 42), (67.4, 95), (32.6, 95)], tea)
    b.poly([(26.5, 42), (73.5, 42), (72.4, 52), (27.6, 52)], mix(tea, "#ffffff", 0.45))
    b.box(20, 26, 80, 34, "#ffffff", 4)
    b.pie(50, 28, 24, 180, 360, fade("#ffffff", 0.9))
    for row, y in enumerate((91, 83, 75)):
        for step in range(5 - row % 2):
            x = 38 + step * 6.4 + (row % 2) * 3
            b.circle(x, y, 3.6, "#3b2218")
            b.circle(x - 1, y - 1.2, 0.9, "#8b6b5a")
    for side in (-1, 1):
        b.oval(50 + side * 9, 61, 2.4, 3, "#3b2a20")
        b.circle(50 + side * 9 - 0.8, 59.8, 0.9, "#ffffff")
        b.oval(50 + side * 15, 66, 3.2, 1.8, "#ff9fae")
    b.arc(50, 64, 4, 3.4, 10, 170, 1.4, "#3b2a20")
    b.line([(31, 44), (36, 86)], 1.8, fade("#ffffff", 0.6))


def takoyaki(b: Brush, chance: Random, palette: Palette) -> None:
    b.poly([(6, 66), (94, 66), (84, 96), (16, 96)], "#e4572e")
    b.poly([(6, 66), (94, 66), (92, 73), (8, 73)], "#ffffff")
    b.oval(50, 84, 9, 7, "#ffd9c4")
    for row, (y, places) in enumerate(((60, (22, 50, 78)), (44, (36, 64)))):
        for x in places:
            b.circle(x, y, 15, "#c97b34")
            b.circle(x - 1, y - 2, 13, "#e09a4d")
            b.blob(
                [
                    (x - 12, y - 4),
                    (x - 4, y - 13),
                    (x + 8, y - 12),
                    (x + 13, y - 2),
                    (x + 5, y + 3),
                    (x - 3, y - 1),
                    (x - 8, y + 4),
                ],
                "#6b3416",
            )
            b.curve([(x - 9, y - 6), (x - 3, y - 10), (x + 2, y - 4), (x + 9, y - 8)], 1.6, "#fff6df")
            for dx, dy in ((-5, -9), (3, -6), (7, -3)):
                b.oval(x + dx, y + dy, 1.7, 0.8, "#57a74e")
        if row:
            b.line([(64, 44), (86, 6)], 1.8, "#d6b27a")
            b.circle(86, 6, 3, "#e63946")


def candied(b: Brush, chance: Random, palette: Palette) -> None:
    for shift, turn in ((-24, -14), (0, 0), (24, 14)):
        base = (50 + shift * 0.3, 98)
        tip = (50 + shift + turn, 6)
        b.line([base, tip], 2, "#d0a566")
        for step in range(5):
            share = 0.36 + step * 0.125
            x = base[0] + (tip[0] - base[0]) * share
            y = base[1] + (tip[1] - base[1]) * share
            b.circle(x, y, 8.4, "#d7263d")
            b.circle(x, y, 7.2, "#ef3e55")
            b.oval(x - 2.6, y - 3, 2.3, 1.6, "#ffc2ca")
            b.circle(x + 3, y + 3, 0.8, "#ffe08a")


HEROES = (skewers, cart, bubbletea, takoyaki, candied)
