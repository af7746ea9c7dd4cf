"""Runs inside the sandbox: read one picture, write it small and clean to /out/picture; facts as JSON on stdout.

argv: the file, the longest side of the copy, its format (WEBP or JPEG).
"""

import json
import sys
import warnings
from typing import Any

sys.path.append("/packages")

from PIL import Image, ImageOps

Image.MAX_IMAGE_PIXELS = 25_000_000
MOST_FRAMES = 100


class Refused(Exception):
    pass


def main(path: str, side: int, target: str) -> dict[str, Any]:
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    with Image.open(path, formats=("JPEG", "PNG", "WEBP")) as picture:
        facts = {"format": picture.format, "width": picture.width, "height": picture.height}
        frames = getattr(picture, "n_frames", 1)
        if frames > MOST_FRAMES:
            raise Refused(f"{frames} frames")
        if picture.format == "JPEG":
            picture.draft("RGB", (side, side))  # decodes at 1/2, 1/4 or 1/8 where that is enough
        picture.load()
        upright = ImageOps.exif_transpose(picture)
        if upright.size[0] / upright.size[1] != picture.size[0] / picture.size[1]:
            facts["width"], facts["height"] = facts["height"], facts["width"]
        transparent = "A" in upright.mode or "transparency" in upright.info
        clean = upright.convert("RGBA" if transparent and target == "WEBP" else "RGB")
        clean.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
        clean.info.clear()
        if target == "WEBP":
            clean.save("/out/picture", "WEBP", quality=80, method=2)
        else:
            clean.save("/out/picture", "JPEG", quality=82, optimize=True)
    facts["copy_width"], facts["copy_height"] = clean.size
    return facts


if __name__ == "__main__":
    try:
        result = main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, Refused) as error:
        result = {"too_large": str(error)}
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, ZeroDivisionError) as error:
        result = {"unreadable": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(result))
