"""How the reading of a carousel stands, in the words that pages and programs show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from analysis.models import Analysis, AnalysisJob
from jobs.models import State

STATUSES = {
    "none": _("not read"),
    "queued": _("queued"),
    "running": _("being read"),
    "done": _("read"),
    "refused": _("refused by the model"),
    "cut_off": _("cut off"),
    "failed": _("failed"),
}
OWN_OUTCOMES = ("refused", "cut_off")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisStatus:
    status: str
    """One of STATUSES, of the latest request; an older reading may be there all the same."""
    reason: str = ""
    """For a person: why it failed, or what it waits for."""
    code: str = ""
    progress: int = 0
    job_id: int | None = None
    next_attempt_at: datetime | None = None
    has_reading: bool = False


def statuses(video_ids: Sequence[int]) -> dict[int, AnalysisStatus]:
    """By video, by two statements; one that was never asked for is `none`."""
    read = set(Analysis.objects.filter(video__in=video_ids).values_list("video_id", flat=True))
    latest = AnalysisJob.objects.filter(video__in=video_ids).order_by("video_id", "-pk").distinct("video_id")
    jobs = {job.video_id: job for job in latest}
    return {pk: status_from(jobs.get(pk), pk in read) for pk in video_ids}


def status_of(video_id: int) -> AnalysisStatus:
    return statuses([video_id])[video_id]


def status_from(job: AnalysisJob | None, has_reading: bool) -> AnalysisStatus:
    """Of the latest job of a video."""
    if job is None:
        return AnalysisStatus(status="done" if has_reading else "none", has_reading=has_reading)
    match job.state:
        case State.RUNNING:
            status = "running"
        case State.PENDING | State.RETRYING:
            status = "queued"
        case State.COMPLETED:
            status = "done"
        case State.CANCELLED:
            status = "done" if has_reading else "none"
        case _:
            status = job.outcome if job.outcome in OWN_OUTCOMES else "failed"
    is_told = status not in ("done", "none", "running")
    return AnalysisStatus(
        status=status,
        reason=job.error if is_told else "",
        code=job.error_code if is_told else "",
        progress=job.progress if status == "running" else 0,
        job_id=job.pk,
        next_attempt_at=job.scheduled_at if status == "queued" else None,
        has_reading=has_reading,
    )
