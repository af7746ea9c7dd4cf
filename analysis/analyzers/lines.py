"""From boxes of words, as a detector finds them, to text as a person reads it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

WIDE = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
"""Scripts without spaces between words, as a range of a regular expression."""
_WIDE_AT_END = re.compile(rf"[{WIDE}]$")
_WIDE_AT_START = re.compile(rf"^[{WIDE}]")
_STARTS_AN_ITEM = re.compile(r"^(?:[-–—•·●○▪■◆★☆✓✔✅❌→>*#@]|\(?\d{1,2}[.、)）:：]|\d{1,2}$|[①-⑳㈠-㈩❶-❿])")
_ENDS = re.compile(r"[。！？!?…：:;；]$")
SAME_LINE = 0.5
"""Boxes whose middles lie within so much of a height are on one line."""
SAME_SIZE = 0.8
"""Lines of one paragraph: the lower one is at least so much as high as the higher one."""
CLOSE = 0.75
"""And the gap between them at most so much of a height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Words and where they stand, in pixels."""

    text: str
    score: float
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return max(self.bottom - self.top, 1.0)

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


def lines(boxes: Sequence[Box]) -> list[Box]:
    """Boxes side by side are one line; lines from top to bottom."""
    rows: list[list[Box]] = []
    for box in sorted(boxes, key=lambda box: (box.middle, box.left)):
        row = rows[-1] if rows else []
        if row and abs(box.middle - row[0].middle) < SAME_LINE * min(box.height, row[0].height):
            row.append(box)
        else:
            rows.append([box])
    return [_merged(sorted(row, key=lambda box: box.left), " ") for row in rows]


def paragraphs(found: Sequence[Box]) -> list[str]:
    """Lines that were only broken to fit, joined again: of one size, close together, about as wide, and no item of a list."""
    texts: list[Box] = []
    for line in found:
        if texts and _goes_on(last := texts[-1], line):
            gap = "" if _WIDE_AT_END.search(last.text) and _WIDE_AT_START.match(line.text) else " "
            # Its place is that of the line just joined: the next one is compared with that.
            texts[-1] = replace(line, text=f"{last.text}{gap}{line.text}")
        else:
            texts.append(line)
    return [text.text for text in texts]


def _goes_on(upper: Box, lower: Box) -> bool:
    small, large = sorted((upper.height, lower.height))
    widths = upper.right - upper.left, lower.right - lower.left
    return (
        small >= SAME_SIZE * large
        and lower.top - upper.bottom <= CLOSE * large
        and lower.top > upper.middle
        and min(upper.right, lower.right) > max(upper.left, lower.left)
        and widths[0] >= 0.6 * widths[1]
        and not _ENDS.search(upper.text)
        and not _STARTS_AN_ITEM.match(upper.text if len(upper.text) < 3 else "")
        and not _STARTS_AN_ITEM.match(lower.text)
    )


def _merged(row: Sequence[Box], gap: str) -> Box:
    letters = [max(len(box.text), 1) for box in row]
    return Box(
        text=gap.join(box.text for box in row),
        score=sum(box.score * count for box, count in zip(row, letters, strict=True)) / sum(letters),
        left=min(box.left for box in row),
        top=min(box.top for box in row),
        right=max(box.right for box in row),
        bottom=max(box.bottom for box in row),
    )
