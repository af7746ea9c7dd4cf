"""When a source is looked at next. Pure: time and chance are passed in."""

from datetime import datetime, timedelta

from croniter import croniter
from croniter.croniter import CroniterError

LONGEST_PAUSE = timedelta(days=1)
SHORTEST_PAUSE = timedelta(minutes=15)
HASTE = timedelta(minutes=5)
"""Who looks more often than this is told what it means."""
TICKS_LOOKED_AT = 60


class BadCron(ValueError):
    """The line is not five cron fields, or describes a time that never comes."""


def next_tick(cron: str, interval_minutes: int, now: datetime) -> datetime:
    """The first due time after `now`: ticks that were missed are not made up for. Raises BadCron."""
    if not cron:
        return now + timedelta(minutes=max(interval_minutes, 1))
    fields = cron.split()
    # R and H are croniter's own: a time drawn at random is not one that can be shown.
    if len(fields) != 5 or any(field[0] in "rRhH" for field in fields):
        raise BadCron("A cron line has five fields: minute, hour, day, month, weekday.")
    try:
        moment: datetime = croniter(cron, now, max_years_between_matches=5).get_next(datetime)
    except (CroniterError, ValueError, KeyError, IndexError, OverflowError) as error:
        raise BadCron(f"This cron line cannot be read, or its time never comes: {cron[:100]}") from error
    return moment


def shortest_gap(cron: str, interval_minutes: int, now: datetime) -> timedelta:
    """The shortest time between two of the next ticks. Raises BadCron."""
    if not cron:
        return timedelta(minutes=max(interval_minutes, 1))
    at, shortest = next_tick(cron, interval_minutes, now), timedelta.max
    for _tick in range(TICKS_LOOKED_AT):
        following = next_tick(cron, interval_minutes, at)
        shortest, at = min(shortest, following - at), following
        if shortest <= timedelta(minutes=1):
            break
    return shortest


def pause_after(failures: int, interval_minutes: int, jitter: float) -> timedelta:
    """How long to stay away after so many refusals in a row: doubling, a day at most.

    `jitter` in [0, 1) adds up to a quarter, so that sources refused together do not come back together.
    """
    base = max(timedelta(minutes=interval_minutes), SHORTEST_PAUSE)
    doublings = min(max(failures, 1), 12)
    pause = min(base * (1 << doublings), LONGEST_PAUSE)
    return timedelta(seconds=pause.total_seconds() * (1 + jitter / 4))
