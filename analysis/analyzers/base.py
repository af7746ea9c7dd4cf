"""What any engine takes and gives. Pure: pictures in, words out; nothing here knows Django or our tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class SlideType(StrEnum):
    HOOK = "hook"
    CONTENT = "content"
    CALL_TO_ACTION = "call_to_action"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One slide, upright, small enough for any engine, and written by ourselves."""

    position: int
    jpeg: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCategory:
    slug: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Carousel:
    """All that an engine is told."""

    pictures: Sequence[Picture]
    title: str = ""
    hashtags: Sequence[str] = ()
    categories: Sequence[KnownCategory] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SlideReading:
    position: int
    text: str
    type: SlideType
    confidence: float | None
    """0 to 1; None where there is nothing to be sure of: no text."""
    description: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What an engine charged. Kept even where its answer was of no use."""

    tokens_in: int = 0
    tokens_out: int = 0
    cost_micros: int | None = None
    """Millionths of a US dollar; None: nothing is charged, or nobody knows the price."""

    def __add__(self, other: Usage) -> Usage:
        known = [cost for cost in (self.cost_micros, other.cost_micros) if cost is not None]
        return Usage(
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_out=self.tokens_out + other.tokens_out,
            cost_micros=sum(known) if known else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    slides: Sequence[SlideReading]
    """One for each picture, in the order of the pictures."""
    engine: str
    model: str
    finish: str
    category: str = ""
    """The name of a known category or of a new one; empty: none was recognised."""
    category_confidence: float | None = None
    usage: Usage = Usage()


Progress = Callable[[int], object]
"""Told after each step how many slides are read; may raise to stop the work."""
Spend = Callable[[Usage], object]
"""Told of each charge as soon as it is known, before an answer may turn out to be of no use."""


class Analyzer(Protocol):
    """One way to read a carousel."""

    def read(self, carousel: Carousel, *, progress: Progress, spend: Spend) -> Reading:
        """Raises jobs.errors.JobError, classed by what happens next."""
