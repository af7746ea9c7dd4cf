"""People who train, and the iron they train with."""

from random import Random

from sample_platform.art.brush import Brush, Palette, mix
from sample_platform.art.heroes.figure import Pose, draw, look

SQUAT = Pose((46, 30), (46, 40), (34, 66), ((62, 42), (78, 42)), ((64, 44), (80, 44)), ((54, 70), (48, 92)), ((56, 72), (50, 94)))
RUN = Pose((56, 16), (54, 26), (48, 54), ((38, 38), (46, 50)), ((68, 40), (78, 28)), ((34, 66), (16, 72)), ((66, 64), (62, 88)))
TREE = Pose((50, 22), (50, 32), (50, 60), ((36, 22), (48, 4)), ((64, 22), (52, 4)), ((66, 72), (54, 78)), ((50, 78), (49, 95)))
WARRIOR = Pose((46, 24), (46, 34), (46, 60), ((28, 38), (8, 38)), ((64, 38), (86, 38)), ((26, 78), (8, 93)), ((68, 68), (68, 93)))
LIFT = Pose((50, 24), (50, 34), (50, 62), ((30, 30), (26, 12)), ((70, 30), (74, 12)), ((36, 76), (34, 95)), ((64, 76), (66, 95)))


def squatting(b: Brush, chance: Random, palette: Palette) -> None:
    draw(b, SQUAT, look(chance))


def running(b: Brush, chance: Random, palette: Palette) -> None:
    for y, x0, x1 in ((30, 4, 24), (44, 0, 18), (58, 6, 22)):
        b.line([(x0, y), (x1, y)], 2, "#ffffff")
    draw(b, RUN, look(chance))


def yoga(b: Brush, chance: Random, palette: Palette) -> None:
    b.box(12, 95, 88, 100, chance.choice(("#7b4ea8", "#2a9d8f", "#e4572e")), 2.5)
    draw(b, chance.choice((TREE, WARRIOR)), look(chance))


def lifting(b: Brush, chance: Random, palette: Palette) -> None:
    draw(b, LIFT, look(chance))
    b.line([(4, 11), (96, 11)], 2.2, "#d8d8de")
    for side in (-1, 1):
        for shift, high in ((44, 8), (39, 11), (34, 8)):
            x = 50 + side * shift
            b.box(x - 2, 11 - high, x + 2, 11 + high, "#33323a" if high < 11 else palette.second, 1.5)


def kettlebell(b: Brush, chance: Random, palette: Palette) -> None:
    iron = chance.choice(("#33323a", "#e63946", "#3a6ff7", "#2a9d8f"))
    b.arc(50, 34, 22, 26, 150, 390, 8, mix(iron, "#000000", 0.15))
    b.blob([(50, 34), (82, 52), (84, 82), (64, 97), (36, 97), (16, 82), (18, 52)], iron)
    b.oval(34, 58, 7, 10, mix(iron, "#ffffff", 0.35))
    b.circle(54, 70, 15, mix(iron, "#ffffff", 0.9))
    b.line([(48, 64), (48, 76)], 2.6, iron)
    b.line([(60, 64), (52, 70), (60, 76)], 2.6, iron)
    b.line([(46, 70), (50, 70)], 2.6, iron)


HEROES = (squatting, running, yoga, lifting, kettlebell)
