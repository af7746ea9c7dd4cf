"""Which way a search goes on after its first rows, by what they showed. Pure.

No single plan is good. Where a term is common, looking at texts in the feed's order fills a page within some hundred rows; where
it is rare, the videos gathered by its grams are few; and between them it is best to gather first, and then to walk down the
order past all texts, asking only who was gathered.
"""

from dataclasses import dataclass
from enum import Enum

FIRST_WALK = 1_000
LOOK, GATHER, SCORE, PASS, NARROW = 5.0, 1.2, 3.2, 1.0, 4.0
"""Microseconds, as measured with a million videos: to look at a text in order; to gather a video by its grams; to look up the
score of one gathered; to walk past a row; to look at a video for filters. Only their proportions matter."""
SPARE = 3
"""A walk that was expected to end after so many rows may take so many times as many."""


class Way(Enum):
    LOOKING = "look at each text in order"
    PASSING = "gather, then walk past the texts in order"
    GATHERING = "gather, then sort"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstWalk:
    """What the first FIRST_WALK rows in order showed."""

    has_terms: int
    """So many of them have the terms, whatever the filters say."""
    found: int
    """And so many are matches."""


def choose(seen: FirstWalk, *, limit: int, videos: int, narrowed: bool) -> tuple[Way, int]:
    """The cheapest way to `limit` matches among so many videos, and the most rows that it may walk."""
    share = max(seen.has_terms, 0.5) / FIRST_WALK
    rows = min(limit * FIRST_WALK / max(seen.found, 0.5), videos)
    gathered = share * videos
    narrow = NARROW if narrowed else 0.0
    costs = {
        Way.LOOKING: rows * (LOOK + share * narrow),
        Way.PASSING: gathered * GATHER + rows * (PASS + share * narrow),
        Way.GATHERING: gathered * (GATHER + SCORE + narrow),
    }
    return min(costs, key=lambda way: costs[way]), int(rows * SPARE)
