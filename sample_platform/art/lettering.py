"""Text on pictures: with the system's Chinese font where there is one, in Latin letters where not."""

import subprocess
from functools import lru_cache
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFont

from sample_platform.art.brush import Colour, Palette, fade

PATTERNS = ("Noto Sans CJK SC:bold", "Source Han Sans SC:bold", "WenQuanYi Zen Hei:bold", ":lang=zh-cn:bold")
FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts", "/System/Library/Fonts")
FILES = ("NotoSansCJK-Bold.ttc", "NotoSansCJK-Regular.ttc", "NotoSansSC-Bold.otf", "wqy-zenhei.ttc", "PingFang.ttc")

Font = ImageFont.FreeTypeFont


@lru_cache(maxsize=1)
def chinese_font() -> tuple[str, int] | None:
    """File and face of a font that has Chinese letters, or None."""
    for pattern in PATTERNS:
        command = ["fc-match", "--format=%{file}\t%{index}\t%{lang}", pattern]
        try:
            found = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout
        except (FileNotFoundError, subprocess.TimeoutExpired):
            break
        file, _, rest = found.partition("\t")
        face, _, languages = rest.partition("\t")
        if file and "zh-cn" in languages.split("|"):
            return file, int(face) & 0xFFFF
    for folder in FOLDERS:
        for name in FILES:
            for file in map(str, Path(folder).expanduser().rglob(name)):
                return file, 0
    return None


@lru_cache(maxsize=64)
def font(size: int) -> Font:
    known = chinese_font()
    if known:
        return ImageFont.truetype(known[0], size, index=known[1])
    default = ImageFont.load_default(size)
    if not isinstance(default, ImageFont.FreeTypeFont):
        raise RuntimeError("this Pillow was built without FreeType: no picture can carry text")
    return default


def readable(chinese: str, english: str) -> tuple[str, str]:
    """A headline and its second line, in letters that this machine can draw."""
    if chinese_font() is None:
        return chinese if chinese.isascii() else english, ""
    return chinese, english


def wrap(text: str, size: int, width: float) -> list[str]:
    """Lines no wider than `width`: between words where there are words, else between characters."""
    pieces = [f"{word} " for word in text.split(" ")] if " " in text else list(text)
    lines, line = [], ""
    for piece in pieces:
        if line and font(size).getlength((line + piece).rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return [*lines, line.rstrip()]


def fitted(text: str, size: int, width: float, most_lines: int) -> tuple[int, list[str]]:
    """The largest size up to `size` at which the text takes at most `most_lines`."""
    while size > 14:
        lines = wrap(text, size, width)
        if len(lines) <= most_lines and all(font(size).getlength(line) <= width for line in lines):
            # Four characters on one line and one below look torn; halves look meant.
            if len(lines) == 2 and " " not in text and len(lines[1]) < len(lines[0]) - 1:
                half = (len(text) + 1) // 2
                lines = [text[:half], text[half:]]
            return size, lines
        size = int(size * 0.93)
    return size, wrap(text, size, width)


def write(
    image: Image.Image,
    lines: list[str],
    x: float,
    y: float,
    size: int,
    fill: Colour,
    *,
    stroke: float = 0.0,
    edge: Colour = "#000000",
    middle: bool = True,
) -> float:
    """Write lines from `y` down, centred on `x` (or starting there); return where they end."""
    pen = ImageDraw.Draw(image)
    for line in lines:
        pen.text(
            (x, y),
            line,
            font=font(size),
            fill=fill,
            anchor="ma" if middle else "la",
            stroke_width=round(stroke * size),
            stroke_fill=edge,
        )
        y += size * 1.16
    return y


def headline(width: int, height: int, chinese: str, english: str, palette: Palette, chance: Random) -> Image.Image:
    """The big lettering of a cover, as a layer of its own."""
    layer = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    side = min(width, height)
    big, small = readable(chinese, english)
    style = chance.choice(("outline", "yellow", "sticker", "shadow"))
    is_wide = width > height  # then the words stand on the left, the figure on the right
    middle, room = (width * 0.3, width * 0.46) if is_wide else (width / 2, width * 0.84)
    size, lines = fitted(big, round(side * 0.165), room * (0.88 if style == "sticker" else 1), 2)
    # Low enough to stay whole where a list shows the middle three quarters of a tall cover.
    top = height * (0.3 if is_wide else 0.15 if height > width * 1.5 else 0.06)
    if style == "sticker":
        end = _sticker(layer, lines, size, middle, top, palette)
    else:
        fill = {"outline": "#ffffff", "yellow": "#ffe93b", "shadow": palette.light}[style]
        edge, stroke = palette.dark, 0.085
        if style == "shadow":
            stroke = 0.045
            write(layer, lines, middle + size * 0.07, top + size * 0.07, size, fade(edge, 0.85), stroke=0.05, edge=edge)
        end = write(layer, lines, middle, top, size, fill, stroke=stroke, edge=edge)
    if small:
        _pill(layer, small, middle, end + size * 0.2, round(side * 0.044), palette)
    turn = chance.choice((-4, -2, 0, 2, 4))
    return layer.rotate(turn, Image.Resampling.BICUBIC, center=(middle, (top + end) / 2))


def _sticker(layer: Image.Image, lines: list[str], size: int, middle: float, top: float, palette: Palette) -> float:
    pen = ImageDraw.Draw(layer)
    y = top
    for line in lines:
        half = font(size).getlength(line) / 2 + size * 0.22
        box = (middle - half, y - size * 0.06, middle + half, y + size * 1.28)
        pen.rounded_rectangle([edge + size * 0.08 for edge in box], radius=size * 0.2, fill=fade(palette.dark, 0.9))
        pen.rounded_rectangle(box, radius=size * 0.2, fill="#ffffff")
        write(layer, [line], middle, y - size * 0.04, size, palette.dark)
        y += size * 1.4
    return y


def _pill(layer: Image.Image, text: str, middle: float, y: float, size: int, palette: Palette) -> None:
    pen = ImageDraw.Draw(layer)
    half = font(size).getlength(text) / 2 + size * 0.7
    pen.rounded_rectangle((middle - half, y, middle + half, y + size * 1.75), radius=size, fill=palette.dark)
    pen.text((middle, y + size * 0.86), text, font=font(size), fill="#ffffff", anchor="mm")
