"""Which engine reads: Gemini where its key is set, else the models on this machine; and what is not to be asked for now."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models.functions import Greatest
from django.utils import timezone

from analysis.analyzers import gemini, local
from analysis.analyzers.base import Analyzer
from analysis.models import AnalysisJob
from crawler import outbound
from crawler.models import ProviderPause
from crawler.providers.errors import RateLimited, ServiceRefused
from jobs.errors import Snooze

LOOK_AGAIN = timedelta(hours=1)
"""How long the service is asked nothing after it refused all our work. A person who asks for a carousel has it tried before."""


PAUSED = ServiceRefused.outcome

logger = logging.getLogger(__name__)


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
    row = ProviderPause.objects.filter(provider=gemini.ENGINE).first()
    if row is not None and row.until is not None and row.until > now:
        raise Snooze(row.reason, retry_after=row.until - now, code=row.code, outcome=PAUSED)


def note_refusal(error: ServiceRefused | RateLimited) -> Snooze:
    """What concerns every carousel alike is learned once: the jobs that wait for the service wait on. Return what for.

    Nothing is wrong with this carousel, so its job waits like all the others.
    """
    if isinstance(error, ServiceRefused):
        waits = Snooze(error.message, retry_after=LOOK_AGAIN, code=error.code, outcome=PAUSED)
    else:
        waits = error
    if not isinstance(error, RateLimited) or isinstance(error, gemini.QuotaSpent):
        _pause(waits)
    rest(timezone.now() + waits.retry_after)
    return waits


def _pause(waits: Snooze) -> None:
    """One row, one reason and one warning, however many jobs find it out."""
    now = timezone.now()
    facts = {"code": waits.code, "reason": waits.message[:2000], "until": now + waits.retry_after}
    _row, is_new = ProviderPause.objects.update_or_create(
        provider=gemini.ENGINE, defaults=facts, create_defaults=facts | {"since": now}
    )
    if is_new:
        logger.warning("A provider is paused", extra={"provider": gemini.ENGINE, "code": waits.code, "reason": waits.message})


def try_again() -> None:
    """A person asks: what only a person can mend may be mended by now. A spent quota is not."""
    for row in ProviderPause.objects.filter(provider=gemini.ENGINE).exclude(code=gemini.QuotaSpent.code):
        row.delete()  # tells receivers, who let go on what waits


def rest(until: datetime) -> None:
    """No waiting carousel is given to the service before then."""
    waiting = AnalysisJob.objects.waiting().exclude(engine=local.ENGINE)
    waiting.update(scheduled_at=Greatest("scheduled_at", until))


def resume() -> int:
    """The service may be asked again: what waits for it goes on now; return how many jobs."""
    waiting = AnalysisJob.objects.waiting().exclude(engine=local.ENGINE).filter(scheduled_at__gt=timezone.now())
    return int(waiting.update(scheduled_at=timezone.now()))
