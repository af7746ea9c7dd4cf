"""Covers and faces, fetched soon after a crawl and kept small and clean: pages load nothing from other sites."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crawler.access import site_url
from crawler.models import Author, Video
from crawler.providers.errors import Gone
from downloads import fetching, objects
from downloads.models import Asset, AssetRole, AssetState, CoverJob, StoredObject
from downloads.processing import pictures
from downloads.work import storage_troubles
from downloads.workplace import workplace
from jobs import nudge
from jobs.models import FINAL, State

SIDES = {AssetRole.COVER: 720, AssetRole.AVATAR: 160}
MOST_BYTES = 10 * 1024**2
SECONDS = 20.0
TRY_AGAIN_AFTER = timedelta(hours=6)
LOOKED_BACK = timedelta(days=3)
MISSED_AT_ONCE = 1000


def want(video_ids: Iterable[int]) -> int:
    """See to the covers of these videos and the faces of their authors; return how many jobs are new.

    What failed is tried again when a fresh address was seen some hours later.
    """
    ids = list(video_ids)
    videos = Video.objects.filter(pk__in=ids).exclude(cover_url="")
    authors = Author.objects.filter(videos__in=ids).exclude(avatar_url="").distinct()
    Asset.objects.bulk_create(
        [Asset(video_id=pk, role=AssetRole.COVER) for pk in videos.values_list("pk", flat=True)]
        + [Asset(author_id=pk, role=AssetRole.AVATAR) for pk in authors.values_list("pk", flat=True)],
        ignore_conflicts=True,
    )
    return _enqueue(Q(video__in=ids) | Q(author__videos__in=ids))


def find_missed() -> dict[str, int]:
    """Covers of the last days that nobody sees to. Returns the count for its record."""
    since = timezone.now() - LOOKED_BACK
    covers = Asset.objects.filter(video=OuterRef("pk"), role=AssetRole.COVER)
    without = Video.objects.filter(~Exists(covers), last_seen_at__gte=since).exclude(cover_url="")
    new = want(list(without.order_by("-last_seen_at").values_list("pk", flat=True)[:MISSED_AT_ONCE]))
    new += _enqueue(Q(created_at__gte=since, state=AssetState.WANTED))
    return {"enqueued": new} if new else {}


def _enqueue(which: Q) -> int:
    jobs = CoverJob.objects.filter(asset=OuterRef("pk"))
    recent = jobs.filter(Q(finalized_at=None) | Q(finalized_at__gt=timezone.now() - TRY_AGAIN_AFTER))
    assets = Asset.objects.filter(
        which,
        ~Exists(recent),
        role__in=list(SIDES),
        state__in=[AssetState.WANTED, AssetState.FAILED],
    ).distinct()
    found = list(assets.values_list("pk", flat=True)[:MISSED_AT_ONCE])
    CoverJob.objects.bulk_create([CoverJob(asset_id=pk, max_attempts=3) for pk in found], ignore_conflicts=True)
    if found:
        nudge.nudge("cover")
    return len(found)


def bring(job: CoverJob) -> str:
    """Fetch one picture and keep a normalised copy. See JobKind.work."""
    asset = job.asset
    job.report()
    url, platform = _address(asset)
    with storage_troubles(job), workplace(f"cover-{job.pk}", job.fence) as folder:
        site = site_url(platform)
        fetched = fetching.fetch_to_file(
            [url],
            folder / "picture",
            deadline_seconds=SECONDS,
            max_bytes=MOST_BYTES,
            headers={"Referer": f"{site}/"} if site else {},
            resume=False,
            check_head=pictures.kind_of,
        )
        _picture, copy = pictures.normalise(fetched.path, side=SIDES[AssetRole(asset.role)])
        sha256, size = objects.store_bytes(copy.content, mime=copy.mime, folder=folder)
        with job.fenced():
            row = objects.record(sha256, size=size, mime=copy.mime, width=copy.width, height=copy.height)
            _ready(asset, row)
            job.complete("stored")
    return "stored"


def note_end(job: CoverJob) -> None:
    """A job that ended without a picture leaves its asset failed, to be seen and tried again later."""
    if job.state in FINAL and job.state != State.COMPLETED:
        Asset.objects.filter(pk=job.asset_id, state=AssetState.WANTED).update(
            state=AssetState.FAILED, error_code=job.error_code[:40]
        )


def _address(asset: Asset) -> tuple[str, str]:
    of = asset.video or asset.author
    assert of is not None
    url = of.cover_url if isinstance(of, Video) else of.avatar_url
    if not url:
        raise Gone(_("This picture no longer has an address."))
    return url, of.platform


def _ready(asset: Asset, row: StoredObject) -> None:
    Asset.objects.filter(pk=asset.pk).update(object=row, state=AssetState.READY, ready_at=timezone.now(), error_code="")
