"""Whole pictures: covers, slides, faces."""

import random

from PIL import Image, ImageDraw

from sample_platform.art import backdrops, lettering
from sample_platform.art.brush import Brush, fade, gradient, mix
from sample_platform.art.heroes import HEROES, choose
from sample_platform.art.heroes.figure import HAIRS, SKINS
from sample_platform.art.scenes import scene
from sample_platform.words import TOPICS
from sample_platform.world import Author, Video

COVER_SIDE = 540
"""Pixels of a cover's short side."""


def cover(video: Video) -> Image.Image:
    scale = COVER_SIDE / min(video.width, video.height)
    return scene(video, round(video.width * scale), round(video.height * scale)).flat()


def slide(video: Video, position: int) -> Image.Image:
    """One page of a carousel: the first is its cover, the others carry one piece of advice each."""
    width, height = video.width, video.height
    if position == 0:
        return scene(video, width, height).flat()
    chance = random.Random(f"slide/{video.number}/{position}")
    palette = random.Random(f"scene/{video.art}").choice(backdrops.PALETTES)
    picture = gradient(width, height, mix(palette.light, palette.top, 0.35), mix(palette.light, palette.bottom, 0.55))
    brush = Brush(width, height, 1000.0, smooth=1.0, ground=picture)
    for _ in range(7):
        colour = chance.choice((palette.accent, palette.second, palette.bottom))
        brush.circle(chance.uniform(0, 1000), chance.uniform(0, brush.high), chance.uniform(60, 200), fade(colour, 0.14))
    brush.box(70, 90, 930, 620, "#ffffff", 46)
    brush.circle(180, 200, 74, palette.accent)
    page = brush.done()
    text = video.slides[position]
    big, small = lettering.readable(text.chinese, text.english)
    k = width / 1000
    lettering.write(page, [str(position)], 180 * k, 138 * k, round(96 * k), palette.dark)
    size, lines = lettering.fitted(big, round(106 * k), 780 * k, 2)
    end = lettering.write(page, lines, width / 2, (340 if len(lines) == 1 else 290) * k, size, "#22202c")
    if small:
        lettering.write(page, [small], width / 2, end + 14 * k, round(46 * k), mix(palette.dark, "#ffffff", 0.3))
    drawing = Brush(round(560 * k), round(560 * k), smooth=2.0)
    heroes = list(HEROES[video.topic.slug].values())
    heroes[(video.number + position) % len(heroes)](drawing, chance, palette)
    page.paste(drawing.done(), (round(220 * k), height - round(640 * k)), drawing.done())
    pen = ImageDraw.Draw(page)
    pen.text(
        (width - 40 * k, height - 36 * k),
        f"{position + 1} / {len(video.slides)}",
        font=lettering.font(round(34 * k)),
        fill=palette.dark,
        anchor="rs",
    )
    return page


def avatar(author: Author, size: int) -> Image.Image:
    """Half of the people show a face, the others what they care for."""
    chance = random.Random(f"avatar/{author.index}")
    palette = chance.choice(backdrops.PALETTES)
    brush = Brush(size, size, smooth=2.0, ground=gradient(size, size, palette.top, palette.bottom))
    if author.index % 2:
        _face(brush, chance)
        return brush.done()
    topic = TOPICS[author.index % len(TOPICS)].slug
    side = round(size * 0.76)
    drawing = Brush(side, side, smooth=2.0)
    choose(topic, "", chance)(drawing, chance, palette)
    picture = brush.done()
    picture.paste(drawing.done(), ((size - side) // 2, (size - side) // 2), drawing.done())
    return picture


def _face(b: Brush, chance: random.Random) -> None:
    skin, hair = chance.choice(SKINS), chance.choice(HAIRS)
    shirt = chance.choice(("#ff5c7a", "#3a86ff", "#ffbe0b", "#2ec4b6", "#ffffff", "#8338ec"))
    has_long_hair = chance.random() < 0.55
    if has_long_hair:
        b.blob([(50, 14), (80, 30), (84, 72), (70, 90), (30, 90), (16, 72), (20, 30)], hair)
    b.blob([(50, 74), (84, 86), (94, 108), (6, 108), (16, 86)], shirt)
    b.box(42, 62, 58, 82, mix(skin, "#000000", 0.08), 7)
    b.oval(50, 48, 24, 26, skin)
    b.blob([(24, 46), (26, 24), (48, 14), (74, 24), (76, 46), (68, 36), (48, 31), (33, 37)], hair)
    for side in (-1, 1):
        b.circle(50 + side * 9.5, 49, 2.7, "#2b1d1a")
        b.circle(50 + side * 9.5 - 0.8, 48, 0.9, "#ffffff")
        b.arc(50 + side * 9.5, 44, 4.4, 3, 200, 340, 1.2, mix(hair, "#000000", 0.3))
        b.oval(50 + side * 15, 57, 4, 2.4, mix(skin, "#ff5c5c", 0.4))
    b.arc(50, 56, 6, 5, 15, 165, 1.8, "#a33a3a")
    if chance.random() < 0.3:
        for side in (-1, 1):
            b.ring(50 + side * 9.5, 49, 6.4, 1.3, "#2b2d42")
        b.line([(47, 49), (53, 49)], 1.2, "#2b2d42")
