"""Files, who asked for them, and how they are had."""

from __future__ import annotations

import hashlib
from typing import Any

import factory
from factory.django import DjangoModelFactory

from downloads.models import (
    Asset,
    AssetJob,
    AssetRole,
    AssetState,
    Batch,
    DownloadJob,
    DownloadRequest,
    Extractor,
    Quality,
    StoredObject,
)
from tests.factories.crawler import AuthorFactory, VideoFactory
from tests.factories.jobs import JobFactory
from tests.factories.people import UserFactory
from tests.factories.times import now


class StoredObjectFactory(DjangoModelFactory[StoredObject]):
    class Meta:
        model = StoredObject

    sha256 = factory.Sequence(lambda n: hashlib.sha256(b"%d" % n).hexdigest())
    size = 1_000_000
    mime = "video/mp4"
    width = 1080
    height = 1920
    duration_ms = 15_000


class AssetFactory(DjangoModelFactory[Asset]):
    class Meta:
        model = Asset

    class Params:
        wanted = factory.Trait(state=AssetState.WANTED, object=None, ready_at=None)
        of_author = factory.Trait(video=None, author=factory.SubFactory(AuthorFactory), role=AssetRole.AVATAR, quality="")

    video = factory.SubFactory(VideoFactory)
    role = AssetRole.VIDEO
    quality = Quality.BEST
    state = AssetState.READY
    object = factory.SubFactory(StoredObjectFactory)
    ready_at = factory.LazyFunction(now)


class AssetJobFactory(JobFactory):
    class Meta:
        model = AssetJob

    asset = factory.SubFactory(AssetFactory, role=AssetRole.COVER, quality="", state=AssetState.WANTED, object=None)


class DownloadJobFactory(JobFactory):
    class Meta:
        model = DownloadJob

    video = factory.SubFactory(VideoFactory)
    quality = Quality.BEST


class DownloadRequestFactory(DjangoModelFactory[DownloadRequest]):
    class Meta:
        model = DownloadRequest

    class Params:
        anonymous = factory.Trait(user=None, session_key=factory.Sequence(lambda n: f"session{n}"))
        automatic = factory.Trait(user=None, is_automatic=True)

    job = factory.SubFactory(DownloadJobFactory)
    user = factory.SubFactory(UserFactory)


class BatchFactory(DjangoModelFactory[Batch]):
    class Meta:
        model = Batch
        skip_postgeneration_save = True

    user = factory.SubFactory(UserFactory)

    @factory.post_generation
    def jobs(self, create: bool, given: Any, **_: Any) -> None:
        if create and given:
            self.jobs.set(given)


class ExtractorFactory(DjangoModelFactory[Extractor]):
    class Meta:
        model = Extractor
        django_get_or_create = ("name", "platform")

    name = factory.Sequence(lambda n: f"extractor{n}")
    platform = "douyin"
