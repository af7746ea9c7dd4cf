"""Covers, slides and avatars: recognised by their bytes, decoded in the sandbox, kept as clean small copies."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from downloads.errors import VerificationError
from downloads.processing import sandbox
from downloads.processing.probe import read_answer

MOST_PIXELS = 25_000_000
LIMITS = sandbox.Limits(wall_seconds=30, cpu_seconds=20, memory=512 * sandbox.MIB, file_size=8 * sandbox.MIB)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A whole, decodable picture; width and height are of the original, upright."""

    mime: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A normalised copy without any metadata of the original."""

    content: bytes
    mime: str
    width: int
    height: int


def kind_of(head: bytes) -> str:
    """The type by the first bytes. Raises VerificationError: bad_picture for every other format."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    raise VerificationError(_("This is not a JPEG, PNG or WebP picture."), code="bad_picture")


def normalise(path: Path, *, side: int, target: str = "WEBP") -> tuple[Picture, Copy]:
    """Decode a picture and write a copy of at most `side` pixels, upright, stripped of metadata.

    Raises VerificationError: bad_picture, picture_too_large (25 million pixels, 100 frames), unsafe_media.
    """
    with path.open("rb") as file:
        mime = kind_of(file.read(16))
    with tempfile.TemporaryDirectory(prefix="picture-") as folder:
        Path(folder).chmod(0o700)
        answer = read_answer(
            sandbox.run_script(
                "picture",
                ["/in/picture", str(side), target],
                sandbox.Mounts(reads={"/in/picture": path}, output=Path(folder)),
                LIMITS,
                packages=("PIL",),
            ),
            code="bad_picture",
        )
        if "too_large" in answer:
            raise VerificationError(_("The picture has too many pixels or frames."), code="picture_too_large")
        written = Path(folder, "picture")
        if written.is_symlink() or not written.is_file():
            raise VerificationError(_("The picture could not be read."), code="bad_picture")
        content = written.read_bytes()
    target_mime = f"image/{target.lower()}"
    if kind_of(content[:16]) != target_mime:
        raise VerificationError(_("The picture could not be read."), code="bad_picture")
    try:
        picture = Picture(mime=mime, width=int(answer["width"]), height=int(answer["height"]))
        width, height = int(answer["copy_width"]), int(answer["copy_height"])
    except (KeyError, TypeError, ValueError) as error:
        raise VerificationError(_("The picture could not be read."), code="bad_picture") from error
    return picture, Copy(content=content, mime=target_mime, width=width, height=height)
