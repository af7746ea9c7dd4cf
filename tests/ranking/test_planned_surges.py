"""The sample platform's planned surges, looked at every ten minutes and judged by the coefficients that come with the product."""

import numpy as np
import pytest

from ranking import coefficients
from ranking.pulse import NEARLY
from ranking.scoring import features
from ranking.scoring.model import Model
from ranking.scoring.state import VideoState, advance
from sample_platform.world import HOUR, Video, World

FIRST_DAY = 1_790_000_000.0
LOOK = 600.0
HOURS = 6


def size_of(video: Video, at: float) -> int:
    return video.growth.counts(at)["play_count" if video.shows_views else "digg_count"]


def alerted_at(video: Video, model: Model, level: float) -> float | None:
    state: VideoState | None = None
    before = 0
    for look in range(int(HOURS * HOUR / LOOK)):
        at = FIRST_DAY + look * LOOK
        shown, size, age = video.growth.counts(at), size_of(video, at), (at - video.published_at) / HOUR
        counts = {"likes": shown["digg_count"], "comments": shown["comment_count"], "shares": shown["share_count"]}
        if video.shows_views:
            counts["views"] = shown["play_count"]
        state = advance(state, counts, at=at / HOUR, age=age, horizon=model.horizon, guard=model.guard)
        vector = features.vector(
            state,
            age=age,
            followers=video.author.followers,
            horizon=model.horizon,
            primary=model.primary,
            scale=model.level / level,
        )
        is_likely = model.probability("surge", vector) >= model.thresholds.alert
        if is_likely and before < NEARLY * level and state.moving > 1 and not state.is_clipped:
            return at
        before = size
    return None


@pytest.mark.parametrize("seed", [7, 11])
def test_planned_surges_are_alerted_before_their_peak_and_half_of_all_alerts_come_true(seed: int) -> None:
    world = World(seed=seed, first_day=FIRST_DAY)
    planned = early = alerts = right = 0
    for family in ("views", "reactions"):
        model = coefficients.shipped(family)
        assert model is not None
        shown = [v for v in world.videos.values() if v.published_at <= FIRST_DAY and v.shows_views == (family == "views")]
        level = float(np.quantile([size_of(video, FIRST_DAY) for video in shown], 0.95))
        for video in shown:
            if size_of(video, FIRST_DAY) >= NEARLY * level:
                continue
            wave, alert = video.growth.wave, alerted_at(video, model, level)
            if wave and FIRST_DAY + HOUR < wave.peaks_at < FIRST_DAY + (HOURS - 1) * HOUR:
                planned += 1
                early += alert is not None and alert < wave.peaks_at
            if alert is not None:
                alerts += 1
                right += size_of(video, FIRST_DAY + 2 * HOURS * HOUR) >= level
    assert planned >= 8
    assert early >= 0.95 * planned
    assert right >= 0.5 * alerts
