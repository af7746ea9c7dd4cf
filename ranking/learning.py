"""Nightly: the coefficients fitted anew on our own matured history, and kept only if they do no worse on held-out videos."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from types import MappingProxyType

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from ranking import pulse, surges
from ranking.models import Baseline, Family, ModelState, RankingModel
from ranking.scoring import fitting, judging, labels, replay
from ranking.scoring.model import Model, primary_of
from ranking.scoring.series import Item, Snapshot
from ranking.scoring.state import METRICS

logger = logging.getLogger(__name__)

HISTORY = timedelta(days=30)
MOST_ITEMS = 20_000
"""Videos looked at, the newest first: enough to fit 27 numbers, and bounded in memory."""
TRAIN_SHARE = 0.6
NO_WORSE = 0.98
"""A refit is kept when its held-out PR-AUC is at least this share of the active model's, for virality and breakout both."""

_ITEMS = """
    SELECT v.id, v.platform, v.published_at, s.observed_at, s.followers, s.views, s.likes, s.comments, s.shares
    FROM (
        SELECT video.id, video.platform, video.published_at FROM crawler_video video
        JOIN ranking_counterstate c ON c.video_id = video.id
        WHERE (coalesce(c.raw[1], 0) > 0) = %(has_views)s AND c.snapshots > 1 AND c.last_at > %(since)s
        ORDER BY video.id DESC LIMIT %(most)s
    ) v
    JOIN crawler_metricsnapshot s ON s.video_id = v.id AND s.observed_at > %(since)s
    ORDER BY v.id, s.observed_at
"""


def own_history(family: str, *, now: datetime | None = None) -> list[Item]:
    """Our own series of the last 30 days, as the back-test reads them from files."""
    return list(_read(family, (now or timezone.now()) - HISTORY))


def _read(family: str, since: datetime) -> Iterator[Item]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(_ITEMS, {"has_views": family == Family.VIEWS, "since": since, "most": MOST_ITEMS})
        item: Item | None = None
        while rows := cursor.fetchmany(5000):
            for video, platform, published, observed, followers, *counts in rows:
                if item is None or item.key != str(video):
                    if item is not None:
                        yield item
                    item = Item(str(video), _hours(published), platform)
                item.snapshots.append(Snapshot(observed.timestamp() / 3600, dict(zip(METRICS, counts, strict=True)), followers))
        if item is not None:
            yield item


def refit(family: str, *, now: datetime | None = None) -> RankingModel | None:
    """Fit on the earlier part of our history, judge on the later, and activate or refuse; None: too little history.

    Either way a row stays that tells the figures of both models.
    """
    items = own_history(family, now=now)
    current = pulse.active_models().get(family)
    if current is None or not items:
        return None
    times = np.sort([snapshot.at for item in items for snapshot in item.snapshots])
    split = float(times[int(len(times) * TRAIN_SHARE)])
    try:
        candidate = fitting.fit(items, horizon=current.model.horizon, family=family, until=split)
        old = judge(current.model, items, split, typical=candidate.typical, scales=_scales(current))
        new = judge(candidate, items, split, typical=candidate.typical)
    except fitting.TooLittle as error:
        logger.info("No refit: too little history", extra={"family": family, "reason": str(error)})
        return None
    worse = [head for head in old if new[head]["pr_auc"] < NO_WORSE * old[head]["pr_auc"]]
    row = RankingModel.objects.create(
        family=family,
        state=ModelState.REFUSED if worse else ModelState.RETIRED,
        origin="refit",
        data=candidate.to_json(),
        alert_threshold=round(candidate.thresholds.alert, 4),
        watch_threshold=round(candidate.thresholds.watch, 4),
        evidence={"candidate": new, "current": old, "current_version": current.row.pk, "items": len(items)},
        note=f"Refused: worse than v{current.row.pk} at {', '.join(worse)}." if worse else "",
    )
    if worse:
        logger.warning("A refit was refused", extra={"family": family, "worse": worse, "version": row.pk})
    else:
        activate(row)
    return row


def _scales(active: pulse.Active) -> dict[str, float]:
    """By platform what the shipped coefficients are brought to size with; a model of our own needs none."""
    if active.row.origin != "shipped":
        return {}
    levels = Baseline.objects.filter(family=active.row.family, age_bucket=-1, level__gt=0).values_list("platform", "level")
    return {platform: active.model.level / level for platform, level in levels}


def judge(
    model: Model, items: list[Item], split: float, *, typical: float, scales: Mapping[str, float] = MappingProxyType({})
) -> dict[str, dict[str, float]]:
    """PR-AUC and precision at 5 % of both ranking heads on items first seen after `split`. Raises TooLittle.

    `typical` is the size that relative gains are told by: what is a breakout must not depend on the model that is asked.
    `scales` by platform, as the model is used there.
    """
    later = [item for item in items if item.snapshots[0].at >= split]
    rows = replay.replay(
        later,
        horizon=model.horizon,
        guard=model.guard,
        primary=primary_of(model.family),
        scale=lambda item: scales.get(item.category, 1.0),
    )
    gain = labels.gains(rows)
    among = ~np.isnan(gain)
    if int(among.sum()) < fitting.LEAST_ROWS:
        raise fitting.TooLittle(f"{int(among.sum())} held-out observations have matured: too few to judge by.")
    block = labels.blocks(rows.at, model.horizon)
    truth = {
        "virality": labels.top_by_gain(gain, block, among),
        "breakout": labels.top_by_relative_gain(gain, rows.size, typical, block, among),
    }
    figures = {}
    for head, label in truth.items():
        result = judging.ranked(fitting.logits(model.heads[head], rows.vectors), label, block, among, run=3)
        if np.isnan(result.pr_auc):
            raise fitting.TooLittle("No held-out day had enough videos, some of them gaining, to judge by.")
        figures[head] = {name: value for name, value in asdict(result).items() if name != "by_block"}
    return figures


def activate(row: RankingModel) -> int:
    """Make this the active model of its family and score everything with it, in one transaction; return how many.

    Also the way back to an earlier version. Raises OtherFeatures for one of before an upgrade that changed what is read.
    """
    Model.from_json(row.data)
    with transaction.atomic():
        family_rows = RankingModel.objects.select_for_update().filter(family=row.family)
        family_rows.filter(state=ModelState.ACTIVE).update(state=ModelState.RETIRED)
        RankingModel.objects.filter(pk=row.pk).update(state=ModelState.ACTIVE, activated_at=timezone.now())
        row.refresh_from_db()
        scored = pulse.rescore(row.family)
        surges.judge_again()
        return scored


def _hours(time: datetime | None) -> float | None:
    return time.timestamp() / 3600 if time else None
