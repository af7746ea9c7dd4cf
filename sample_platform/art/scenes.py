"""A video's picture in layers: what lies behind, what moves, and the lettering on top."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageFilter

from sample_platform.art import backdrops, lettering
from sample_platform.art.brush import Brush, Palette
from sample_platform.art.heroes import choose
from sample_platform.art.props import PROPS
from sample_platform.world import Video


@dataclass(frozen=True)
class Sprite:
    """A drawing at a place of the frame; `motion` is bob, float, cross, sway or fall."""

    image: Image.Image
    x: int
    y: int
    motion: str


@dataclass(frozen=True)
class Scene:
    background: Image.Image
    sprites: list[Sprite]
    title: Image.Image

    def flat(self, *, with_title: bool = True) -> Image.Image:
        """Everything in one picture, as it stands at the first moment."""
        picture = self.background.convert("RGBA")
        for sprite in self.sprites:
            y = sprite.y - sprite.image.height // 3 if sprite.motion == "fall" else sprite.y
            picture.alpha_composite(sprite.image, *_clipped(sprite.x, y))
        if with_title:
            picture.alpha_composite(self.title)
        return picture.convert("RGB")


def _clipped(x: int, y: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where to put a layer, and from which of its points, when it begins outside the frame."""
    return (max(0, x), max(0, y)), (max(0, -x), max(0, -y))


def scene(video: Video, width: int, height: int) -> Scene:
    chance = random.Random(f"scene/{video.art}")
    topic = video.topic.slug
    palette = chance.choice(backdrops.PALETTES)
    background = backdrops.backdrop(topic, chance, palette, width, height)
    hero = _hero(video, chance, palette, width, height)
    props = list(_props(topic, chance, palette, width, height))
    sheet = Sprite(_confetti(chance, palette, width, height), 0, 0, "fall")
    title = lettering.headline(width, height, *video.title, palette, chance)
    return Scene(background, [*props[:3], hero, *props[3:], sheet], title)


def _hero(video: Video, chance: random.Random, palette: Palette, width: int, height: int) -> Sprite:
    """The figure with a soft shadow, standing on the ground in the middle."""
    share = 0.78 if width > height else 0.52 if height > width * 1.5 else 0.45
    side = round(min(width * 0.84, height * share))
    brush = Brush(side, side, smooth=2.0)
    choose(video.topic.slug, video.hero, chance)(brush, chance, palette)
    drawn = brush.done()
    margin = side // 12
    layer = Image.new("RGBA", (side + 2 * margin, side + 2 * margin), (0, 0, 0, 0))
    shadow = Image.new("RGBA", layer.size, (0, 0, 0, 0))
    shadow.paste((20, 10, 40, 110), (margin, margin + margin // 3), drawn.getchannel("A"))
    layer = Image.alpha_composite(layer, shadow.filter(ImageFilter.GaussianBlur(side / 50)))
    layer.alpha_composite(drawn, (margin, margin))
    y = round(height * (0.92 if width > height else 0.86) - side)
    middle = 0.74 if width > height else 0.5
    motion = "sway" if video.topic.slug in {"travel", "tech"} and chance.random() < 0.3 else "bob"
    return Sprite(layer, round(width * middle) - layer.width // 2, y - margin, motion)


def _props(topic: str, chance: random.Random, palette: Palette, width: int, height: int) -> Iterator[Sprite]:
    """Five small things, kept to the sides so that they frame the hero."""
    spots = [(0.04, 0.42), (0.80, 0.36), (0.02, 0.66), (0.83, 0.62), (0.78, 0.84)]
    for place, (x, y) in enumerate(spots):
        side = round(min(width, height) * chance.uniform(0.1, 0.17))
        brush = Brush(side, side, smooth=2.0)
        PROPS[topic][chance.randrange(len(PROPS[topic]))](brush, chance, palette)
        drawn = brush.done().rotate(chance.uniform(-18, 18), Image.Resampling.BICUBIC)
        left = x * width + chance.uniform(0, 0.03) * width
        yield Sprite(drawn, round(left), round((y + chance.uniform(-0.03, 0.03)) * height), ("float", "cross")[place % 4 == 3])


def _confetti(chance: random.Random, palette: Palette, width: int, height: int) -> Image.Image:
    """A sheet of light specks, one and a half frames high, that repeats itself every half frame: it can fall for ever."""
    half = Brush(width, height // 2, 1000.0, smooth=1.0)
    for _ in range(11):
        x, y, r = chance.uniform(30, 970), chance.uniform(20, half.high - 20), chance.uniform(4, 9)
        colour = chance.choice((palette.light, palette.accent, "#ffffff"))
        if chance.random() < 0.5:
            half.circle(x, y, r, colour)
        else:
            half.star(x, y, r * 2, colour, points=4, inner=0.25)
    strip = half.done()
    sheet = Image.new("RGBA", (width, strip.height * 3), (0, 0, 0, 0))
    for place in range(3):
        sheet.paste(strip, (0, strip.height * place))
    return sheet
