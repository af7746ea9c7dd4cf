"""When two videos are the same one, posted twice. Pure: what is known of both goes in, what agrees comes out.

The limits are measured on 384 drawn covers, in every pairing: saving a picture anew at quality
40, or at a third of its size, changes at most 4 bits of its hash in 99 of 100 cases; of 73,527 pairs of different covers 6 are as
close, and these differ in what else is asked for here.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

MOST_BITS = 4
"""Of 64. analysis_bands() finds all pictures this close: five bands, so that at least one of them is untouched."""
MOST_BITS_ALONE = 2
"""Where one picture is all there is, or an author may have a layout that all covers share."""
LEAST_AGREEMENT = 0.6
"""Of the slides of the longer carousel: some are left out, or put in front, by who reposts."""
DURATION_MS, DURATION_SHARE = 500, 0.02
CLOSE_DURATION_MS = 100
"""The less alike the covers, the more alike the durations: at 4 bits, and 167 ms apart, two different clips were met."""
LEAST_LETTERS = 4
"""A text shorter than this says nothing about being the same."""
SAME_TEXT = 0.5
"""Share of letter pairs in common: readers differ in some letters, two texts on one template in most."""


@dataclass(frozen=True, slots=True)
class Post:
    """What is known of a video besides its pictures."""

    id: int
    kind: str
    author_id: int | None
    duration_ms: int | None
    posted_at: datetime
    slides: int = 0
    """How many have a picture."""

    @property
    def place(self) -> tuple[datetime, int]:
        """In the order of posting."""
        return self.posted_at, self.id


@dataclass(frozen=True, slots=True)
class Near:
    """A picture (or the clip) of one video that is close to one of another."""

    role: str
    position: int
    other_position: int
    bits: int
    is_equal: bool
    """Byte by byte."""


@dataclass(frozen=True, slots=True)
class Match:
    is_equal: bool
    """Every part that agrees does so byte by byte."""
    bits: int
    """The largest difference among the parts that agree."""


@dataclass(slots=True)
class Pair:
    one: Post
    other: Post
    near: list[Near] = field(default_factory=list)


def judge(pair: Pair, texts: dict[int, str], other_texts: dict[int, str]) -> Match | None:
    """Whether both are the same, by all that is near. `texts`: what was read on the slides, by position."""
    if pair.one.kind != pair.other.kind:
        return None
    if any(near.role == "video" for near in pair.near):
        return Match(is_equal=True, bits=0)
    if pair.one.kind == "carousel":
        return _carousels(pair, texts, other_texts)
    return _clips(pair)


def _clips(pair: Pair) -> Match | None:
    """A cover alone is little: the durations must agree too, and an author's own covers may well look alike."""
    covers = [near for near in pair.near if near.role == "cover"]
    if not covers or pair.one.duration_ms is None or pair.other.duration_ms is None:
        return None
    bits = min(near.bits for near in covers)
    is_alike = bits <= MOST_BITS_ALONE
    is_of_one_author = pair.one.author_id is not None and pair.one.author_id == pair.other.author_id
    longest = max(pair.one.duration_ms, pair.other.duration_ms)
    may_be_apart = CLOSE_DURATION_MS if is_of_one_author or not is_alike else max(DURATION_MS, DURATION_SHARE * longest)
    is_same = abs(pair.one.duration_ms - pair.other.duration_ms) <= may_be_apart and (is_alike or not is_of_one_author)
    return Match(is_equal=False, bits=bits) if is_same else None


def _carousels(pair: Pair, texts: dict[int, str], other_texts: dict[int, str]) -> Match | None:
    """Most slides must agree, each with one of its own; two that look alike but say something else do not."""
    slides = sorted((near for near in pair.near if near.role == "slide"), key=lambda near: near.bits)
    agreed: list[Near] = []
    for near in slides:
        is_free = all(near.position != taken.position and near.other_position != taken.other_position for taken in agreed)
        is_told = near.is_equal or say_the_same(texts.get(near.position), other_texts.get(near.other_position)) is not False
        if is_free and is_told:
            agreed.append(near)
    longest = max(pair.one.slides, pair.other.slides)
    if longest == 1:
        agreed = [near for near in agreed if near.bits <= MOST_BITS_ALONE]
    elif len(agreed) < 2:
        return None
    if not agreed or len(agreed) < LEAST_AGREEMENT * longest:
        return None
    return Match(is_equal=all(near.is_equal for near in agreed), bits=max(near.bits for near in agreed))


def say_the_same(one: str | None, other: str | None) -> bool | None:
    """None: one of them was not read, or both say next to nothing."""
    if one is None or other is None:
        return None
    letters, others = _letters(one), _letters(other)
    if len(letters) < LEAST_LETTERS and len(others) < LEAST_LETTERS:
        return None
    pairs, other_pairs = _pairs(letters), _pairs(others)
    common = sum((pairs & other_pairs).values())
    return 2 * common >= SAME_TEXT * (pairs.total() + other_pairs.total())


def _letters(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).lower()
    return "".join(letter for letter in folded if unicodedata.category(letter)[0] in "LN")


def _pairs(letters: str) -> Counter[str]:
    return Counter(letters[at : at + 2] for at in range(len(letters) - 1))
