"""Scores, and what they come from."""

from __future__ import annotations

import factory
from factory.django import DjangoModelFactory

from ranking.models import Baseline, Family, RankingModel, Score, Surge
from tests.factories.crawler import VideoFactory
from tests.factories.times import now


class ScoreFactory(DjangoModelFactory[Score]):
    class Meta:
        model = Score

    class Params:
        surging = factory.Trait(is_surging=True, momentum=0.9, surging_since=factory.LazyFunction(now))

    video = factory.SubFactory(VideoFactory)
    classic = 4_410.0
    observed_at = factory.LazyFunction(now)


class RankingModelFactory(DjangoModelFactory[RankingModel]):
    class Meta:
        model = RankingModel

    family = Family.VIEWS
    origin = "shipped"
    data = factory.LazyFunction(dict)
    alert_threshold = 0.5
    watch_threshold = 0.3


class BaselineFactory(DjangoModelFactory[Baseline]):
    class Meta:
        model = Baseline

    platform = factory.Sequence(lambda n: f"platform{n}")
    family = Family.VIEWS
    videos = 500
    median_size = 10_000.0
    level = 1_000_000.0
    median_rate = 1.0
    spread_rate = 0.5


class SurgeFactory(DjangoModelFactory[Surge]):
    class Meta:
        model = Surge

    class Params:
        alerted = factory.Trait(state="open", alerted_at=factory.LazyFunction(now))

    video = factory.SubFactory(VideoFactory)
    model = factory.SubFactory(RankingModelFactory)
    watched_at = factory.LazyFunction(now)
    observed_at = factory.LazyFunction(now)
    probability = 0.6
    highest = 0.7
    level = 1_000_000.0
