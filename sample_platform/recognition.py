"""Which slide a picture shows, however it was encoded and scaled on its way: by its looks, among the files handed out."""

import io
from dataclasses import dataclass, field
from pathlib import Path

import pillow_heif
from PIL import Image, ImageChops, ImageStat

from sample_platform.world import Video

SIDE = (72, 96)
CLOSE = 4.5
"""Mean difference of shades, of 255, below which two pictures are one; measured, other slides differ by 6 and more."""
MOST_PIXELS = 40_000_000
KINDS = ("PNG", "JPEG", "WEBP", "HEIF")


class NoPicture(ValueError):
    """The bytes are no picture of a kind that is taken."""


def looks(data: bytes | Path) -> Image.Image:
    """A picture as a few thousand shades of grey. Raises NoPicture."""
    pillow_heif.register_heif_opener()
    try:
        with Image.open(io.BytesIO(data) if isinstance(data, bytes) else data, formats=KINDS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise NoPicture("too many pixels")
            return picture.convert("L").resize(SIDE, Image.Resampling.BOX)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise NoPicture(str(error)) from error


@dataclass
class Recognition:
    """Knows every slide that was ever asked for: nobody can show another."""

    folder: Path
    """The studio's slides, named by post and position."""
    videos: dict[int, Video]
    known: dict[str, Image.Image] = field(default_factory=dict)

    def find(self, data: bytes) -> tuple[Video, int] | None:
        """The post and the slide's position. Raises NoPicture."""
        wanted = looks(data)
        self._learn()
        nearest = min(self.known, key=lambda name: distance(self.known[name], wanted), default=None)
        if nearest is None or distance(self.known[nearest], wanted) > CLOSE:
            return None
        number, _, position = nearest.partition("-")
        return self.videos[int(number)], int(position)

    def _learn(self) -> None:
        for path in self.folder.glob("*-*.*"):
            if path.stem not in self.known and ".tmp" not in path.name and path.suffix != ".avif":
                self.known[path.stem] = looks(path)


def distance(one: Image.Image, other: Image.Image) -> float:
    return ImageStat.Stat(ImageChops.difference(one, other)).mean[0]
