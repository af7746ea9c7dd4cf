"""Flat drawing in units instead of pixels, smooth at the edges because it draws larger and scales down."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageColor, ImageDraw

Point = tuple[float, float]
Colour = str | tuple[int, ...]

FRAME_UNITS = 1000.0
"""The short side of a whole frame."""


@dataclass(frozen=True)
class Palette:
    """Colours that go together: the sky from top to bottom, one that stands out, the darkest and the lightest."""

    top: str
    bottom: str
    accent: str
    second: str
    dark: str
    light: str


def mix(first: Colour, second: Colour, share: float) -> tuple[int, int, int]:
    """`share` of the second colour in the first."""
    one, two = rgb(first), rgb(second)
    mixed = [round(a + (b - a) * share) for a, b in zip(one, two, strict=True)]
    return mixed[0], mixed[1], mixed[2]


def rgb(colour: Colour) -> tuple[int, int, int]:
    if isinstance(colour, str):
        return ImageColor.getrgb(colour)[:3]
    return colour[0], colour[1], colour[2]


def fade(colour: Colour, alpha: float) -> tuple[int, int, int, int]:
    return (*rgb(colour), round(255 * alpha))


def gradient(width: int, height: int, top: Colour, bottom: Colour) -> Image.Image:
    mask = Image.linear_gradient("L").resize((width, height))
    return Image.composite(Image.new("RGB", (width, height), rgb(bottom)), Image.new("RGB", (width, height), rgb(top)), mask)


def spline(points: Sequence[Point], *, closed: bool, steps: int = 10) -> list[Point]:
    """A smooth line through the points (Catmull-Rom)."""
    count = len(points)
    spans = count if closed else count - 1
    smooth: list[Point] = []
    for span in range(spans):
        four = [
            points[(span + step) % count] if closed else points[min(max(span + step, 0), count - 1)] for step in (-1, 0, 1, 2)
        ]
        for step in range(steps):
            t = step / steps
            smooth.append((_between(t, [p[0] for p in four]), _between(t, [p[1] for p in four])))
    return smooth if closed else [*smooth, points[-1]]


def _between(t: float, four: Sequence[float]) -> float:
    a, b, c, d = four
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)


class Brush:
    """Draws on a picture `width` by `height` pixels, in units of which `units` make the width."""

    def __init__(
        self, width: int, height: int, units: float = 100.0, *, smooth: float = 2.0, ground: Image.Image | None = None
    ) -> None:
        self.size = (width, height)
        big = (max(1, round(width * smooth)), max(1, round(height * smooth)))
        self.scale = big[0] / units
        self.wide = units
        self.high = big[1] / self.scale
        self.image = ground.resize(big) if ground else Image.new("RGB", big)
        self.mask = None if ground else Image.new("L", big)
        # A colour with alpha tints what is under it; on an empty layer it leaves nothing.
        self.pen = ImageDraw.Draw(self.image, "RGBA")
        self.mask_pen = ImageDraw.Draw(self.mask) if self.mask else None

    def done(self) -> Image.Image:
        picture = self.image
        if self.mask:
            picture = picture.convert("RGBA")
            picture.putalpha(self.mask)
        return picture if picture.size == self.size else picture.resize(self.size, Image.Resampling.BOX)

    def _ink(self, shape: str, where: Any, fill: Colour, **options: Any) -> None:
        getattr(self.pen, shape)(where, fill=fill, **options)
        is_solid = isinstance(fill, str) or len(fill) == 3 or fill[3] == 255
        if self.mask_pen and is_solid:
            getattr(self.mask_pen, shape)(where, fill=255, **options)

    def _at(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.scale, y * self.scale) for x, y in points]

    def circle(self, x: float, y: float, r: float, fill: Colour) -> None:
        self.oval(x, y, r, r, fill)

    def oval(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        k = self.scale
        self._ink("ellipse", ((x - rx) * k, (y - ry) * k, (x + rx) * k, (y + ry) * k), fill)

    def ring(self, x: float, y: float, r: float, width: float, fill: Colour) -> None:
        self.arc(x, y, r, r, 0, 360, width, fill)

    def arc(self, x: float, y: float, rx: float, ry: float, start: float, end: float, width: float, fill: Colour) -> None:
        k = self.scale
        where = ((x - rx) * k, (y - ry) * k, (x + rx) * k, (y + ry) * k)
        self._ink("arc", where, fill, start=start, end=end, width=max(1, round(width * k)))

    def pie(self, x: float, y: float, r: float, start: float, end: float, fill: Colour) -> None:
        k = self.scale
        self._ink("pieslice", ((x - r) * k, (y - r) * k, (x + r) * k, (y + r) * k), fill, start=start, end=end)

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: Colour, radius: float = 0.0) -> None:
        k = self.scale
        self._ink("rounded_rectangle", (x0 * k, y0 * k, x1 * k, y1 * k), fill, radius=radius * k)

    def poly(self, points: Sequence[Point], fill: Colour) -> None:
        self._ink("polygon", self._at(points), fill)

    def blob(self, points: Sequence[Point], fill: Colour) -> None:
        """A closed shape with soft corners."""
        self.poly(spline(points, closed=True), fill)

    def line(self, points: Sequence[Point], width: float, fill: Colour) -> None:
        """Straight strokes with round ends and joints."""
        self._ink("line", self._at(points), fill, width=max(1, round(width * self.scale)), joint="curve")
        for x, y in (points[0], points[-1]):
            self.circle(x, y, width / 2, fill)

    def curve(self, points: Sequence[Point], width: float, fill: Colour) -> None:
        self.line(spline(points, closed=False), width, fill)

    def limb(self, points: Sequence[Point], start: float, end: float, fill: Colour) -> None:
        """A bent stroke that grows thinner, as an arm or a tail does."""
        path = spline(points, closed=False)
        for place, (x, y) in enumerate(path):
            self.circle(x, y, (start + (end - start) * place / (len(path) - 1)) / 2, fill)
        self._ink("line", self._at(path), fill, width=max(1, round(min(start, end) * self.scale)), joint="curve")

    def star(
        self, x: float, y: float, r: float, fill: Colour, *, points: int = 5, inner: float = 0.45, turn: float = 0.0
    ) -> None:
        corners = []
        for step in range(points * 2):
            length = r if step % 2 == 0 else r * inner
            angle = math.radians(turn) - math.pi / 2 + step * math.pi / points
            corners.append((x + length * math.cos(angle), y + length * math.sin(angle)))
        self.poly(corners, fill)

    def heart(self, x: float, y: float, r: float, fill: Colour) -> None:
        points = []
        for step in range(40):
            t = step / 40 * math.tau
            across = 16 * math.sin(t) ** 3
            down = -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t))
            points.append((x + across / 16 * r, y + down / 16 * r))
        self.poly(points, fill)
