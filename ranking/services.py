"""Ranking's verbs: score the videos just observed, those that were missed, or all."""

from collections.abc import Iterable
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from ranking import baselines, classic, surges
from ranking.models import Baseline

BATCH = 50_000


def rank(video_ids: Iterable[int]) -> int:
    """Score these videos by their newest observation; return how many observations were new.

    Counters are carried forward, the heads and the classic formula speak, surges open, go on and close.
    """
    ids = list(video_ids)
    classic.score(ids)
    applied = surges.observe(ids)
    if applied and not Baseline.objects.exists() and baselines.refresh():
        surges.follow(ids)  # a platform's first page: only now is it known what is usual there
    return applied


def rank_all() -> int:
    """Score every video, for new weights or after a loss; return how many observations were new."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(min(id), 0), coalesce(max(id), -1) FROM crawler_video")
        first, last = cursor.fetchone()
    for start in range(first, last + 1, BATCH):
        classic.score_range(start, min(start + BATCH - 1, last))
    pending = _observed_since()
    return surges.observe(pending) if pending else 0


def _observed_since() -> list[int]:
    """Videos whose classic score is of a newer observation than the counters were carried to."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT video_id FROM ranking_score score LEFT JOIN ranking_counterstate state USING (video_id)
               WHERE state.last_at IS NULL OR state.last_at < score.observed_at"""
        )
        return [video_id for (video_id,) in cursor.fetchall()]


def rank_missed(within: timedelta = timedelta(hours=1)) -> int:
    """Score what was observed lately and has no score of that observation: a crash came in between."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT s.video_id FROM crawler_metricsnapshot s
            LEFT JOIN ranking_score r USING (video_id)
            LEFT JOIN ranking_counterstate c USING (video_id)
            WHERE s.observed_at > %s
              AND (r.video_id IS NULL OR r.observed_at < s.observed_at
                   OR c.video_id IS NULL OR c.last_at < s.observed_at)
            """,
            [timezone.now() - within],
        )
        missed = [video_id for (video_id,) in cursor.fetchall()]
    return rank(missed) if missed else 0
