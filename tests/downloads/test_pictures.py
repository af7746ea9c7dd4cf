"""Pictures are what their bytes say, within bounds, and their copies tell nothing."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from downloads.errors import VerificationError
from downloads.processing.pictures import normalise


@pytest.fixture
def save(tmp_path: Path) -> Any:
    def save(content: bytes, name: str = "picture") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return save


def picture(kind: str = "JPEG", size: tuple[int, int] = (900, 1200), mode: str = "RGB", **options: Any) -> bytes:
    buffer = BytesIO()
    Image.radial_gradient("L").resize(size).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "P"), ("WEBP", "RGB")]
)
def test_a_picture_gets_a_small_copy(save: Any, kind: str, mode: str) -> None:
    found, copy = normalise(save(picture(kind, mode=mode)), side=300)

    assert (found.mime, found.width, found.height) == (f"image/{kind.lower()}", 900, 1200)
    assert (copy.mime, copy.width, copy.height) == ("image/webp", 225, 300)
    with Image.open(BytesIO(copy.content)) as opened:
        assert (opened.format, opened.size) == ("WEBP", (225, 300))


def test_small_pictures_stay_as_they_are(save: Any) -> None:
    assert normalise(save(picture(size=(50, 40))), side=300)[1].width == 50


def test_a_jpeg_copy_can_be_had(save: Any) -> None:
    assert normalise(save(picture("PNG", mode="RGBA")), side=100, target="JPEG")[1].content.startswith(b"\xff\xd8\xff")


def test_the_copy_is_upright_and_knows_no_place(save: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "<script>alert(1)</script>"
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 30.0)}

    found, copy = normalise(save(picture(exif=exif, comment=b"secret")), side=300)

    assert (found.width, found.height, copy.width, copy.height) == (1200, 900, 300, 225)
    assert b"script" not in copy.content
    assert b"EXIF" not in copy.content
    with Image.open(BytesIO(copy.content)) as opened:
        assert not opened.getexif()


def png_bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(bytes((width // 8 + 1) * height), 9)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (png_bomb(9000, 9000), "picture_too_large"),
        (png_bomb(60000, 60000)[:200], "picture_too_large"),
        (picture("GIF", mode="P"), "bad_picture"),
        (picture("BMP"), "bad_picture"),
        (picture("TIFF"), "bad_picture"),
        (picture("ICO", size=(64, 64)), "bad_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "bad_picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "bad_picture"),
        (b"SIMPLE  =                    T", "bad_picture"),
        (b"", "bad_picture"),
        (picture()[:2000], "bad_picture"),
        (b"\xff\xd8\xff" + bytes(500), "bad_picture"),
        (b"RIFF\x00\x00\x00\x00WEBP" + bytes(50), "bad_picture"),
    ],
)
def test_bombs_and_strangers_are_refused(save: Any, content: bytes, code: str) -> None:
    with pytest.raises(VerificationError) as caught:
        normalise(save(content), side=300)

    assert caught.value.code == code


def test_a_long_animation_is_refused(save: Any) -> None:
    frames = [Image.new("RGB", (16, 16), (n, 0, 0)) for n in range(120)]
    buffer = BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], lossless=True)

    with pytest.raises(VerificationError) as caught:
        normalise(save(buffer.getvalue()), side=300)

    assert caught.value.code == "picture_too_large"


def test_what_hangs_behind_a_picture_is_not_in_the_copy(save: Any) -> None:
    polyglot = picture() + b"PK\x03\x04<html><script>alert(1)</script>"

    assert b"script" not in normalise(save(polyglot), side=300)[1].content
