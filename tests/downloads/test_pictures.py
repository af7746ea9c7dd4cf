"""Pictures are what their bytes say, within bounds, and their copies tell nothing."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from PIL import Image

from downloads.errors import VerificationError
from downloads.processing.pictures import Picture, Wish, look, look_at


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


def opened(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()
    return image


def detailed(size: tuple[int, int] = (900, 1200)) -> Image.Image:
    """Something to see, and to tell from others."""
    picture = Image.radial_gradient("L").resize(size).convert("RGB")
    picture.paste("red", (0, 0, size[0] // 3, size[1] // 2))
    picture.paste("white", (size[0] // 2, size[1] // 4, size[0] // 2 + 80, size[1]))
    return picture


def heif(kind: str = "HEIF", **options: Any) -> bytes:
    pillow_heif.register_heif_opener()
    buffer = BytesIO()
    detailed().save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *[("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "P"), ("WEBP", "RGB"), ("GIF", "P")],
        *[("AVIF", "RGB"), ("HEIF", "RGB")],
    ],
)
def test_a_picture_becomes_a_jpeg_and_two_thumbnails(save: Any, kind: str, mode: str) -> None:
    pillow_heif.register_heif_opener()

    found = look(Wish(path=save(picture(kind, mode=mode))))

    assert (found.mime, found.width, found.height) == ("image/heic" if kind == "HEIF" else f"image/{kind.lower()}", 900, 1200)
    assert found.shown is not None
    assert [(copy.mime, copy.width, copy.height) for copy in (found.shown, found.thumbnails[720], found.thumbnails[240])] == [
        ("image/jpeg", 720, 960),
        ("image/webp", 720, 960),
        ("image/webp", 240, 320),
    ]
    shown, small = opened(found.shown.content), opened(found.thumbnails[240].content)
    assert (shown.format, shown.size, small.format, small.size) == ("JPEG", (720, 960), "WEBP", (240, 320))


def test_small_pictures_stay_as_small_as_they_are(save: Any) -> None:
    found = look(Wish(path=save(picture(size=(50, 40)))))

    assert found.shown is not None
    assert {found.shown.width, found.thumbnails[240].width, found.thumbnails[720].width} == {50}


@pytest.mark.parametrize(("kind", "is_shown"), [("JPEG", True), ("WEBP", True), ("GIF", True), ("AVIF", True), ("HEIF", False)])
def test_of_an_original_that_is_kept_a_jpeg_is_made_only_for_what_browsers_do_not_show(
    save: Any, kind: str, is_shown: bool
) -> None:
    pillow_heif.register_heif_opener()

    found = look(Wish(path=save(picture(kind, mode="P" if kind == "GIF" else "RGB")), keeps_original=True))

    assert (found.shown is None) == is_shown
    assert found.shown is None or (found.shown.width, found.shown.height) == (900, 1200)


def test_a_strip_is_bounded_by_its_length(save: Any) -> None:
    found = look(Wish(path=save(picture("PNG", size=(100, 9000)))))

    assert [(copy.width, copy.height) for copy in found.thumbnails.values()] == [(11, 960), (32, 2880)]


def test_what_is_transparent_lies_on_white(save: Any) -> None:
    buffer = BytesIO()
    Image.new("RGBA", (90, 90), (0, 0, 0, 0)).save(buffer, "PNG")

    found = look(Wish(path=save(buffer.getvalue())))

    assert found.shown is not None
    assert opened(found.shown.content).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["JPEG", "HEIF"])
def test_the_copies_are_upright_and_know_no_place(save: Any, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "<script>alert(1)</script>"
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 30.0)}
    options: dict[str, Any] = {"exif": exif} if kind == "JPEG" else {"exif": exif.tobytes()}

    found = look(Wish(path=save(heif(kind, **options))))

    assert found.shown is not None
    for copy in (found.shown, *found.thumbnails.values()):
        assert copy.width > copy.height
        assert b"script" not in copy.content
        assert b"EXIF" not in copy.content.upper()
        assert not opened(copy.content).getexif()


def test_pictures_that_look_alike_have_hashes_alike(save: Any) -> None:
    def phash(content: bytes, name: str) -> int:
        found = look(Wish(path=save(content, name))).phash
        assert found is not None
        return found

    def content(image: Image.Image, kind: str, **options: Any) -> bytes:
        buffer = BytesIO()
        image.save(buffer, kind, **options)
        return buffer.getvalue()

    one = phash(content(detailed(), "JPEG"), "one")
    again = phash(content(detailed().resize((450, 600)), "WEBP", quality=30), "again")
    other = phash(content(detailed().transpose(Image.Transpose.ROTATE_180), "JPEG"), "other")

    assert ((one ^ again) & (2**64 - 1)).bit_count() <= 6
    assert ((one ^ other) & (2**64 - 1)).bit_count() >= 20


def test_a_picture_of_one_shade_is_like_no_other(save: Any) -> None:
    buffer = BytesIO()
    Image.new("RGB", (90, 90), "teal").save(buffer, "PNG")

    assert look(Wish(path=save(buffer.getvalue()))).phash is None


def test_a_bad_one_among_several_harms_only_itself(save: Any) -> None:
    bad = [b"<html>", picture()[:2000], png_bomb(12_000, 9_000), b"\xff\xd8\xff" + bytes(500)]
    paths = [save(content, f"{n}") for n, content in enumerate([picture(), *bad, heif()])]

    found = look_at([Wish(path=path) for path in paths])

    assert [each.mime if isinstance(each, Picture) else each.code for each in found] == [
        *("image/jpeg", "not_a_picture", "truncated", "picture_too_large", "bad_picture", "image/heic")
    ]


def png_bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(bytes((width // 8 + 1) * height), 9)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (png_bomb(12_000, 9000), "picture_too_large"),  # over a hundred megapixels
        (png_bomb(60000, 60000)[:200], "picture_too_large"),
        (picture("BMP"), "not_a_picture"),
        (picture("TIFF"), "not_a_picture"),
        (picture("ICO", size=(64, 64)), "not_a_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not_a_picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "not_a_picture"),
        (b"SIMPLE  =                    T", "not_a_picture"),
        (b"", "not_a_picture"),
        (b"<!doctype html><title>no</title>", "not_a_picture"),
        (picture()[:2000], "truncated"),
        (picture("PNG")[:2000], "truncated"),
        (picture("WEBP")[:700], "truncated"),
        (heif()[:1500], "truncated"),
        (heif("AVIF")[:900], "truncated"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1" + bytes(400), "bad_picture"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isomavc1" + bytes(400), "not_a_picture"),
        (b"\xff\xd8\xff" + bytes(500), "bad_picture"),
        (b"RIFF\x00\x00\x00\x00WEBP" + bytes(50), "bad_picture"),
    ],
)
def test_bombs_and_strangers_are_refused(save: Any, content: bytes, code: str) -> None:
    with pytest.raises(VerificationError) as caught:
        look(Wish(path=save(content)))

    assert caught.value.code == code


@pytest.mark.parametrize("kind", ["WEBP", "GIF", "PNG"])
@pytest.mark.parametrize(("count", "side"), [(120, 16), (40, 3300)])
def test_a_moving_picture_that_is_too_long_or_too_large_is_refused(save: Any, kind: str, count: int, side: int) -> None:
    frames = [Image.new("L", (side, side), n) for n in range(count)]
    buffer = BytesIO()
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], **options)

    with pytest.raises(VerificationError) as caught:
        look(Wish(path=save(buffer.getvalue())))

    assert caught.value.code == "too_many_frames"


def test_what_hangs_behind_a_picture_is_not_in_the_copies(save: Any) -> None:
    polyglot = picture() + b"PK\x03\x04<html><script>alert(1)</script>"

    found = look(Wish(path=save(polyglot)))

    assert found.shown is not None
    assert all(b"script" not in copy.content for copy in (found.shown, *found.thumbnails.values()))
