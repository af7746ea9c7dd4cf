"""What stands on the table."""

from random import Random

from sample_platform.art.brush import Brush, Palette, fade, mix

CROCKERY = (
    ("#e63946", "#ffffff"),
    ("#1d4e89", "#f7f7ff"),
    ("#2a9d8f", "#fdf6e3"),
    ("#2b2d42", "#ffd166"),
    ("#ffffff", "#e07a5f"),
)


def _steam(b: Brush, places: tuple[float, ...], top: float) -> None:
    for x in places:
        b.curve([(x, top + 16), (x - 4, top + 11), (x + 4, top + 6), (x, top)], 2.4, "#ffffff")


def ramen(b: Brush, chance: Random, palette: Palette) -> None:
    bowl, band = chance.choice(CROCKERY)
    b.line([(62, 52), (92, 4)], 2.6, "#8d5a2b")
    b.line([(68, 52), (98, 10)], 2.6, "#a06c38")
    b.oval(50, 50, 45, 15, mix(bowl, "#000000", 0.25))
    b.oval(50, 50, 41, 12.5, "#e9a94b")
    for step in range(7):
        x = 20 + step * 7
        b.curve([(x, 53), (x + 5, 45), (x + 11, 52), (x + 17, 46)], 2.4, "#ffe3a3")
    b.oval(34, 45, 11, 8, "#ffffff")
    b.circle(34, 45, 5, "#ff9f1c")
    b.circle(32.6, 43.4, 1.5, "#ffd98a")
    b.oval(64, 46, 10, 6.5, "#c97b5a")
    b.arc(64, 46, 6.5, 4, 0, 300, 1.6, "#f3c9b0")
    b.poly([(72, 50), (78, 26), (90, 30), (84, 52)], "#1f3d2b")
    for x, y in ((46, 40), (52, 57), (26, 55), (58, 54), (44, 58)):
        b.circle(x, y, 1.7, "#5fb84f")
    b.pie(50, 50, 45, 0, 180, bowl)
    b.box(32, 91, 68, 98, mix(bowl, "#000000", 0.2), 3)
    b.oval(50, 50, 45, 2.2, mix(bowl, "#ffffff", 0.4))
    for step in range(6):
        b.arc(15 + step * 14, 66, 7, 6, 180, 360, 1.8, band)
    _steam(b, (36, 52), 14)


def steamer(b: Brush, chance: Random, palette: Palette) -> None:
    for y in (62, 80):
        b.box(10, y, 90, y + 17, "#d6a45c", 4)
        b.box(10, y, 90, y + 4, "#eac687", 2)
        b.box(10, y + 12.5, 90, y + 17, "#b98542", 2)
        for x in range(18, 88, 9):
            b.line([(x, y + 6), (x, y + 11)], 1.2, "#b98542")
    b.oval(50, 61, 40, 10, "#b98542")
    b.oval(50, 60, 36, 8, "#f0d9ae")
    for x, y in ((28, 52), (72, 52), (50, 45)):
        b.blob([(x - 15, y + 8), (x - 13, y - 5), (x, y - 12), (x + 13, y - 5), (x + 15, y + 8), (x, y + 12)], "#fffaf0")
        for shift in (-7, -2.5, 2.5, 7):
            b.curve([(x, y - 11), (x + shift * 0.7, y - 4), (x + shift, y + 4)], 1.1, "#e5d6bd")
        b.circle(x, y - 10, 2.4, "#fff")
        for side in (-1, 1):
            b.circle(x + side * 4.4, y + 1.5, 1.3, "#3b2a20")
            b.oval(x + side * 8, y + 4, 2.2, 1.3, "#ffb3b3")
        b.arc(x, y + 2.5, 2.6, 2.2, 10, 170, 1.0, "#3b2a20")
    _steam(b, (22, 50, 78), 12)


