"""How a profile's videos do against each other at a like age. Pure: counts and ages in, verdicts out.

A count of three hours says little beside one of three months, so a young video is compared with what the others had at its age:
as their histories tell, or by how they stand now where they are about as old. From RIPE_HOURS on videos hardly grow, and are
compared as they stand. Counts are compared by their logarithms, because ten times more and ten times less are equally far.
"""

import math
import statistics
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_VIDEOS = 6
"""Others to compare with, before a median says anything."""
RIPE_HOURS = 7 * 24.0
LIKE_AGE = 1.5
"""Two young videos are of a like age when neither is so many times as old as the other."""
FAR = 3.5
"""Robust z from which on a video is an outlier, as Iglewicz and Hoaglin advise."""
LEAST_TIMES = 2.0
"""And at least so many times the median, or so many times less: a very even profile has no outliers for trifles."""
MOST_GAP = 4.0
"""Between two looks whose ages differ by more than so many times, nothing is read: most growth comes early."""
LEAST_SPREAD = 0.05
"""Of the logarithms, where the others hardly differ."""
MAD_OF_NORMAL = 0.6745


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One video: how old it was at each look, hours, youngest first, and what it had then."""

    id: int
    ages: Sequence[float]
    counts: Sequence[int]

    @property
    def age(self) -> float:
        return self.ages[-1]

    @property
    def count(self) -> int:
        return self.counts[-1]

    def count_at(self, age: float) -> float | None:
        """Between two looks, along the line that joins them over the logarithm of age; None without two that are near."""
        place = bisect_left(self.ages, age)
        if place == len(self.ages):
            return None
        if self.ages[place] == age:
            return self.counts[place]
        if place == 0:
            return None
        before, after = self.ages[place - 1], self.ages[place]
        if after > max(before, 1.0) * MOST_GAP:
            return None
        share = math.log((1 + age) / (1 + before)) / math.log((1 + after) / (1 + before))
        return self.counts[place - 1] + share * (self.counts[place] - self.counts[place - 1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    id: int
    count: int
    usual: float
    """Median of the others at a like age."""
    others: int
    z: float

    @property
    def times(self) -> float:
        """The usual once: 3.0 is three times the median. Where the median is 0, one is taken for it."""
        return self.count / max(self.usual, 1.0)

    @property
    def is_above(self) -> bool:
        return self.z >= FAR and self.times >= LEAST_TIMES

    @property
    def is_below(self) -> bool:
        return self.z <= -FAR and self.times * LEAST_TIMES <= 1


def compare(courses: Sequence[Course]) -> dict[int, Verdict]:
    """By id. A video that has fewer than LEAST_VIDEOS others of a like age has no verdict."""
    ripe = [course for course in courses if course.age >= RIPE_HOURS]
    verdicts = {}
    for course in courses:
        if course.age >= RIPE_HOURS:
            peers = [float(other.count) for other in ripe if other is not course]
        else:
            known = (_at_like_age(other, course.age) for other in courses if other is not course)
            peers = [count for count in known if count is not None]
        if len(peers) >= LEAST_VIDEOS:
            verdicts[course.id] = _judge(course, peers)
    return verdicts


def median_of(courses: Sequence[Course]) -> float | None:
    """What a video of the profile usually has: of the ripe ones, or of all where those are too few. None: too few at all."""
    ripe = [course.count for course in courses if course.age >= RIPE_HOURS]
    counts = ripe if len(ripe) >= LEAST_VIDEOS else [course.count for course in courses]
    return float(statistics.median(counts)) if len(counts) >= LEAST_VIDEOS else None


def _at_like_age(other: Course, age: float) -> float | None:
    known = other.count_at(age)
    if known is None and max(age, 1.0) / LIKE_AGE <= max(other.age, 1.0) <= max(age, 1.0) * LIKE_AGE:
        return other.count
    return known


def _judge(course: Course, peers: Sequence[float]) -> Verdict:
    logs = [math.log1p(count) for count in peers]
    middle = statistics.median(logs)
    spread = max(statistics.median(abs(value - middle) for value in logs), LEAST_SPREAD)
    z = MAD_OF_NORMAL * (math.log1p(course.count) - middle) / spread
    return Verdict(id=course.id, count=course.count, usual=statistics.median(peers), others=len(peers), z=z)
