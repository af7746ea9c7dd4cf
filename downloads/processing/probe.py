"""What a clip or sound really is: its facts, three pictures, and proof in proportion that it decodes.

One sandboxed process does it all (`inside/clip.py`). What it proves: every packet of the first picture and sound
stream was read, is whole, and its inner lengths add up (H.264, H.265 in MP4), so no part is missing, shifted, zeroed
or foreign; the streams reach as far as the file says; pictures and sound at 10, 50 and 90 % decode without an error.
What it does not prove: that no bit within a packet between those points is wrong. A full decode would cost seven times
as much for that, and the sha256 guards the bytes from here on.
"""

import base64
import binascii
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from downloads.errors import VerificationError
from downloads.processing import sandbox
from downloads.processing.containers import Container, open_media, sound_mime

THUMBNAIL_SIDE = 720
LIMITS = sandbox.Limits(wall_seconds=120, cpu_seconds=90, file_size=sandbox.MIB)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A clip as it is shown: width and height are after rotation. Audio-only files have no picture facts."""

    container: str
    mime: str
    size: int
    duration_seconds: float
    reach_seconds: float
    """How far the packets really go; less than the duration when bytes are missing."""
    bitrate: int | None = None
    width: int | None = None
    height: int | None = None
    rotation: int = 0
    fps: float | None = None
    video_codec: str = ""
    frames: int = 0
    audio_codec: str = ""
    sample_rate: int | None = None
    channels: int | None = None

    def as_json(self) -> dict[str, Any]:
        """What is known, for the object's row."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "", 0)}

    @property
    def has_picture(self) -> bool:
        return bool(self.video_codec)

    @property
    def has_sound(self) -> bool:
        return bool(self.audio_codec)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumbnail:
    """A small upright JPEG without metadata; `percent` is the place in the clip it stands for."""

    percent: int
    at_seconds: float
    width: int
    height: int
    jpeg: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    facts: Facts
    thumbnails: tuple[Thumbnail, ...] = ()


def probe(path: Path, *, thumbnail_side: int = THUMBNAIL_SIDE, limits: sandbox.Limits = LIMITS) -> Probed:
    """Look into a file. Raises VerificationError for what is no media, broken or unsafe; sandbox.Unavailable."""
    container = open_media(path)
    finished = sandbox.run_script(
        "clip",
        ["/in/media", container.demuxer, str(thumbnail_side)],
        sandbox.Mounts(reads={"/in/media": path}),
        limits,
        packages=("av",),
    )
    answer = read_answer(finished)
    for complaint in answer.get("complaints", ()):
        code = "too_complex" if complaint == "too_many_packets" else "undecodable"
        raise VerificationError(_("The file does not decode: %(why)s.") % {"why": str(complaint)[:40]}, code=code)
    try:
        facts = _facts(answer, container, path.stat().st_size)
        return Probed(facts=facts, thumbnails=_thumbnails(answer))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise VerificationError(_("The file could not be understood."), code="undecodable") from error


def read_answer(finished: sandbox.Finished, *, code: str = "undecodable") -> dict[str, Any]:
    """The facts that a script in the sandbox printed; a child that crashed or was stopped becomes a VerificationError."""
    answer = parsed_answer(finished, code=code)
    if not isinstance(answer, dict):
        raise VerificationError(_("The file could not be understood."), code=code)
    if "unreadable" in answer:
        why = str(answer["unreadable"])[:200]
        raise VerificationError(_("The file cannot be read: %(why)s") % {"why": why}, code=code)
    return answer


def parsed_answer(finished: sandbox.Finished, *, code: str = "undecodable") -> Any:
    """The JSON that a script in the sandbox printed. Raises VerificationError."""
    if finished.stopped_by:
        raise VerificationError(_("The file makes the decoder use too much time, memory or room."), code="unsafe_media")
    if not finished.ok:
        code = "unsafe_media" if "MemoryError" in finished.stderr else code
        raise VerificationError(_("The decoder gave up: %(why)s") % {"why": finished.last_words}, code=code)
    try:
        return json.loads(finished.stdout)
    except (ValueError, RecursionError) as error:
        raise VerificationError(_("The file could not be understood."), code=code) from error


def _facts(answer: dict[str, Any], container: Container, size: int) -> Facts:
    video, audio = answer.get("video") or {}, answer.get("audio") or {}
    lead = video or audio
    if not lead:
        raise VerificationError(_("The file has neither picture nor sound."), code="undecodable")
    reach = _number(lead["reach"]) or 0.0
    rotation = int(video.get("rotation") or 0)
    width, height = _whole(video.get("width")), _whole(video.get("height"))
    if rotation % 180:
        width, height = height, width
    return Facts(
        container=container.demuxer,
        mime=container.mime if video else sound_mime(container),
        size=size,
        duration_seconds=_number(lead["duration"]) or _number(answer["duration"]) or reach,
        reach_seconds=reach,
        bitrate=_whole(answer.get("bitrate")),
        width=width,
        height=height,
        rotation=rotation,
        fps=_number(video.get("fps")),
        video_codec=str(video.get("codec", ""))[:30],
        frames=_whole(video.get("packets")) or 0,
        audio_codec=str(audio.get("codec", ""))[:30],
        sample_rate=_whole(audio.get("sample_rate")),
        channels=_whole(audio.get("channels")),
    )


def _thumbnails(answer: dict[str, Any]) -> tuple[Thumbnail, ...]:
    found = []
    for percent, item in zip((10, 50, 90), answer["thumbnails"], strict=False):
        try:
            jpeg = base64.b64decode(item["jpeg"], validate=True)
        except binascii.Error as error:
            raise ValueError("not base64") from error
        if not jpeg.startswith(b"\xff\xd8\xff") or len(jpeg) > sandbox.MIB:
            raise ValueError("not a JPEG")
        found.append(
            Thumbnail(
                percent=percent,
                at_seconds=_number(item["at"]) or 0.0,
                width=int(item["width"]),
                height=int(item["height"]),
                jpeg=jpeg,
            )
        )
    return tuple(found)


def _number(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _whole(value: Any) -> int | None:
    return None if value is None else min(max(int(value), 0), 2**53)
