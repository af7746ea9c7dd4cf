"""Retention: videos that nobody needs any more go, with their numbers; bytes that no row uses are released.

Kept are videos that ever surged, that people downloaded, that are our own, that score above the floor, and of the rest
a sample, the same at every pass, for later learning. A released object stays in the storage until a sweep finds it
unclaimed for two days (monitoring/sweeping.py).
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from constance import config
from django.db import connection, transaction
from django.db.models import Exists, F, Func, IntegerField, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from crawler.models import SourceVideo, Video
from downloads.models import Batch, DownloadJob, DownloadRequest, IncomingObject, StoredObject
from jobs.models import FINAL
from monitoring.models import UnclaimedObject
from ranking.models import Milestone, Surge

logger = logging.getLogger(__name__)

BATCH = 500
SILENCE = timedelta(days=2)
FEW = 100
"""Below so many videos a pass may remove most of them: there is no share to speak of."""
LARGEST_SHARE = 0.5
FRESH = timedelta(hours=1)
"""An object so young may be about to get its asset."""


class CleanupRefused(Exception):
    """What would go looks wrong: nothing was removed, a person should look."""


@dataclass(slots=True)
class Outcome:
    """What went, or would go."""

    videos: int = 0
    snapshots: int = 0
    objects: int = 0
    bytes: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    """Deleted rows by model, videos and snapshots left out."""

    def as_counts(self) -> dict[str, int]:
        named = {"videos": self.videos, "snapshots": self.snapshots, "objects": self.objects, "bytes": self.bytes}
        return {name: count for name, count in named.items() if count}


class Bucket(Func):
    """0 to 99 of a hash of the texts: the same videos are spared at every pass, on every installation."""

    template = "(('x' || substr(md5(%(expressions)s), 1, 7))::bit(28)::int %%%% 100)"
    arg_joiner = " || "
    output_field = IntegerField()


def candidates(now: datetime) -> "QuerySet[Video]":
    """The videos that retention lets go."""
    known_and_low = Q(score__classic__lt=config.RETENTION_SCORE_FLOOR)  # one without a score is not low: we do not know
    calm = Q(score__is_surging=False, score__surged_at=None)
    own = SourceVideo.objects.filter(video=OuterRef("pk"), source__is_own=True)
    by_people = DownloadRequest.objects.filter(job__video=OuterRef("pk"), is_automatic=False)
    foretold = Surge.objects.filter(video=OuterRef("pk"), alerted_at__isnull=False)
    arrived = Milestone.objects.filter(video=OuterRef("pk"))  # at the top level, or at a surge by the classic rule
    in_a_batch = Batch.jobs.through.objects.filter(downloadjob__video=OuterRef("pk"))
    on_its_way = DownloadJob.objects.filter(video=OuterRef("pk")).exclude(state__in=FINAL)
    return (
        Video.objects.filter(known_and_low, calm, last_seen_at__lt=now - timedelta(days=max(1, config.RETENTION_DAYS)))
        .filter(~Exists(foretold), ~Exists(arrived), ~Exists(own), ~Exists(by_people), ~Exists(in_a_batch), ~Exists(on_its_way))
        .alias(bucket=Bucket("platform", Value(":"), "external_id"))
        .filter(bucket__gte=config.RETENTION_SAMPLE_PERCENT)
    )


def check(now: datetime) -> int:
    """How many videos would go. Raises CleanupRefused where absence seems to be ours and not the videos'."""
    wanted = candidates(now).count()
    if not wanted:
        return 0
    newest = Video.objects.order_by("-last_seen_at").values_list("last_seen_at", flat=True)[0]
    if now - newest > SILENCE:
        days = (now - newest).days
        raise CleanupRefused(_("Nothing was seen for %d days: that no video was seen says nothing of the videos.") % days)
    total = Video.objects.count()
    if total >= FEW and wanted > total * LARGEST_SHARE:
        raise CleanupRefused(
            _("%(wanted)d of %(total)d videos would go; more than half looks wrong. Use --force if it is right.")
            % {"wanted": wanted, "total": total}
        )
    return wanted


def plan(now: datetime) -> Outcome:
    """What `clean_up` would do, without doing it."""
    going = candidates(now)
    released = StoredObject.objects.unused_without(Q(video__in=going.values("pk"))).filter(created_at__lt=now - FRESH)
    facts = released.aggregate(bytes=Coalesce(Sum("size"), 0))
    return Outcome(
        videos=going.count(),
        snapshots=sum(counts for _pk, counts in _snapshots_of(going)),
        objects=released.count(),
        bytes=facts["bytes"],
    )


def clean_up(now: datetime, *, force: bool = False) -> Outcome:
    """Remove videos and release bytes, batch by batch, each its own transaction. Raises CleanupRefused."""
    outcome = Outcome()
    if not force:
        check(now)
    for ids in _batches(candidates(now)):
        _remove(ids, now, outcome)
    while _release(now, outcome):
        pass
    logger.info("Cleaned up", extra=outcome.as_counts())
    return outcome


def _batches(videos: "QuerySet[Video]") -> Iterator[list[int]]:
    last = 0
    while ids := list(videos.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield ids
        last = ids[-1]


@transaction.atomic
def _remove(ids: list[int], now: datetime, outcome: Outcome) -> None:
    # Locked first, asked again after: somebody may have wanted one of them in between.
    locked = list(Video.objects.filter(pk__in=ids).select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))
    ids = list(candidates(now).filter(pk__in=locked).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM crawler_metricsnapshot WHERE video_id = ANY(%s)", [ids])
        outcome.snapshots += cursor.rowcount
    _total, by_model = Video.objects.filter(pk__in=ids).delete()
    outcome.videos += by_model.pop("crawler.Video", 0)
    for name, count in by_model.items():
        outcome.rows[name] = outcome.rows.get(name, 0) + count


@transaction.atomic
def _release(now: datetime, outcome: Outcome) -> int:
    """The row goes now, the bytes later: what is wanted again within two days is still there."""
    unused = StoredObject.objects.unused().filter(
        ~Exists(IncomingObject.objects.filter(sha256=OuterRef("sha256"))),  # about to be wanted again
        created_at__lt=now - FRESH,
    )
    locked = [one.pk for one in unused.select_for_update(skip_locked=True, of=("self",))[:BATCH]]
    going = list(unused.filter(pk__in=locked))
    UnclaimedObject.objects.bulk_create(
        [UnclaimedObject(key=one.key, size=one.size, since=now, was_released=True) for one in going],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["size", "since", "was_released"],
    )
    StoredObject.objects.filter(pk__in=[one.pk for one in going]).delete()
    outcome.objects += len(going)
    outcome.bytes += sum(one.size for one in going)
    return len(going)


def _snapshots_of(videos: "QuerySet[Video]") -> Iterator[tuple[int, int]]:
    """Each batch's last id, and how many snapshots its videos have."""
    for ids in _batches(videos):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM crawler_metricsnapshot WHERE video_id = ANY(%s)", [ids])
            yield ids[-1], cursor.fetchone()[0]


def largest_first(videos: "QuerySet[Video]") -> "QuerySet[Video]":
    """In the order a person wants to check them: by what they score."""
    return videos.select_related("score").order_by(F("score__classic").desc(), "pk")
