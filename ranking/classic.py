"""The classic formula stored: as staff weigh it, and weighed anew when they change their mind.

A score keeps the counters it was made of (ranking/pulse.py writes them), so new weights need no look at the history.
"""

from dataclasses import dataclass

from constance.utils import get_values_for_keys
from django.db import connection, transaction

from ranking.scoring import sql
from ranking.scoring.classic import METRICS, Weights

SETTINGS = ["CLASSIC_WEIGHT_VIEWS", "CLASSIC_WEIGHT_LIKES", "CLASSIC_WEIGHT_SHARES"]
RULE_SETTING = "SURGE_MOMENTUM"
MOST_WEIGHT, DIGITS = 1e6, 6
"""Weights are cut to these: what overflows or vanishes when it is multiplied would stop all ranking."""


@dataclass(frozen=True, slots=True)
class Rules:
    weights: Weights
    surge_momentum: float
    """The momentum from which the classic rule calls a video a surge; 0.5 is +50 %."""


def rules() -> Rules:
    """As staff set them, in one query. Negative weights count as 0; all 0 means the defaults: a score must order something."""
    values = get_values_for_keys([*SETTINGS, RULE_SETTING])
    views, likes, shares = (round(min(max(values[name], 0.0), MOST_WEIGHT), DIGITS) for name in SETTINGS)
    chosen = Weights(views=views, likes=likes, shares=shares) if views + likes + shares > 0 else Weights()
    return Rules(chosen, values[RULE_SETTING])


def weights() -> Weights:
    """As rules() has them."""
    return rules().weights


def reweigh() -> int:
    """Bring every classic score to the present weights; return how many changed.

    One transaction: nobody ever sees old scores among new ones.
    """
    chosen = weights()
    now = {metric: metric for metric in METRICS}
    before = {metric: f"{metric}_before" for metric in METRICS}
    score, momentum = sql.classic_score(chosen, now), sql.classic_momentum(chosen, now, before)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(
            f"""UPDATE ranking_score SET classic = {score}, momentum = {momentum}
                WHERE (classic, momentum) IS DISTINCT FROM ({score}, {momentum})"""
        )
        changed: int = cursor.rowcount
    return changed