def cake(b: Brush, chance: Random, palette: Palette) -> None:
    cream, sponge = chance.choice((("#ffd6e0", "#f7c873"), ("#fff3d6", "#8a5a3b"), ("#cfe8b4", "#9cc069")))
    b.oval(50, 92, 44, 7, "#ffffff")
    b.box(18, 44, 82, 90, sponge, 5)
    for y in (58, 73):
        b.box(18, y, 82, y + 5, "#fffaf2", 2)
    b.box(16, 38, 84, 52, cream, 7)
    for x, length in ((22, 10), (34, 16), (46, 8), (58, 17), (70, 11), (79, 7)):
        b.box(x - 4, 46, x + 4, 52 + length, cream, 4)
    for x in (28, 50, 72):
        b.circle(x, 36, 7.5, "#ffffff")
        b.blob([(x, 36), (x - 6, 28), (x - 3, 22), (x, 24), (x + 3, 22), (x + 6, 28)], "#e63946")
        b.poly([(x - 4, 23), (x, 18), (x + 4, 23), (x, 26)], "#4f9d4f")
        for dx, dy in ((-2, 28), (2, 28), (0, 31)):
            b.circle(x + dx, dy, 0.7, "#ffd9a0")
    b.oval(30, 42, 6, 1.6, fade("#ffffff", 0.7))


def glass(b: Brush, chance: Random, palette: Palette) -> None:
    tea = chance.choice(("#ff9e5e", "#ff7a8a", "#9bd770", "#ffc93c"))
    b.line([(56, 40), (70, 4)], 3.4, "#ffffff")
    b.line([(58.5, 34), (66, 14)], 1.2, "#ff5c7a")
    b.poly([(24, 24), (76, 24), (69, 97), (31, 97)], "#e8f7fb")
    b.poly([(27, 36), (73, 36), (68, 94), (32, 94)], tea)
    b.oval(50, 36, 23, 4, mix(tea, "#ffffff", 0.35))
    for x, y, turn in ((40, 52, 0), (58, 62, 1), (42, 76, 2)):
        colour = ("#ff6b4a", "#ffd84d", "#a2d94d")[turn]
        b.circle(x, y, 9, colour)
        b.circle(x, y, 7.6, mix(colour, "#ffffff", 0.55))
        for step in range(6):
            b.pie(x, y, 6.8, step * 60 + 6, step * 60 + 54, colour)
    for x, y in ((58, 46), (34, 64), (58, 82), (50, 88)):
        b.box(x - 5, y - 5, x + 5, y + 5, mix(tea, "#ffffff", 0.45), 2)
    b.circle(76, 26, 13, "#ffd84d")
    b.circle(76, 26, 10.6, "#fff3b8")
    for step in range(8):
        b.pie(76, 26, 9.6, step * 45 + 5, step * 45 + 40, "#ffd84d")
    for x, y in ((28, 20), (36, 14)):
        b.blob([(x, y - 8), (x + 7, y), (x, y + 8), (x - 7, y)], "#57b45d")
    b.line([(30, 30), (36, 88)], 2, fade("#ffffff", 0.6))


def plate(b: Brush, chance: Random, palette: Palette) -> None:
    """Rice in a hill, an egg, vegetables: the lunch of a working day."""
    b.oval(50, 74, 48, 19, "#ffffff")
    b.oval(50, 72, 40, 14, mix("#ffffff", palette.bottom, 0.3))
    b.blob([(16, 70), (24, 46), (44, 34), (62, 44), (70, 68), (44, 78)], "#fffaf0")
    for _ in range(40):
        x, y = chance.uniform(24, 62), chance.uniform(46, 70)
        b.oval(x, y, 1.7, 0.8, "#eee0c8")
    b.blob([(40, 38), (58, 34), (74, 44), (70, 56), (54, 60), (38, 52)], "#ffffff")
    b.circle(56, 46, 8, "#ffb703")
    b.oval(53, 43, 2.6, 1.8, "#ffe08a")
    for x, y in ((76, 66), (84, 70), (72, 74)):
        for dx, dy in ((-3.4, 0), (3.4, 0), (0, -3.4)):
            b.circle(x + dx, y + dy, 4, "#4ea64e")
        b.box(x - 1.4, y + 1, x + 1.4, y + 6, "#b7dd9a", 1)
    for x, y in ((20, 72), (28, 79), (38, 81)):
        b.circle(x, y, 4.4, "#e63946")
        b.circle(x - 1.2, y - 1.4, 1.1, "#ff9aa2")
    _steam(b, (34, 50), 12)


HEROES = (ramen, steamer, cake, glass, plate)
