"""Which engine reads: Gemini where its key is set, else the models on this machine; and what is not to be asked for now."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Greatest
from django.utils import timezone

from analysis.analyzers import gemini, local
from analysis.analyzers.base import Analyzer
from analysis.models import AnalysisJob
from crawler import outbound
from crawler.models import ProviderPause
from crawler.providers.errors import RateLimited, ServiceRefused
from jobs.errors import Snooze

LOOK_AGAIN = timedelta(minutes=10)
"""While the service waits for a person: a job asks the table, not the service."""


def chosen() -> str:
    return gemini.ENGINE if settings.GEMINI_API_KEY else local.ENGINE


def engine_of(job: AnalysisJob) -> str:
    """What was asked for; Gemini only with a key."""
    return local.ENGINE if job.engine == local.ENGINE else chosen()


def analyzer(engine: str) -> Analyzer:
    """Raises Snooze while the service is paused."""
    if engine == local.ENGINE:
        return local.Local()
    _refuse_while_paused()
    door = outbound.door_to(settings.GEMINI_URL, proxy=settings.GEMINI_PROXY)
    return gemini.Gemini(door=door, base_url=settings.GEMINI_URL, key=settings.GEMINI_API_KEY, model=settings.GEMINI_MODEL)


def _refuse_while_paused() -> None:
    now = timezone.now()
    pause = ProviderPause.objects.filter(provider=gemini.ENGINE).filter(Q(until=None) | Q(until__gt=now)).first()
    if pause is not None:
        after = pause.until - now if pause.until else LOOK_AGAIN
        raise Snooze(pause.reason, retry_after=after, code=pause.code, outcome="paused")


def note_refusal(error: ServiceRefused | RateLimited) -> None:
    """What concerns every carousel alike is learned once: the service is paused, and the jobs that wait for it wait on."""
    now = timezone.now()
    if isinstance(error, ServiceRefused):
        pause(error.code, error.message, until=None)
        return
    until = now + error.retry_after
    if isinstance(error, gemini.QuotaSpent):
        pause(error.code, error.message, until=until)
    rest(until)


def pause(code: str, reason: str, *, until: datetime | None) -> None:
    """One row and one reason, however many jobs find it out."""
    facts = {"code": code, "reason": reason, "until": until}
    ProviderPause.objects.update_or_create(
        provider=gemini.ENGINE, defaults=facts, create_defaults=facts | {"since": timezone.now()}
    )


def rest(until: datetime) -> None:
    """No waiting carousel is given to the service before then."""
    waiting = AnalysisJob.objects.waiting().exclude(engine=local.ENGINE)
    waiting.update(scheduled_at=Greatest("scheduled_at", until))


def resume() -> int:
    """The service may be asked again: what waits for it goes on now; return how many jobs."""
    waiting = AnalysisJob.objects.waiting().exclude(engine=local.ENGINE).filter(scheduled_at__gt=timezone.now())
    return int(waiting.update(scheduled_at=timezone.now()))
