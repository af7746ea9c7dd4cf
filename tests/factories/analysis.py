"""What was read on slides, categories and re-uploads."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from analysis.models import Analysis, AnalysisJob, Category, Reupload, SlideText
from tests.factories.crawler import VideoFactory
from tests.factories.jobs import JobFactory


class AnalysisFactory(DjangoModelFactory[Analysis]):
    class Meta:
        model = Analysis

    video = factory.SubFactory(VideoFactory, carousel=True)
    engine = "local"
    model = "PP-OCRv6 small"
    duration_ms = 2_500
    finish = "ok"


class SlideTextFactory(DjangoModelFactory[SlideText]):
    class Meta:
        model = SlideText

    video = factory.SubFactory(VideoFactory, carousel=True)
    position = 0
    text = factory.Sequence(lambda n: f"Advice {n}")
    type = "content"
    confidence = 0.9
    sha256 = factory.Sequence(lambda n: hashlib.sha256(b"slide %d" % n).hexdigest())


class AnalysisJobFactory(JobFactory):
    class Meta:
        model = AnalysisJob

    video = factory.SubFactory(VideoFactory, carousel=True)


class CategoryFactory(DjangoModelFactory[Category]):
    class Meta:
        model = Category

    name = factory.Sequence(lambda n: f"Category {n}")
    slug = factory.LazyAttribute(lambda category: category.name.lower().replace(" ", "-"))


class ReuploadFactory(DjangoModelFactory[Reupload]):
    class Meta:
        model = Reupload

    video = factory.SubFactory(VideoFactory)
    original = factory.SubFactory(VideoFactory, published_at=factory.LazyFunction(lambda: timezone.now() - timedelta(days=9)))
    kind = "similar_pictures"
    distance = 2
