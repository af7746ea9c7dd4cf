"""A person in a pose, shared by those who dance and those who train."""

from dataclasses import dataclass
from random import Random

from sample_platform.art.brush import Brush, Point, mix

SKINS = ("#f6c9a4", "#e3a873", "#c68853", "#8d5a3b")
HAIRS = ("#2b1d1a", "#4a2c1a", "#7b4b2a", "#d9893d", "#ff7eb6", "#3b3f8f")
CLOTHES = ("#ff5c7a", "#3a86ff", "#ffbe0b", "#2ec4b6", "#8338ec", "#fb5607", "#ffffff")


@dataclass(frozen=True)
class Pose:
    head: Point
    neck: Point
    hip: Point
    left_arm: tuple[Point, Point]
    """Elbow and hand."""
    right_arm: tuple[Point, Point]
    left_leg: tuple[Point, Point]
    """Knee and foot."""
    right_leg: tuple[Point, Point]


@dataclass(frozen=True)
class Look:
    skin: str
    hair: str
    top: str
    bottom: str
    shoes: str
    has_long_hair: bool


def look(chance: Random) -> Look:
    top, bottom = chance.sample(CLOTHES, 2)
    dark = chance.choice(("#22223b", "#3d405b", bottom))
    return Look(
        chance.choice(SKINS),
        chance.choice(HAIRS),
        top,
        dark,
        chance.choice(("#ffffff", "#ff5c7a", "#ffd166")),
        chance.random() < 0.5,
    )


def draw(b: Brush, pose: Pose, wear: Look) -> None:
    """From the far side to the near one."""
    neck, hip = pose.neck, pose.hip
    shoulder = (neck[0], neck[1] + 4)
    if wear.has_long_hair:
        x, y = pose.head
        b.limb([(x, y - 6), (x - 9, y + 2), (x - 11, y + 14)], 15, 6, wear.hair)
    _arm(b, shoulder, pose.left_arm, wear, 0.14)
    _leg(b, hip, pose.left_leg, wear, 0.14)
    _leg(b, hip, pose.right_leg, wear, 0.0)
    b.limb([shoulder, ((shoulder[0] + hip[0]) / 2, (shoulder[1] + hip[1]) / 2), hip], 17, 15, wear.top)
    b.limb([(hip[0], hip[1] - 2), hip], 15.5, 15.5, wear.bottom)
    b.line([neck, shoulder], 6, mix(wear.skin, "#000000", 0.08))
    _head(b, pose.head, wear)
    _arm(b, shoulder, pose.right_arm, wear, 0.0)


def _head(b: Brush, at: Point, wear: Look) -> None:
    x, y = at
    b.circle(x, y, 9.4, wear.skin)
    b.pie(x, y - 1, 10.2, 178, 372, wear.hair)
    b.blob([(x - 10, y - 3), (x - 4, y - 8), (x + 6, y - 4), (x + 10, y - 2), (x + 6, y - 11), (x - 6, y - 11)], wear.hair)
    for side in (-1, 1):
        b.arc(x + side * 3.6 + 0.6, y + 1.6, 1.8, 1.8, 180, 360, 1.0, "#2b1d1a")
        b.oval(x + side * 6 + 0.6, y + 4, 1.8, 1.1, mix(wear.skin, "#ff5c5c", 0.4))
    b.arc(x + 0.6, y + 3.6, 2.8, 2.4, 10, 170, 1.1, "#8a2f2f")


def _arm(b: Brush, shoulder: Point, arm: tuple[Point, Point], wear: Look, shade: float) -> None:
    elbow, hand = arm
    b.line([shoulder, elbow, hand], 5.6, mix(wear.skin, "#000000", shade))
    half = ((shoulder[0] + elbow[0]) / 2, (shoulder[1] + elbow[1]) / 2)
    b.line([shoulder, half], 7.4, mix(wear.top, "#000000", shade))
    b.circle(*hand, 3.6, mix(wear.skin, "#000000", shade))


def _leg(b: Brush, hip: Point, leg: tuple[Point, Point], wear: Look, shade: float) -> None:
    knee, foot = leg
    b.line([hip, knee, foot], 7.6, mix(wear.bottom, "#000000", shade))
    b.line([foot, (foot[0] + 5, foot[1] + 0.6)], 5.6, mix(wear.shoes, "#000000", shade))
