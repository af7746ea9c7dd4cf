"""Covers, slides and faces: recognised by their bytes, decoded in the sandbox, kept with clean copies in the sizes pages need.

Several pictures may share one sandbox: to start one takes four times as long as an average picture. A decoder that one of
them took over could then forge the copies of those beside it, and nothing else; so few share one, and when a run breaks,
each is looked at alone, where it can only break its own.
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from downloads.errors import VerificationError
from downloads.processing import sandbox
from downloads.processing.probe import parsed_answer

HEAD = 64
"""So many first bytes tell the type."""
SHOWN = {"image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"}
"""What every current browser shows."""
SMALL, MEDIUM = 240, 720
_FORMATS = {
    "image/jpeg": ("JPEG", "MPO"),
    "image/png": ("PNG",),
    "image/webp": ("WEBP",),
    "image/gif": ("GIF",),
    "image/avif": ("AVIF",),
    "image/heic": ("HEIF",),
    "image/heif": ("HEIF", "AVIF"),
}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"mif1", b"msf1", b"mif2", b"miaf"}
_WALL_SECONDS, _CPU_SECONDS, _SECONDS_EACH = 25, 15, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be made of the picture at `path`."""

    path: Path
    keeps_original: bool = False
    """The bytes themselves are what is wanted; a JPEG in full size is made only of what browsers do not show."""
    side: int = MEDIUM
    """Pixels across the shorter side of the JPEG that stands for a picture whose original is not kept."""
    sides: tuple[int, ...] = (SMALL, MEDIUM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A clean copy without any metadata of the original."""

    content: bytes = field(repr=False)
    mime: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A whole, decodable picture; width and height are of the original, upright."""

    mime: str
    width: int
    height: int
    phash: int | None
    shown: Copy | None
    """A JPEG for every browser; None: the original is kept and is one of SHOWN itself."""
    thumbnails: dict[int, Copy]
    """WebP, by how many pixels are allowed across the shorter side."""


def kind_of(head: bytes) -> str:
    """The type by the first bytes. Raises VerificationError: not_a_picture for every other format."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if head[4:8] == b"ftyp":
        brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(int.from_bytes(head[:4], "big"), HEAD), 4))]
        for mime, known in (("image/heic", _HEIC_BRANDS), ("image/avif", _AVIF_BRANDS), ("image/heif", _HEIF_BRANDS)):
            if brands[0] in known or (brands[0] in _HEIF_BRANDS and known.intersection(brands)):
                return mime
    raise VerificationError(_("This is not a JPEG, PNG, WebP, GIF, HEIC or AVIF picture."), code="not_a_picture")


def look(wish: Wish) -> Picture:
    """Decode one picture and make its copies.

    Raises VerificationError: not_a_picture, bad_picture, truncated, picture_too_large (25 million pixels), too_many_frames
    (100, or 400 million pixels in all), unsafe_media.
    """
    (found,) = look_at([wish])
    if isinstance(found, VerificationError):
        raise found
    return found


def look_at(wishes: Sequence[Wish]) -> list[Picture | VerificationError]:
    """As `look`, for a few pictures in one sandbox; each gets what it has, or why not."""
    found: list[Picture | VerificationError | None] = [None] * len(wishes)
    mimes: dict[int, str] = {}
    for place, wish in enumerate(wishes):
        try:
            with wish.path.open("rb") as file:
                mimes[place] = kind_of(file.read(HEAD))
        except VerificationError as error:
            found[place] = error
    if mimes:
        for place, result in _run({place: (wishes[place], mime) for place, mime in mimes.items()}).items():
            found[place] = result
    return [each for each in found if each is not None]


def _run(wishes: dict[int, tuple[Wish, str]]) -> dict[int, Picture | VerificationError]:
    with tempfile.TemporaryDirectory(prefix="picture-") as name:
        folder = Path(name)
        folder.chmod(0o700)
        tasks = [
            {
                "path": f"/in/{place}",
                "name": str(place),
                "shown": _shown_side(wish, mime),
                "sides": wish.sides,
                "formats": _FORMATS[mime],
            }
            for place, (wish, mime) in wishes.items()
        ]
        try:
            answers = parsed_answer(
                sandbox.run_script(
                    "picture",
                    [json.dumps(tasks)],
                    sandbox.Mounts(reads={f"/in/{place}": wish.path for place, (wish, _mime) in wishes.items()}, output=folder),
                    _limits(len(wishes)),
                    packages=("PIL", "pillow_heif"),
                ),
                code="bad_picture",
            )
            if not isinstance(answers, list) or len(answers) != len(wishes):
                raise _unreadable()
        except VerificationError as error:
            if len(wishes) == 1:
                return dict.fromkeys(wishes, error)
            return {place: result for each in wishes.items() for place, result in _run(dict([each])).items()}
        return {
            place: _picture(answer, str(place), wish, mime, folder)
            for answer, (place, (wish, mime)) in zip(answers, wishes.items(), strict=True)
        }


def _shown_side(wish: Wish, mime: str) -> int:
    if not wish.keeps_original:
        return wish.side
    return 0 if mime in SHOWN else 16_384


def _limits(count: int) -> sandbox.Limits:
    return sandbox.Limits(
        wall_seconds=_WALL_SECONDS + _SECONDS_EACH * count,
        cpu_seconds=_CPU_SECONDS + _SECONDS_EACH * count,
        memory=640 * sandbox.MIB,
        file_size=32 * sandbox.MIB,
    )


def _picture(answer: Any, name: str, wish: Wish, mime: str, folder: Path) -> Picture | VerificationError:
    """What the sandbox answered and wrote, believed only as far as it has the form that was asked for."""
    try:
        if refused := answer.get("refused"):
            return _refusal(str(refused), str(answer.get("why", ""))[:200])
        phash = answer["phash"]
        if phash is not None and not -(2**63) <= int(phash) < 2**63:
            return _unreadable()
        return Picture(
            mime=mime,
            width=int(answer["width"]),
            height=int(answer["height"]),
            phash=phash if phash is None else int(phash),
            shown=_copy(folder / f"{name}-shown", "image/jpeg", answer["copies"]["shown"]) if _shown_side(wish, mime) else None,
            thumbnails={side: _copy(folder / f"{name}-{side}", "image/webp", answer["copies"][str(side)]) for side in wish.sides},
        )
    except VerificationError as error:
        return error
    except (AttributeError, KeyError, TypeError, ValueError):
        return _unreadable()


def _copy(path: Path, mime: str, size: Sequence[int]) -> Copy:
    if path.is_symlink() or not path.is_file():
        raise _unreadable()
    content = path.read_bytes()
    if kind_of(content[:HEAD]) != mime:
        raise _unreadable()
    width, height = size
    return Copy(content=content, mime=mime, width=int(width), height=int(height))


def _refusal(code: str, why: str) -> VerificationError:
    match code:
        case "picture_too_large":
            return VerificationError(_("The picture has too many pixels: %(why)s") % {"why": why}, code=code)
        case "too_many_frames":
            return VerificationError(_("The moving picture is too long: %(why)s") % {"why": why}, code=code)
        case "truncated":
            return VerificationError(_("The picture breaks off: %(why)s") % {"why": why}, code=code)
    return VerificationError(_("The picture cannot be read: %(why)s") % {"why": why}, code="bad_picture")


def _unreadable() -> VerificationError:
    return VerificationError(_("The picture could not be read."), code="bad_picture")
