"""Upkeep, each pass with its record. Listed in config/schedule.py; what a pass does belongs to the stage it calls."""

from datetime import timedelta

from celery import current_task, shared_task
from constance.utils import get_values_for_keys
from django.utils import timezone

from analysis import duplicates
from analysis import services as analyses
from crawler import partitions, pauses, thinning
from crawler.services import dispatch_due_sources
from downloads import circuit, services, upkeep, wanting
from jobs.services import dispatch
from monitoring import canaries, cleanup, health, housekeeping, sweeping
from monitoring.passes import last_good, only_one, record
from ranking import baselines, learning, plan
from ranking.models import Family
from ranking.services import rank_missed


@shared_task(ignore_result=True)
def dispatch_jobs() -> None:
    """Rescue the jobs of dead workers, and nudge for whatever is due and was missed."""
    with record(health.DISPATCH, quiet=True) as counts:
        counts.update(dispatch())


@shared_task(ignore_result=True)
def dispatch_sources() -> None:
    """Start a look at every source that is due."""
    with record("sources", quiet=True) as counts:
        counts["started"] = dispatch_due_sources()


@shared_task(ignore_result=True)
def try_paused_services() -> None:
    """See whether what paused services complained of is mended."""
    with only_one("services") as is_ours:
        if is_ours:
            with record("services", quiet=True) as counts:
                counts["resumed"] = pauses.try_again()


@shared_task(ignore_result=True)
def rank_what_was_missed() -> None:
    """Score what a crash left without a score."""
    with record("ranking", quiet=True) as counts:
        counts["scored"] = rank_missed()


@shared_task(ignore_result=True)
def plan_observations() -> None:
    """Ask the crawler for the videos that are worth another look now."""
    with record("observations", quiet=True) as counts:
        counts.update({f"asked_{platform}": count for platform, count in plan.ask().items()})


@shared_task(ignore_result=True)
def refresh_baselines() -> None:
    """What is usual on each platform now."""
    with record("baselines", quiet=True) as counts:
        counts["baselines"] = baselines.refresh_if_due()


@shared_task(ignore_result=True)
def refit_ranking() -> None:
    """Coefficients fitted on our own matured history; a worse fit is refused, and says so."""
    with only_one("refit") as is_ours:
        if not is_ours:
            return
        with record("refit") as counts:
            for family in Family.values:
                row = learning.refit(family)
                counts[family] = "too little history" if row is None else f"v{row.pk} {row.state}"


@shared_task(ignore_result=True)
def thin_history() -> None:
    """Snapshots thinned with age, and months beyond retention dropped."""
    with only_one("thinning") as is_ours:
        if not is_ours:
            return
        with record("thinning") as counts:
            counts.update(thinning.thin(timezone.now(), since=last_good("thinning")))
            keep = timedelta(days=get_values_for_keys(["SNAPSHOT_RETENTION_DAYS"])["SNAPSHOT_RETENTION_DAYS"])
            counts["dropped"] = thinning.drop_expired(timezone.now(), keep)


@shared_task(ignore_result=True)
def find_missed_downloads() -> None:
    """What sources' rules want and videos have, and a crash left unasked."""
    with record("downloads", quiet=True) as counts:
        counts.update(services.find_missed_downloads())
        counts.update({f"assets_{name}": count for name, count in wanting.find_missed().items()})


@shared_task(ignore_result=True)
def find_missed_analyses() -> None:
    """New carousels that nobody had read."""
    with record("carousels", quiet=True) as counts:
        counts.update(analyses.find_missed())


@shared_task(ignore_result=True)
def find_missed_reuploads() -> None:
    """Videos whose pictures nobody compared."""
    with only_one("re-uploads") as is_ours:
        if is_ours:
            with record("re-uploads", quiet=True) as counts:
                counts.update(duplicates.find_missed())


@shared_task(ignore_result=True)
def clear_temporary_files() -> None:
    """What interrupted downloads left behind and no attempt came back for."""
    with record("temporary files") as counts:
        counts.update(upkeep.clear_temporary_files())


@shared_task(ignore_result=True)
def check_storage() -> None:
    """Downloads rest while there is no room or the storage refuses us, and go on when it is well."""
    with record("storage", quiet=True) as counts:
        counts.update(circuit.check())


@shared_task(ignore_result=True)
def make_partitions() -> None:
    """Room for the snapshots of the months to come."""
    with record("partitions") as counts:
        counts["made"] = len(partitions.ensure_partitions(timezone.now()))


@shared_task(ignore_result=True)
def clean_up() -> None:
    """Old low-viral videos go; bytes that nobody uses are released."""
    with only_one("cleanup") as is_ours:
        if is_ours:
            with record("cleanup") as counts:
                counts.update(cleanup.clean_up(timezone.now()).as_counts())


@shared_task(ignore_result=True)
def sweep_storage() -> None:
    """Bytes without a row, for two days, go."""
    with only_one("sweep") as is_ours:
        if is_ours:
            with record("sweep") as counts:
                counts.update(sweeping.sweep(timezone.now()).as_counts())


@shared_task(ignore_result=True)
def keep_house() -> None:
    """What only grows: ended sessions, expired tokens, old records."""
    with record("housekeeping") as counts:
        counts.update(housekeeping.keep_house(timezone.now()))


@shared_task(ignore_result=True)
def look() -> None:
    """The monitoring pass."""
    with only_one("monitoring") as is_ours:
        if is_ours:
            with record("monitoring") as counts:
                counts.update(health.look())


@shared_task(ignore_result=True)
def send_canaries() -> None:
    canaries.send()


@shared_task(ignore_result=True)
def answer_canary(queue: str, sent_at: float) -> None:
    """Run by a worker of that queue: it works."""
    canaries.answer(queue, sent_at=sent_at, worker=current_task.request.hostname or "")
