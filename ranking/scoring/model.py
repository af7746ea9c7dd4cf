"""Coefficients, and what they say of a video: three probabilities, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import exp
from typing import Any

from ranking.scoring import features
from ranking.scoring.state import Guard

HEADS = ("virality", "breakout", "surge")
"""virality: top 5 % by gain within the horizon; breakout: the same by relative gain; surge: will reach the top level."""


class OtherFeatures(ValueError):
    """Coefficients fitted for features that this version does not read."""


@dataclass(frozen=True, slots=True)
class Head:
    """A logistic: intercept, and a weight per feature in the order of features.NAMES."""

    intercept: float
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Of the surge head's probability, chosen on held-out items for a precision of about one half and three tenths."""

    alert: float
    watch: float


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a group (age, author, watching, or a metric) adds to a logit, against the average video."""

    group: str
    points: float


@dataclass(frozen=True, slots=True)
class Model:
    family: str
    """"views" where the platform shows views, "reactions" where it does not."""
    horizon: float
    """Hours ahead that the heads speak of."""
    heads: Mapping[str, Head]
    means: tuple[float, ...]
    """The average video's features: explanations are told against it."""
    guard: Guard
    thresholds: Thresholds
    level: float
    """The top level: what the primary counter of one item in twenty reaches."""
    typical: float
    """The median of the primary counter, which keeps relative gains of small videos sane."""

    @property
    def primary(self) -> str:
        return primary_of(self.family)

    def logit(self, head: str, vector: Sequence[float]) -> float:
        chosen = self.heads[head]
        return chosen.intercept + sum(w * x for w, x in zip(chosen.weights, vector, strict=True))

    def probability(self, head: str, vector: Sequence[float]) -> float:
        return sigmoid(self.logit(head, vector))

    def explain(self, head: str, vector: Sequence[float]) -> list[Contribution]:
        """The logit taken apart, largest share first; with the average video's logit they sum to this video's."""
        shares: dict[str, float] = {}
        rows = zip(features.NAMES, self.heads[head].weights, vector, self.means, strict=True)
        for name, weight, value, mean in rows:
            group = features.group_of(name, self.primary)
            shares[group] = shares.get(group, 0.0) + weight * (value - mean)
        told = [Contribution(group, points) for group, points in shares.items() if abs(points) > 1e-9]
        return sorted(told, key=lambda share: -abs(share.points))

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"features": list(features.NAMES)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Model:
        """Raises OtherFeatures."""
        if not is_readable(data):
            raise OtherFeatures("These coefficients were fitted for other features.")
        return cls(
            family=data["family"],
            horizon=data["horizon"],
            heads={name: Head(head["intercept"], tuple(head["weights"])) for name, head in data["heads"].items()},
            means=tuple(data["means"]),
            guard=Guard(data["guard"]["limits"]),
            thresholds=Thresholds(**data["thresholds"]),
            level=data["level"],
            typical=data["typical"],
        )


def is_readable(data: Mapping[str, Any]) -> bool:
    """Whether a model's JSON is of the features that this version reads."""
    return tuple(data["features"]) == features.NAMES


def primary_of(family: str) -> str:
    """The counter whose growth is foretold."""
    return "views" if family == "views" else "likes"


def sigmoid(logit: float) -> float:
    if logit < -700:
        return 0.0
    return 1 / (1 + exp(-logit))
