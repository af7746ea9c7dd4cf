"""The work of a download job: the ways to its bytes, tried in turn until one brings everything."""

import errno
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _

from crawler.providers.errors import Gone, Unsupported
from downloads import circuit, failover, fetching
from downloads.bringing import Bringing
from downloads.errors import Expired, StorageError
from downloads.extractors import get_extractor
from downloads.models import DownloadJob, Extractor
from downloads.processing import sandbox
from downloads.workplace import workplace
from jobs.errors import HandedBack, JobError, PermanentError, Snooze, TransientError
from jobs.models import Job

logger = logging.getLogger(__name__)

STORAGE_PATIENCE = 12
"""How often in a row a job waits for a troubled storage before that counts as its own failure: about an hour."""


def download(job: DownloadJob) -> str:
    """Bring a video in a quality; returns "stored", or "kept" if all was there. See JobKind.work."""
    video = job.video
    if video.gone_at is not None:
        raise Gone(video.gone_reason or _("The platform says that this video is gone."))
    with storage_troubles(job), workplace(f"job-{job.pk}", job.fence) as folder:
        bring = Bringing(job, video, folder)
        if bring.is_complete():
            return "kept"
        if not bring.from_our_own():
            _try_in_turn(bring)
    return "stored"


def _try_in_turn(bring: Bringing) -> None:
    """Ask extractor after extractor. Raises the error that says most of why none brought everything."""
    failures: list[Failure] = []
    resting: dict[Extractor, timedelta] = {}
    for extractor in failover.extractors_for(bring.video.platform):
        if rest := failover.rest_left(extractor):
            resting[extractor] = rest
            continue
        failure = _try(bring, extractor)
        if failure is None:
            failover.note_success(extractor)
            return
        logger.info(
            "An extractor brought nothing", extra={"job": bring.job.pk, "extractor": extractor.name, "code": failure.error.code}
        )
        failures.append(failure)
    raise _worst(failures, resting)


@dataclass(frozen=True, slots=True)
class Failure:
    error: JobError
    knew_where: bool
    """The extractor knew an address, and it was asked."""


def _try(bring: Bringing, extractor: Extractor) -> "Failure | None":
    """Let one extractor bring the files; None when it did."""
    bring.job.report(note=_("asking: %(name)s") % {"name": extractor.name})
    try:
        found = get_extractor(extractor.name).find(bring.wanted, failover.access_of(extractor.name, bring.video.platform))
    except Gone as error:
        bring.note_gone(error)
        raise
    except Unsupported as error:
        return Failure(error, knew_where=False)
    except (PermanentError, TransientError, Snooze) as error:
        failover.note_failure(extractor, error)
        return Failure(error, knew_where=False)
    try:
        bring.everything(found, extractor.name)
    except (StorageError, sandbox.Unavailable, HandedBack):
        raise
    except (PermanentError, TransientError, Snooze) as error:
        if not isinstance(error, (Expired, Gone)) and error.code != "no_address":
            failover.note_failure(extractor, error)
        return Failure(error, knew_where=error.code != "no_address")
    return None


def _worst(failures: Sequence[Failure], resting: Mapping[Extractor, timedelta]) -> JobError:
    """What the job says in the end. Who asked for the bytes knows more than who did not even find them."""
    tried = [failure.error for failure in failures if failure.knew_where]
    untried = [failure.error for failure in failures if not failure.knew_where and not isinstance(failure.error, Unsupported)]
    if pauses := [error for error in (*tried, *untried) if isinstance(error, Snooze)]:
        return pauses[0]
    if resting and all(isinstance(error, (Expired, Gone)) for error in tried):
        return failover.all_resting(list(resting), min(resting.values()))  # who rests now may know a fresh address later
    if tried or untried:
        return fetching.worst(tried or untried)
    return PermanentError(_("Nobody knows how to fetch this video."), code="no_extractor")


@contextmanager
def storage_troubles(job: Job) -> Iterator[None]:
    """A storage that is full, refuses us or stumbles is not the job's fault: it waits, and the others with it."""
    try:
        yield
    except StorageError as error:
        raise _patiently(job, error) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        full = StorageError(_("The disk for temporary files is full."), code="storage_full")
        raise _patiently(job, full) from error


def _patiently(job: Job, error: StorageError) -> JobError:
    if error.code in ("storage_refused", "storage_full"):
        circuit.pause(error)
        return Snooze(error.message, retry_after=timedelta(minutes=1), code=error.code, outcome="storage")
    waited = 0
    for entry in reversed(job.history):
        if entry.get("code") != error.code:
            break
        waited += 1
    if waited >= STORAGE_PATIENCE:
        return error
    pause = timedelta(seconds=min(15 * 2**waited, 600))
    return Snooze(error.message, retry_after=pause, code=error.code, outcome="storage")
