"""Dancers, and what they dance to."""

from random import Random

from sample_platform.art.brush import Brush, Palette, fade, mix
from sample_platform.art.heroes.figure import Pose, draw, look

POSES = (
    Pose((50, 17), (50, 27), (48, 56), ((34, 26), (26, 10)), ((66, 28), (76, 12)), ((38, 72), (28, 92)), ((62, 70), (70, 92))),
    Pose((44, 19), (46, 29), (50, 57), ((30, 36), (16, 30)), ((62, 24), (78, 12)), ((42, 74), (40, 95)), ((70, 62), (88, 50))),
    Pose((56, 18), (54, 28), (48, 56), ((40, 38), (54, 44)), ((68, 18), (72, 2)), ((34, 68), (18, 78)), ((58, 74), (56, 95))),
    Pose((50, 20), (50, 30), (52, 58), ((34, 30), (18, 36)), ((66, 32), (80, 42)), ((40, 76), (24, 94)), ((68, 74), (80, 94))),
    Pose((48, 18), (49, 28), (52, 56), ((36, 20), (46, 6)), ((64, 38), (56, 50)), ((44, 74), (36, 94)), ((66, 68), (58, 84))),
)


def dancer(b: Brush, chance: Random, palette: Palette) -> None:
    draw(b, chance.choice(POSES), look(chance))


def duo(b: Brush, chance: Random, palette: Palette) -> None:
    for shift, turn in ((-21, 1), (21, -1)):
        pose = chance.choice(POSES)
        draw(b, _moved(pose, shift, 0.86, turn), look(chance))


def _moved(pose: Pose, shift: float, size: float, turn: int) -> Pose:
    def at(point: tuple[float, float]) -> tuple[float, float]:
        return 50 + shift + (point[0] - 50) * size * turn * 0.8, 96 + (point[1] - 96) * size

    def pair(points: tuple[tuple[float, float], tuple[float, float]]) -> tuple[tuple[float, float], tuple[float, float]]:
        return at(points[0]), at(points[1])

    limbs = (pair(pose.left_arm), pair(pose.right_arm), pair(pose.left_leg), pair(pose.right_leg))
    return Pose(at(pose.head), at(pose.neck), at(pose.hip), *limbs)


def disco(b: Brush, chance: Random, palette: Palette) -> None:
    b.line([(50, 0), (50, 16)], 1.4, "#ffffff")
    colours = ["#f7f7ff", "#c9d6ff", "#ffb3d9", "#b8f2e6", "#ffe9a8", "#d6b8ff"]
    b.circle(50, 52, 38, "#7a7fb8")
    for row in range(-4, 5):
        y = 52 + row * 8.2
        half = (38**2 - (row * 8.2) ** 2) ** 0.5 if abs(row * 8.2) < 38 else 0.0
        count = max(3, int(half / 4))
        for step in range(count):
            x0, x1 = 50 - half + 2 * half * step / count, 50 - half + 2 * half * (step + 1) / count
            b.box(x0 + 0.5, y - 3.6, x1 - 0.5, y + 3.6, chance.choice(colours), 0.8)
    b.pie(50, 52, 38, 20, 100, fade("#1b1b3a", 0.22))
    for x, y, r in ((24, 26, 9), (78, 72, 7), (70, 24, 5)):
        b.star(x, y, r, "#ffffff", points=4, inner=0.2)


def boombox(b: Brush, chance: Random, palette: Palette) -> None:
    body = chance.choice(("#ff5c7a", "#3a86ff", "#8338ec", "#ffbe0b"))
    b.arc(50, 30, 26, 20, 180, 360, 4.5, mix(body, "#000000", 0.35))
    b.box(6, 30, 94, 86, body, 7)
    b.box(6, 30, 94, 40, mix(body, "#ffffff", 0.25), 5)
    for x in (26, 74):
        b.circle(x, 62, 17, "#22223b")
        b.circle(x, 62, 12.5, "#4a4e69")
        b.circle(x, 62, 5, "#c9ada7")
        b.arc(x, 62, 9, 9, 200, 260, 1.6, "#ffffff")
    b.box(42, 48, 58, 60, "#22223b", 2)
    for reel in (46.5, 53.5):
        b.circle(reel, 54, 2.8, "#ffffff")
    for step in range(4):
        b.box(43 + step * 3.8, 66, 45.4 + step * 3.8, 69, "#ffffff", 0.8)
    for x in (14, 22, 30):
        b.circle(x, 35, 2, "#ffffff")
    b.box(58, 33, 88, 37, "#22223b", 2)
    b.box(60, 34, 74, 36, "#3df5b3", 1)
    for x in (20, 80):
        b.box(x - 5, 86, x + 5, 90, "#22223b", 1)


HEROES = (dancer, duo, disco, boombox)
