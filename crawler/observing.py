"""Looking at single videos again, between the looks at their sources."""

from collections.abc import Mapping

from django.utils import timezone

from crawler.cleaning import Unusable, clean_external
from crawler.looking import look_at
from crawler.models import ObserveJob, Video
from crawler.providers.errors import Gone
from crawler.recording import record
from jobs import nudge
from jobs.errors import PermanentError

PRIORITY = 70
"""After the looks at sources: those find what is new."""
MOST_ATTEMPTS = 2
"""What could not be read twice is planned anew, if it is still worth it."""


def request_observations(wanted: Mapping[int, str]) -> int:
    """Ask for a look at each of these videos (id -> why); return how many were not asked for already."""
    before = ObserveJob.objects.live().filter(video__in=wanted).count()
    ObserveJob.objects.bulk_create(
        (
            ObserveJob(video_id=video, reason=reason[:30], priority=PRIORITY, max_attempts=MOST_ATTEMPTS)
            for video, reason in wanted.items()
        ),
        ignore_conflicts=True,
    )
    if wanted:
        nudge.nudge("observe")
    return len(wanted) - before


def observe(job: ObserveJob) -> str:
    """Read a video's page and record its counters; a video that is gone is marked so, and that is an answer too."""
    video = job.video
    try:
        found, _credits = look_at(video.platform, video.url)
        kept = clean_external(found, timezone.now())
    except Gone as error:
        with job.fenced():
            Video.objects.filter(pk=video.pk, gone_at=None).update(gone_at=timezone.now(), gone_reason=error.message[:200])
            job.complete("gone")
        return "gone"
    except Unusable as error:
        raise PermanentError(str(error), code="malformed") from error
    if kept.external_id != video.external_id:
        raise PermanentError("The link now shows another video.", code="other_video")
    with job.fenced():
        record([kept], source=None, at=timezone.now())
        job.complete("ok")
    return "ok"
