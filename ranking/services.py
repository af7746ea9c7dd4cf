"""Ranking's verbs: score the videos just observed, those that were missed, or all."""

from collections import deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from math import ceil

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from ranking import baselines, classic, pulse, surges
from ranking.models import Baseline, CounterState, ModelState, RankingModel, Score
from ranking.scoring.model import is_readable

BATCH = 2_000
AT_ONCE = 2


def rank(video_ids: Iterable[int]) -> int:
    """Score these videos by what was observed since the last time; return how many observations were new.

    Counters are carried forward, the heads and the classic formula speak, surges open, go on and close. A few thousand at a time;
    outside of a transaction two such batches at once, but for the very first, which tells what is usual.
    """
    batches = deque(_batches(sorted(set(video_ids))))
    if connection.in_atomic_block or len(batches) < AT_ONCE:
        return _drain(batches)
    applied = _rank_batch(batches.popleft()) if not Baseline.objects.exists() else 0
    with ThreadPoolExecutor(AT_ONCE - 1, thread_name_prefix="rank") as pool:
        others = [pool.submit(_drain_apart, batches) for _ in range(AT_ONCE - 1)]
        return applied + _drain(batches) + sum(other.result() for other in others)


def _batches(ids: list[int]) -> list[list[int]]:
    """Of BATCH at most, and as many for each thread: a last one alone would be waited for by all others."""
    size = BATCH
    if len(ids) > BATCH:
        turns = ceil(len(ids) / (BATCH * AT_ONCE))
        size = ceil(len(ids) / (turns * AT_ONCE))
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def _drain(batches: deque[list[int]]) -> int:
    applied = 0
    while True:
        try:
            batch = batches.popleft()
        except IndexError:  # another thread may have taken the last one
            return applied
        applied += _rank_batch(batch)


def _drain_apart(batches: deque[list[int]]) -> int:
    try:
        return _drain(batches)
    finally:
        connection.close()


def _rank_batch(ids: list[int]) -> int:
    applied = surges.observe(ids)
    if applied and not Baseline.objects.exists() and baselines.refresh():
        surges.follow(
            ids, pulse.active_models(), classic.rules()
        )  # a platform's first page: only now is it known what is usual there
    return applied


def rank_all() -> int:
    """Bring every score up to date, for new weights or after a loss; return how many observations were new."""
    classic.reweigh()
    ids = _missed()
    # A counter state without a score is of no use: what it was made of is read from the start again.
    CounterState.objects.filter(~Exists(Score.objects.filter(video=OuterRef("video"))), video__in=ids).delete()
    return rank(ids)


def renew_models() -> int:
    """Replace active models that were fitted for other features than this version reads by the shipped ones; return how many.

    All is scored anew in the same transaction. For upgrades: with such a model nothing can be scored.
    """
    with transaction.atomic():
        rows = RankingModel.objects.select_for_update().filter(state=ModelState.ACTIVE)
        outdated = [row for row in rows if not is_readable(row.data)]
        for row in outdated:
            row.state, row.note = ModelState.RETIRED, "Fitted on numbers that are no longer read."
            row.save(update_fields=["state", "note"])
        for family in pulse.active_models() if outdated else ():
            pulse.rescore(family)
        if outdated:
            surges.judge_again()
    return len(outdated)


def rank_missed(within: timedelta = timedelta(hours=1)) -> int:
    """Score what was observed lately and not applied: a crash came in between."""
    return rank(_missed(timezone.now() - within))


def _missed(since: datetime | None = None) -> list[int]:
    """Videos with a snapshot (since then) that is newer than their score."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(
            f"""SELECT DISTINCT s.video_id FROM crawler_metricsnapshot s LEFT JOIN ranking_score r USING (video_id)
                WHERE (r.video_id IS NULL OR r.observed_at < s.observed_at)
                {"" if since is None else "AND s.observed_at > %s"}""",
            [] if since is None else [since],
        )
        return [video_id for (video_id,) in cursor.fetchall()]
