"""Runs inside the sandbox: read pictures, write small clean copies to /out; an answer for each as JSON on stdout.

argv: a JSON list of {path, name, shown, sides, formats}. `/out/<name>-<side>` is a WebP copy of at most `side` pixels across its
shorter side for each of `sides`, `/out/<name>-shown` a JPEG of at most `shown` (0: none).
"""

import json
import math
import sys
import warnings
from pathlib import Path
from typing import Any

sys.path.append("/packages")

from PIL import Image, ImageOps

Image.MAX_IMAGE_PIXELS = 25_000_000
MOST_FRAMES = 100
MOST_MOVING_PIXELS = 16 * Image.MAX_IMAGE_PIXELS
"""Of all frames together."""
LONGEST_STRIP = 4
"""The longer side in shorter ones, up to which a copy is as sharp as promised."""
HASH_SIDE = 32
HASH_WAVES = 8
LEAST_CONTRAST = 8
"""Levels of grey; with less there is nothing to tell pictures apart by."""
BROKEN = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, ZeroDivisionError, RuntimeError)


class Refused(Exception):
    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


def main(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    if any("HEIF" in job["formats"] for job in jobs):
        import pillow_heif  # half as long to load again, and few pictures need it

        pillow_heif.register_heif_opener(thumbnails=False)
    return [answer(job) for job in jobs]


def answer(job: dict[str, Any]) -> dict[str, Any]:
    try:
        return copies(**job)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        return {"refused": "picture_too_large", "why": str(error)}
    except Refused as error:
        return {"refused": error.code, "why": str(error)}
    except BROKEN as error:
        code = "truncated" if "truncated" in str(error).lower() or is_cut(job["path"]) else "bad_picture"
        return {"refused": code, "why": f"{type(error).__name__}: {error}"}


def copies(path: str, name: str, shown: int, sides: list[int], formats: list[str]) -> dict[str, Any]:
    with Image.open(path, formats=formats) as picture:
        facts: dict[str, Any] = {"format": picture.format, "width": picture.width, "height": picture.height, "copies": {}}
        frames = getattr(picture, "n_frames", 1)
        if frames > MOST_FRAMES or (frames > 1 and frames * picture.width * picture.height > MOST_MOVING_PIXELS):
            raise Refused("too_many_frames", f"{frames} frames of {picture.width} x {picture.height}")
        if picture.format == "JPEG":
            picture.draft("RGB", fit(picture.size, max([shown, *sides])))  # decodes at 1/2, 1/4 or 1/8 where that is enough
        picture.load()
        upright = ImageOps.exif_transpose(picture)
        if upright.size[0] / upright.size[1] != picture.size[0] / picture.size[1]:
            facts["width"], facts["height"] = facts["height"], facts["width"]
        transparent = "A" in upright.mode or "transparency" in upright.info
        clean = upright.convert("RGBA" if transparent else "RGB")
    clean.info.clear()
    facts["phash"] = perceptual_hash(clean)
    if shown:
        opaque = fitted(clean, shown)
        if transparent:  # on white, as a page would show it, and not on the black that lies under it
            white = Image.new("RGB", opaque.size, "white")
            white.paste(opaque, mask=opaque.getchannel("A"))
            opaque = white
        opaque.save(f"/out/{name}-shown", "JPEG", quality=84, optimize=True)
        facts["copies"]["shown"] = opaque.size
    for side in sorted(sides, reverse=True):
        clean = fitted(clean, side)  # the smaller one from the larger one: cheaper, and no worse to see
        clean.save(f"/out/{name}-{side}", "WEBP", quality=80, method=2)
        facts["copies"][str(side)] = clean.size
    return facts


def fit(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Scaled down to `side` across the shorter side: a page crops the longer one. A strip is bounded by its length."""
    scale = min(1, side / min(size), side * LONGEST_STRIP / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def fitted(picture: Image.Image, side: int) -> Image.Image:
    size = fit(picture.size, side)
    return picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


_WAVES = [
    [math.cos(math.pi * wave * (2 * place + 1) / (2 * HASH_SIDE)) for place in range(HASH_SIDE)] for wave in range(HASH_WAVES)
]


def perceptual_hash(picture: Image.Image) -> int | None:
    """pHash: which of the 64 longest waves (cosine transform of 32 x 32 greys) are stronger than their median. Signed 64 bits.

    None for a picture of one shade. Survives scaling, recompressing and small marks.
    """
    grey = picture.convert("L").resize((HASH_SIDE, HASH_SIDE), Image.Resampling.BOX).tobytes()
    if max(grey) - min(grey) < LEAST_CONTRAST:
        return None
    lines = [grey[start : start + HASH_SIDE] for start in range(0, len(grey), HASH_SIDE)]
    across = [[sum(map(_times, line, wave)) for wave in _WAVES] for line in lines]
    waves = [
        sum(line[x] * factor for line, factor in zip(across, wave, strict=True)) for wave in _WAVES for x in range(HASH_WAVES)
    ]
    middle = sorted(waves[1:])[len(waves) // 2 - 1]  # the first is the mean brightness
    bits = 0
    for strength in waves:
        bits = bits << 1 | (strength > middle)
    return bits - (1 << 64) if bits >> 63 else bits


def _times(grey: int, factor: float) -> float:
    return grey * factor


def is_cut(path: str) -> bool:
    """Whether the file says itself that it should be longer."""
    size = Path(path).stat().st_size
    with Path(path).open("rb") as file:
        head = file.read(16)
        if head[:4] == b"RIFF":
            return int.from_bytes(head[4:8], "little") + 8 > size
        if head[4:8] == b"ftyp":
            at = 0
            while at + 8 <= size:
                file.seek(at)
                box = file.read(16)
                length = int.from_bytes(box[:4], "big")
                length = int.from_bytes(box[8:16], "big") if length == 1 else length or size - at
                if length < 8:
                    return False
                at += length
            return at != size
        file.seek(max(0, size - 12))
        tail = file.read()
    return head[:4] == b"\x89PNG" and b"IEND" not in tail


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(sys.argv[1]))))
