"""How a video's counters grow: pure functions of the video's plan and the site's time."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

BUCKET = 1800.0
"""Seconds of one step of the curve. Within a step growth is even."""

COUNTERS = ("play_count", "digg_count", "comment_count", "share_count", "collect_count")


@dataclass(frozen=True)
class Wave:
    """A planned surge: growth rises from `starts_at` to `peaks_at`, then ebbs as a gamma curve does."""

    starts_at: float
    peaks_at: float
    height: float
    """Views per second added at the peak."""

    def rate(self, at: float) -> float:
        if at <= self.starts_at:
            return 0.0
        x = (at - self.starts_at) / (self.peaks_at - self.starts_at)
        return self.height * (x * math.exp(1 - x)) ** 2


@dataclass(frozen=True)
class Quirk:
    """Something wrong with one counter, as real platforms have: `name` is reset, zeros, negative or bots."""

    name: str
    counter: str
    starts_at: float
    ends_at: float
    size: float


@dataclass
class Growth:
    seed: str
    published_at: float
    audience: float
    """Views that the video gathers in the end without any surge."""
    half_life: float
    """Seconds in which the first half of them arrive."""
    peak_hour: float
    """Local hour (UTC+8) with most viewers."""
    noise: float
    ratios: dict[str, float]
    """Likes, comments, shares and saves per view."""
    wave: Wave | None = None
    quirks: tuple[Quirk, ...] = ()
    _sums: list[float] = field(default_factory=lambda: [0.0], repr=False)
    _steps: Iterator[float] | None = field(default=None, repr=False)

    def rate(self, at: float) -> float:
        """Expected views per second, before noise. A young post starts fast and keeps a thin tail."""
        age = at - self.published_at
        decay = math.log(2) / self.half_life
        main = self.audience * 0.85 * decay * math.exp(-decay * age)
        tail = self.audience * 0.15 / (math.log(40) * (self.half_life + age))
        hour = (at / 3600 + 8) % 24
        rhythm = 1 + 0.55 * math.cos((hour - self.peak_hour) * math.tau / 24)
        return (main + tail) * rhythm + (self.wave.rate(at) if self.wave else 0.0)

    def _walk(self) -> Iterator[float]:
        """Views gathered in each step. The noise is auto-correlated: a good hour is followed by a good hour."""
        chance = random.Random(self.seed)
        mood, at = 0.0, self.published_at
        while True:
            mood = 0.75 * mood + chance.gauss(0, self.noise)
            yield self.rate(at + BUCKET / 2) * BUCKET * math.exp(mood)
            at += BUCKET

    def views(self, at: float) -> float:
        steps = max(0.0, at - self.published_at) / BUCKET
        whole = int(steps)
        if self._steps is None:
            self._steps = self._walk()
        while len(self._sums) < whole + 2:
            self._sums.append(self._sums[-1] + next(self._steps))
        before, after = self._sums[whole], self._sums[whole + 1]
        return before + (after - before) * (steps - whole)

    def counts(self, at: float) -> dict[str, int]:
        """Every counter as the site would show it at `at`, quirks included."""
        views = self.views(at)
        counts = {name: int(views * self.ratios.get(name, 1.0)) for name in COUNTERS}
        for quirk in self.quirks:
            self._bend(counts, quirk, at)
        return counts

    def _bend(self, counts: dict[str, int], quirk: Quirk, at: float) -> None:
        if at < quirk.starts_at:
            return
        name = quirk.counter
        within = at < quirk.ends_at
        if quirk.name == "reset":  # the platform took counts back (a purge) and went on from there
            lost = self.views(quirk.starts_at) * self.ratios.get(name, 1.0) * quirk.size
            counts[name] = max(0, counts[name] - int(lost))
        elif quirk.name == "bots":  # one counter is bought; the others know nothing of it
            share = min(1.0, (at - quirk.starts_at) / (quirk.ends_at - quirk.starts_at))
            counts[name] += int(quirk.size * share)
        elif quirk.name == "zeros" and within:
            counts.update(dict.fromkeys(COUNTERS, 0))
        elif quirk.name == "negative" and within:
            counts[name] = -int(quirk.size)
