"""Ranking's verbs: score the videos just observed, those that were missed, or all."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from ranking import baselines, classic, surges
from ranking.models import Baseline, CounterState, Score

BATCH = 5_000


def rank(video_ids: Iterable[int]) -> int:
    """Score these videos by what was observed since the last time; return how many observations were new.

    Counters are carried forward, the heads and the classic formula speak, surges open, go on and close.
    """
    ids = list(video_ids)
    applied = surges.observe(ids)
    if applied and not Baseline.objects.exists() and baselines.refresh():
        surges.follow(ids)  # a platform's first page: only now is it known what is usual there
    return applied


def rank_all() -> int:
    """Score every video, for new weights or after a loss; return how many observations were new."""
    CounterState.objects.filter(~Exists(Score.objects.filter(video=OuterRef("video")))).delete()  # read from the start again
    classic.reweigh()
    return _rank_in_batches(_missed())


def rank_missed(within: timedelta = timedelta(hours=1)) -> int:
    """Score what was observed lately and not applied: a crash came in between."""
    return _rank_in_batches(_missed(timezone.now() - within))


def _rank_in_batches(ids: list[int]) -> int:
    return sum(rank(ids[start : start + BATCH]) for start in range(0, len(ids), BATCH))


def _missed(since: datetime | None = None) -> list[int]:
    """Videos with a snapshot (since then) that their counters were not carried to, in the order of their ids."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(
            f"""SELECT DISTINCT s.video_id FROM crawler_metricsnapshot s LEFT JOIN ranking_counterstate c USING (video_id)
                WHERE (c.video_id IS NULL OR c.last_at < s.observed_at) {"" if since is None else "AND s.observed_at > %s"}
                ORDER BY s.video_id""",
            [] if since is None else [since],
        )
        return [video_id for (video_id,) in cursor.fetchall()]
