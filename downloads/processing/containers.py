"""What a file is, by its own first bytes. Names, extensions and Content-Type are not believed."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from downloads.errors import VerificationError

HEAD = 4096
MOST_BOXES = 100_000
"""At the top of a file: a clip in fragments has two for each, an hour of them some thousand."""
_EXTENSIONS = {
    "video/mp4": "mp4", "video/quicktime": "mov", "video/webm": "webm", "video/mp2t": "ts",
    "audio/mp4": "m4a", "audio/mpeg": "mp3", "audio/webm": "weba",
    "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif",
    "image/avif": "avif", "image/heic": "heic", "image/heif": "heif",
}  # fmt: skip
_BOXES = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_PICTURE_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"}
_SOUND_BRANDS = {b"M4A ", b"M4B "}


@dataclass(frozen=True, slots=True)
class Container:
    """A container that we open: the demuxer to insist on, and its type."""

    demuxer: str
    mime: str


MP4 = Container("mov", "video/mp4")
MOV = Container("mov", "video/quicktime")
M4A = Container("mov", "audio/mp4")
WEBM = Container("matroska", "video/webm")
MPEGTS = Container("mpegts", "video/mp2t")
MP3 = Container("mp3", "audio/mpeg")
_AS_SOUND = {"video/mp4": "audio/mp4", "video/quicktime": "audio/mp4", "video/webm": "audio/webm"}


def container_of(head: bytes) -> Container:
    """The container that starts with these bytes (4 KiB are enough). Raises VerificationError: not_media."""
    if found := _iso_media(head) or _other_media(head):
        return found
    raise VerificationError(_("This is not a video or sound file: %(found)s.") % {"found": _description(head)}, code="not_media")


def sound_mime(container: Container) -> str:
    """The type of such a file that has no picture."""
    return _AS_SOUND.get(container.mime, container.mime)


def extension_of(mime: str) -> str:
    """For a file of a type that we store."""
    return _EXTENSIONS.get(mime, "bin")


def check_is_whole(file: BinaryIO, container: Container) -> None:
    """Walk the top-level boxes of an MP4. Raises VerificationError: truncated, when one reaches past the end; undecodable, for
    a file of nothing but tiny boxes: two gigabytes of them would hold every download of this process for minutes."""
    if container.demuxer != "mov":
        return
    end = file.seek(0, os.SEEK_END)
    at = 0
    seen = set()
    count = 0
    while at + 8 <= end:
        count += 1
        if count > MOST_BOXES:
            raise VerificationError(_("The file's index is broken."), code="undecodable")
        file.seek(at)
        header = file.read(16)
        size, kind = int.from_bytes(header[:4], "big"), header[4:8]
        seen.add(kind)
        if size == 1:
            size = int.from_bytes(header[8:16], "big")
        if size == 0 or not kind.isascii():
            break  # "to the end of the file", or padding after the last box
        if size < 8:
            raise VerificationError(_("The file's index is broken."), code="undecodable")
        at += size
    if at > end:
        raise VerificationError(_("The file ends %(missing)d bytes too early.") % {"missing": at - end}, code="truncated")
    if b"moov" not in seen:
        raise VerificationError(_("The file has no index: its end is missing."), code="truncated")


def open_media(path: Path) -> Container:
    """What the file is, having checked that its outer structure is whole."""
    with path.open("rb") as file:
        container = container_of(file.read(HEAD))
        check_is_whole(file, container)
    return container


def _iso_media(head: bytes) -> Container | None:
    kind, brand = head[4:8], head[8:12]
    if kind == b"ftyp":
        if brand in _PICTURE_BRANDS:
            return None
        if brand == b"qt  ":
            return MOV
        return M4A if brand in _SOUND_BRANDS else MP4
    if kind in _BOXES and len(head) >= 16:
        return MOV
    return None


def _other_media(head: bytes) -> Container | None:
    if head.startswith(b"\x1aE\xdf\xa3"):
        return WEBM
    if len(head) > 376 and head[0] == head[188] == head[376] == 0x47:
        return MPEGTS
    if head.startswith(b"ID3") or _is_mp3_frame(head):
        return MP3
    return None


def _is_mp3_frame(head: bytes) -> bool:
    """Eleven bits of sync, layer III, a bit rate and a sample rate that exist."""
    return (
        len(head) > 4
        and head[0] == 0xFF
        and head[1] & 0xE0 == 0xE0
        and (head[1] >> 1) & 3 == 1
        and (head[1] >> 3) & 3 != 1
        and head[2] >> 4 not in (0, 15)
        and (head[2] >> 2) & 3 != 3
    )


def _description(head: bytes) -> str:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not text:
        return _("it is empty") if not head else _("it is blank")
    if text[:1] == b"<":
        return _("it is a web page")
    if text[:1] in b"{[":
        return _("it is a JSON answer")
    if text.startswith((b"#EXTM3U", b"ffconcat", b"v=0")):
        return _("it is a playlist")
    if text.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8")) or head[8:12] in _PICTURE_BRANDS | {b"WEBP"}:
        return _("it is a picture")
    return _("its first bytes are %(bytes)s") % {"bytes": head[:8].hex(" ")}
