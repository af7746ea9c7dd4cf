"""Every periodic task. `seed()` writes them once for django-celery-beat; from then on staff change them in the admin."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask


@dataclass(frozen=True, slots=True)
class Periodic:
    name: str
    task: str
    when: timedelta | str
    """An interval, or a crontab line in UTC."""


SCHEDULE = [
    Periodic(
        "Jobs: rescue the lost, wake the workers",
        "monitoring.tasks.dispatch_jobs",
        timedelta(seconds=max(settings.POLL_INTERVAL, 1)),
    ),
    Periodic("Queues: a canary through each", "monitoring.tasks.send_canaries", timedelta(seconds=30)),
    Periodic("Sources: look at those that are due", "monitoring.tasks.dispatch_sources", timedelta(seconds=30)),
    Periodic("Services: try those that are paused", "monitoring.tasks.try_paused_services", timedelta(seconds=60)),
    Periodic("Health: look at every part", "monitoring.tasks.look", timedelta(seconds=60)),
    Periodic("Ranking: score what was missed", "monitoring.tasks.rank_what_was_missed", timedelta(minutes=5)),
    Periodic("Ranking: where to look next", "monitoring.tasks.plan_observations", timedelta(minutes=5)),
    Periodic("Ranking: what is usual on each platform", "monitoring.tasks.refresh_baselines", timedelta(minutes=1)),
    Periodic("Ranking: refit on our own history", "monitoring.tasks.refit_ranking", "50 2 * * *"),
    Periodic("Snapshots: thinned with age", "monitoring.tasks.thin_history", "20 2 * * *"),
    Periodic("Downloads: ask for what was missed", "monitoring.tasks.find_missed_downloads", timedelta(minutes=2)),
    Periodic("Analysis: read what was missed", "monitoring.tasks.find_missed_analyses", timedelta(minutes=1)),
    Periodic("Re-uploads: compare what was missed", "monitoring.tasks.find_missed_reuploads", timedelta(minutes=2)),
    Periodic("Downloads: room and rights in the storage", "monitoring.tasks.check_storage", timedelta(seconds=60)),
    Periodic("Downloads: temporary files", "monitoring.tasks.clear_temporary_files", timedelta(hours=1)),
    Periodic("Snapshots: room for the months to come", "monitoring.tasks.make_partitions", timedelta(days=1)),
    Periodic("Clean-up: old videos", "monitoring.tasks.clean_up", "30 3 * * *"),
    Periodic("Storage: bytes that nobody claims", "monitoring.tasks.sweep_storage", "50 3 * * *"),
    Periodic("Housekeeping: old sessions, tokens, records", "monitoring.tasks.keep_house", "10 4 * * *"),
]


def seed() -> int:
    """Write the tasks that are missing; return how many. What staff changed, switched off or moved stays so."""
    return sum(_seed(periodic) for periodic in SCHEDULE)


def _seed(periodic: Periodic) -> bool:
    if PeriodicTask.objects.filter(name=periodic.name).exists():
        return False
    if isinstance(periodic.when, timedelta):
        seconds = int(periodic.when.total_seconds())
        interval, _ = IntervalSchedule.objects.get_or_create(every=seconds, period=IntervalSchedule.SECONDS)
        # Nobody needs yesterday's wake-ups. Not dropped much sooner, though: the clock that judges is the worker's.
        timing = {"interval": interval, "expire_seconds": max(seconds, 900)}
    else:
        minute, hour, day, month, weekday = periodic.when.split()
        crontab, _ = CrontabSchedule.objects.get_or_create(
            minute=minute, hour=hour, day_of_month=day, month_of_year=month, day_of_week=weekday, timezone="UTC"
        )
        timing = {"crontab": crontab, "expire_seconds": 3600}
    _task, is_new = PeriodicTask.objects.get_or_create(name=periodic.name, defaults={"task": periodic.task, **timing})
    return bool(is_new)
