"""How a video's history looks as JSON, with its score and why a model says what it says."""

from typing import Any

from rest_framework import serializers

from api.shapes import moment
from api.surges import SurgeDocument
from catalog.detail import Metrics
from ranking.explanation import WORDS, Explanation
from ranking.scoring.model import HEADS
from ranking.scoring.state import METRICS


class ObservationDocument(serializers.Serializer[Any]):
    observed_at = serializers.DateTimeField()
    views = serializers.IntegerField(allow_null=True)
    likes = serializers.IntegerField(allow_null=True)
    comments = serializers.IntegerField(allow_null=True)
    shares = serializers.IntegerField(allow_null=True)
    saves = serializers.IntegerField(allow_null=True)
    followers = serializers.IntegerField(allow_null=True, help_text="Of its author, at that moment.")


class ScorePart(serializers.Serializer[Any]):
    """One counter's share of the score: `count` × `weight` = `points`."""

    metric = serializers.CharField()
    count = serializers.IntegerField()
    weight = serializers.FloatField()
    points = serializers.FloatField()


class ScoreDocument(serializers.Serializer[Any]):
    value = serializers.FloatField(allow_null=True)
    momentum = serializers.FloatField(allow_null=True)
    is_surging = serializers.BooleanField()
    surging_since = serializers.DateTimeField(allow_null=True)
    scored_at = serializers.DateTimeField(allow_null=True)
    parts = ScorePart(many=True)


class ContributionDocument(serializers.Serializer[Any]):
    """What a group of numbers adds to the log-odds, against the average video."""

    group = serializers.ChoiceField(choices=list(WORDS))
    points = serializers.FloatField()


class RateDocument(serializers.Serializer[Any]):
    metric = serializers.ChoiceField(choices=METRICS)
    per_hour = serializers.FloatField(help_text="How fast it rises now.")
    total = serializers.FloatField(help_text="What is believed of the counter: jumps of one counter alone are held back.")


class ModelBrief(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    origin = serializers.CharField(help_text="`shipped`, or `refit` on this site's own history.")


class ExplanationDocument(serializers.Serializer[Any]):
    """Why a model says what it says."""

    head = serializers.ChoiceField(choices=HEADS)
    probability = serializers.FloatField(min_value=0, max_value=1)
    contributions = ContributionDocument(many=True, help_text="Largest first.")
    rates = RateDocument(many=True)
    times_usual = serializers.FloatField(
        allow_null=True, help_text="The primary counter's rise over the median of its peers; null: too few are known."
    )
    robust_z = serializers.FloatField(allow_null=True, help_text="The same in robust standard deviations of log rates.")
    is_of_same_age = serializers.BooleanField(help_text="Whether its peers are of about its age, or all of its platform's.")
    age_hours = serializers.FloatField(allow_null=True)
    model = ModelBrief()
    fallback = serializers.BooleanField(help_text="The platform is hardly known yet: coefficients of other platforms speak.")


class MetricsDocument(serializers.Serializer[Any]):
    video_id = serializers.IntegerField()
    history = ObservationDocument(many=True, help_text="Oldest first.")
    score = ScoreDocument()
    explanation = ExplanationDocument(allow_null=True, help_text="Null: no model has spoken of it yet.")
    surges = SurgeDocument(many=True, help_text="Its own, the latest first.")
    next = serializers.CharField(allow_null=True, help_text="Older observations.")


def explanation_document(told: Explanation) -> dict[str, Any]:
    return {
        "head": told.head,
        "probability": told.probability,
        "contributions": [{"group": share.group, "points": share.points} for share in told.contributions],
        "rates": [{"metric": rate.metric, "per_hour": rate.per_hour, "total": rate.total} for rate in told.rates],
        "times_usual": told.times_usual,
        "robust_z": told.robust_z,
        "is_of_same_age": told.is_of_same_age,
        "age_hours": told.age_hours,
        "model": {"version": told.model_version, "origin": told.model_origin},
        "fallback": told.is_fallback,
    }


def metrics_document(video_id: int, metrics: Metrics) -> dict[str, Any]:
    return {
        "video_id": video_id,
        "history": [
            {
                "observed_at": moment(seen.observed_at),
                "views": seen.views,
                "likes": seen.likes,
                "comments": seen.comments,
                "shares": seen.shares,
                "saves": seen.saves,
                "followers": seen.followers,
            }
            for seen in metrics.history
        ],
        "score": {
            "value": metrics.score,
            "momentum": metrics.momentum,
            "is_surging": metrics.is_surging,
            "surging_since": moment(metrics.surging_since),
            "scored_at": moment(metrics.scored_at),
            "parts": [
                {"metric": part.metric, "count": part.count, "weight": part.weight, "points": part.points}
                for part in metrics.parts
            ],
        },
    }
