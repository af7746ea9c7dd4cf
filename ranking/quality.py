"""How good the alerts were: precision, recall and lead, counted from what came of them, the classic rule beside ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

MATURES_AFTER = timedelta(days=3)
"""An alert whose video has not reached the top level by then was wrong."""

_ALERTS = """
    WITH alert AS (
        SELECT 'default' AS scorer, video_id, surge.alerted_at AS at, came.reached_at
        FROM ranking_surge surge LEFT JOIN ranking_milestone came USING (video_id)
        WHERE surge.alerted_at >= %(since)s
        UNION ALL
        SELECT 'classic', video_id, classic_at, reached_at FROM ranking_milestone WHERE classic_at >= %(since)s
    )
    SELECT scorer, date_trunc('week', at, 'UTC') AS week, v.platform, count(*),
           count(*) FILTER (WHERE reached_at > at),
           count(*) FILTER (WHERE reached_at IS NULL AND at < %(matured)s),
           avg(extract(epoch FROM reached_at - at) / 3600) FILTER (WHERE reached_at > at)
    FROM alert JOIN crawler_video v ON v.id = alert.video_id
    WHERE reached_at IS NULL OR reached_at > at
    GROUP BY 1, 2, 3
"""
_EVENTS = """
    SELECT date_trunc('week', m.reached_at, 'UTC'), v.platform, count(*),
           count(*) FILTER (WHERE EXISTS (
               SELECT FROM ranking_surge s WHERE s.video_id = m.video_id AND s.alerted_at < m.reached_at)),
           count(*) FILTER (WHERE m.classic_at < m.reached_at)
    FROM ranking_milestone m JOIN crawler_video v ON v.id = m.video_id
    WHERE m.reached_at >= %(since)s
    GROUP BY 1, 2
"""
_CALIBRATION = """
    SELECT least(floor(probability * 10), 9)::int AS bin, avg(probability), count(*),
           count(*) FILTER (WHERE came.reached_at IS NOT NULL)
    FROM ranking_surge surge LEFT JOIN ranking_milestone came USING (video_id)
    WHERE watched_at >= %(since)s AND (came.reached_at IS NOT NULL OR watched_at < %(matured)s)
    GROUP BY 1 ORDER BY 1
"""


@dataclass(slots=True)
class Line:
    """One scorer in one week on one platform."""

    week: datetime | None
    """Its Monday; None: all weeks."""
    platform: str
    scorer: str
    alerts: int = 0
    right: int = 0
    wrong: int = 0
    events: int = 0
    """Videos that reached the top level after their first sighting."""
    foretold: int = 0
    lead_hours: float | None = None

    @property
    def open(self) -> int:
        """Alerts that may still come true."""
        return self.alerts - self.right - self.wrong

    @property
    def judged(self) -> int:
        return self.right + self.wrong

    @property
    def precision(self) -> float | None:
        return self.right / self.judged if self.judged else None

    @property
    def recall(self) -> float | None:
        return self.foretold / self.events if self.events else None


@dataclass(frozen=True, slots=True)
class Bin:
    """Surges foretold with about the same probability, and how many of them came true."""

    predicted: float
    surges: int
    came_true: int

    @property
    def observed(self) -> float:
        return self.came_true / self.surges


def lines(now: datetime, *, weeks: int = 12) -> list[Line]:
    """Newest week first; ours before the classic rule."""
    parameters = {"since": now - timedelta(weeks=weeks), "matured": now - MATURES_AFTER}
    found: dict[tuple[datetime, str, str], Line] = {}

    def line(week: datetime, platform: str, scorer: str) -> Line:
        return found.setdefault((week, platform, scorer), Line(week, platform, scorer))

    with connection.cursor() as cursor:
        cursor.execute(_ALERTS, parameters)
        for scorer, week, platform, alerts, right, wrong, lead in cursor.fetchall():
            told = line(week, platform, scorer)
            told.alerts, told.right, told.wrong = alerts, right, wrong
            told.lead_hours = None if lead is None else float(lead)
        cursor.execute(_EVENTS, parameters)
        for week, platform, events, ours, classic in cursor.fetchall():
            for scorer, foretold in (("default", ours), ("classic", classic)):
                told = line(week, platform, scorer)
                told.events, told.foretold = events, foretold
    order = sorted(found, key=lambda key: (-key[0].timestamp(), key[1], key[2] != "default"))
    return [found[key] for key in order]


def total(told: list[Line], scorer: str) -> Line:
    """All weeks and platforms of one scorer in one line; the lead is weighted by what came true."""
    mine = [line for line in told if line.scorer == scorer]
    whole = Line(None, "", scorer)
    for line in mine:
        whole.alerts += line.alerts
        whole.right += line.right
        whole.wrong += line.wrong
        whole.events += line.events
        whole.foretold += line.foretold
    leads = [(line.lead_hours, line.right) for line in mine if line.lead_hours is not None]
    weight = sum(right for _lead, right in leads)
    whole.lead_hours = sum(lead * right for lead, right in leads) / weight if weight else None
    return whole


def calibration(now: datetime, *, weeks: int = 12) -> list[Bin]:
    with connection.cursor() as cursor:
        cursor.execute(_CALIBRATION, {"since": now - timedelta(weeks=weeks), "matured": now - MATURES_AFTER})
        return [Bin(float(predicted), surges, right) for _bin, predicted, surges, right in cursor.fetchall()]
