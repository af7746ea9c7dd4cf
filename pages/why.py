"""Why a video ranks, in the words of the pages: what speaks for it and against it, and how it compares."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ranking.explanation import WORDS, Explanation, Rate, explain
from ranking.scoring.model import Contribution

HEADS: dict[str, Promise] = {
    "virality": gettext_lazy("Rising"),
    "breakout": gettext_lazy("Breaking out"),
    "surge": gettext_lazy("Surge"),
}
HEAD_OF_ORDERING = {"-breakout": "breakout"}
QUESTIONS: dict[str, Promise] = {
    "virality": gettext_lazy("chance to be among the top 5 % by gain within a day"),
    "breakout": gettext_lazy("chance to be among the top 5 % by gain for its size within a day"),
    "surge": gettext_lazy("chance to reach what one video in twenty does on its platform"),
}
STRONG, CLEAR, SLIGHT = 2.0, 0.6, 0.15
"""In points of a logit. 2 make even odds 7 to 1; below 0.15 nothing is said."""
MOST_ON_A_CARD = 3


@dataclass(frozen=True, slots=True)
class Share:
    """What one group adds or takes, as a line with a bar."""

    name: str
    points: float
    words: str
    start: float
    """Of the bar, in percent of its room; the middle is 50."""
    width: float


@dataclass(frozen=True, slots=True)
class Why:
    """An explanation, said."""

    told: Explanation
    shares: list[Share]
    """Largest first."""
    rates: list[tuple[str, Rate]]

    @property
    def main(self) -> list[str]:
        """The two or three that matter most, each a phrase."""
        telling = [share for share in self.shares if abs(share.points) >= SLIGHT]
        return [
            _("%(what)s: %(words)s") % {"what": capfirst(share.name), "words": share.words} for share in telling[:MOST_ON_A_CARD]
        ]

    @property
    def question(self) -> str:
        return str(QUESTIONS[self.told.head])

    @property
    def standing(self) -> str:
        """The robust z in words; nothing where too few videos are known."""
        z = self.told.robust_z
        if z is None:
            return ""
        if z >= 4:
            return _("far beyond what is usual")
        if z >= 2:
            return _("well above what is usual")
        if z >= 1:
            return _("above what is usual")
        return _("as usual") if z > -1 else _("below what is usual")


def why(video_ids: Collection[int], head: str = "virality") -> dict[int, Why]:
    """By video id, for those that have a score; three statements whatever the number, none for none."""
    if not video_ids:
        return {}
    return {video_id: say(told) for video_id, told in explain(video_ids, head).items()}


def say(told: Explanation) -> Why:
    most = max((abs(share.points) for share in told.contributions), default=0.0) or 1.0
    rates = [(str(WORDS[rate.metric]), rate) for rate in told.rates]
    return Why(told, [_share(share, most) for share in told.contributions if abs(share.points) >= 0.05], rates)


def _share(contribution: Contribution, most: float) -> Share:
    points = contribution.points
    length = 50 * abs(points) / most
    return Share(
        name=str(WORDS[contribution.group]),
        points=points,
        words=_strength(points),
        start=50 if points > 0 else 50 - length,
        width=length,
    )


def _strength(points: float) -> str:
    size = abs(points)
    if points > 0:
        return _("strongly for it") if size >= STRONG else _("for it") if size >= CLEAR else _("slightly for it")
    return _("strongly against it") if size >= STRONG else _("against it") if size >= CLEAR else _("slightly against it")


def metrics_in_words(metrics: Collection[str]) -> str:
    """“likes, comments, shares”, in the reader's language."""
    return ", ".join(str(WORDS[metric]) for metric in metrics)
