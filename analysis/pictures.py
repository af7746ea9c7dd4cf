"""The slides of a carousel as an engine takes them: read from our own storage, decoded in the sandbox, made small JPEGs."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from analysis.analyzers.base import Picture
from crawler.models import Video
from downloads import storage
from downloads.models import Asset, AssetRole, AssetState
from downloads.processing import pictures

SIDES = (2000, 1200, 800)
"""Longest sides in pixels, tried until the copy is light enough. RapidOCR looks at no more than 2000 either."""
MOST_BYTES = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Slide:
    """A slide that is stored."""

    position: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slides:
    ready: list[Slide]
    """In order."""
    is_waiting: bool
    """More are on their way."""
    expected: int
    """As many as the platform shows, or as we have where it does not say."""


def slides_of(video: Video) -> Slides:
    """What is stored of a carousel now, and whether more is to be expected."""
    assets = Asset.objects.filter(video=video, role=AssetRole.SLIDE).order_by("position", "-ready_at")
    rows = list(assets.values_list("position", "state", "object__sha256"))
    ready: dict[int, str] = {}
    for position, state, sha256 in rows:
        if state == AssetState.READY and sha256:
            ready.setdefault(position, sha256)
    expected = max(len(video.slides), 1 + max((position for position, _state, _sha in rows), default=-1))
    settled = {position for position, state, _sha in rows if state in (AssetState.FAILED, AssetState.REMOVED)} | set(ready)
    return Slides(
        ready=[Slide(position=position, sha256=sha256) for position, sha256 in sorted(ready.items())],
        is_waiting=not expected or len(settled) < expected,
        expected=expected,
    )


def picture_of(slide: Slide) -> Picture:
    """Raises StorageError; VerificationError for bytes that are no picture fit to be decoded."""
    with tempfile.TemporaryDirectory(prefix="slide-") as folder:
        path = Path(folder, "slide")
        with path.open("wb") as file:
            for piece in storage.media().read(storage.key_of(slide.sha256)):
                file.write(piece)
        jpeg = b""
        for side in SIDES:
            _original, copy = pictures.normalise(path, side=side, target="JPEG")
            jpeg = copy.content
            if len(jpeg) <= MOST_BYTES:
                break
    return Picture(position=slide.position, jpeg=jpeg)
