"""The slides of a carousel as an engine takes them: read from our own storage, decoded in the sandbox, made small JPEGs."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.analyzers.base import Picture
from crawler.models import Video
from downloads import storage
from downloads.models import Asset, AssetRole, AssetState
from downloads.processing.pictures import Picture as LookedAt
from downloads.processing.pictures import Wish, look_at

SIDES = (1440, 1000, 700)
"""Shorter sides in pixels, tried until the copy is light enough. RapidOCR looks at no more than 2000 of the longer one."""
MOST_BYTES = 4_000_000
TOGETHER = 4
"""So many slides share a sandbox: starting one costs more than decoding a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slide:
    """A slide that is stored."""

    position: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slides:
    stored: list[Slide]
    """In order. One that is being fetched again counts with the bytes it has."""
    is_waiting: bool
    """More are on their way."""
    expected: int
    """As many as the platform shows, or as we have where it does not say."""


def slides_of(video: Video) -> Slides:
    """What is stored of a carousel now, and whether more is to be expected."""
    assets = Asset.objects.filter(video=video, role=AssetRole.SLIDE).order_by("position", "-ready_at")
    stored: dict[int, str] = {}
    given_up: set[int] = set()
    highest = -1
    for position, state, sha256 in assets.values_list("position", "state", "object__sha256"):
        highest = max(highest, position)
        if sha256 and state != AssetState.REMOVED:
            stored.setdefault(position, sha256)
        elif state != AssetState.WANTED:
            given_up.add(position)
    expected = max(len(video.slides), highest + 1)
    return Slides(
        stored=[Slide(position=position, sha256=sha256) for position, sha256 in sorted(stored.items())],
        is_waiting=not expected or len(given_up | stored.keys()) < expected,
        expected=expected,
    )


def pictures_of(slides: Sequence[Slide]) -> Iterator[Picture | None]:
    """One for each slide, in order; None for one that cannot be decoded. Raises StorageError."""
    for start in range(0, len(slides), TOGETHER):
        with tempfile.TemporaryDirectory(prefix="slides-") as folder:
            paths = [(slide.position, Path(folder, str(slide.position))) for slide in slides[start : start + TOGETHER]]
            for slide, (_position, path) in zip(slides[start : start + TOGETHER], paths, strict=True):
                with path.open("wb") as file:
                    file.writelines(storage.media().read(storage.key_of(slide.sha256)))
            yield from decoded(paths)


def decoded(files: Sequence[tuple[int, Path]]) -> Iterator[Picture | None]:
    """Files with their positions as pictures, a few to a sandbox; None for one that cannot be decoded."""
    for start in range(0, len(files), TOGETHER):
        part = files[start : start + TOGETHER]
        for (position, _path), jpeg in zip(part, _jpegs([path for _position, path in part]), strict=True):
            yield Picture(position=position, jpeg=jpeg) if jpeg else None


def _jpegs(paths: Sequence[Path]) -> list[bytes]:
    """Small JPEGs; empty for what cannot be decoded."""
    found = [b""] * len(paths)
    left = list(range(len(paths)))
    for side in SIDES:
        looked = look_at([Wish(path=paths[place], side=side, sides=()) for place in left])
        heavy = []
        for place, picture in zip(left, looked, strict=True):
            if isinstance(picture, LookedAt) and picture.shown is not None:
                found[place] = picture.shown.content
                if len(found[place]) > MOST_BYTES:
                    heavy.append(place)
        left = heavy
        if not left:
            break
    return found
