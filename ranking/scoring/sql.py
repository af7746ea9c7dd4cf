"""The update of state.py and the heads of model.py as SQL, for a page of videos or for all of them in one statement.

Written from the same constants; tests/ranking/test_twins.py holds the two to 1e-6. Columns carry a metric's place in METRICS:
v1 is the new value of views, x1 the last one believed, t1 its time, e1 f1 s1 n1 its total, fast and slow rate, and number.
"""

from ranking.scoring import features
from ranking.scoring.state import LEAST_AGE_HOURS, METRICS, SMALL

PLACES = range(1, len(METRICS) + 1)
REACTIONS = [place for place, metric in enumerate(METRICS, start=1) if metric != "views"]
VIEWS = METRICS.index("views") + 1
LEAST_EXPONENT = -700  # below it exp() is an error in PostgreSQL, where it is 0 elsewhere


def _each(template: str, joiner: str = ",\n            ") -> str:
    """The template once per metric, `#` being its place."""
    return joiner.join(template.replace("#", str(place)) for place in PLACES)


def _believed(place: int) -> str:
    rule = f"v{place} IS NOT NULL AND v{place} >= 0 AND NOT (v{place} = 0 AND coalesce(x{place}, 0) > 0)"
    if place == VIEWS:
        reactions = " OR ".join(f"coalesce(v{other}, 0) > 0" for other in REACTIONS)
        rule += f" AND NOT (v{place} = 0 AND ({reactions}))"
    return f"coalesce({rule}, false) AS ok{place}"


def _sibling_median(place: int) -> str:
    """Of three values that may be NULL; greatest() and least() pass over NULLs."""
    a, b, c = (f"g{other}" for other in PLACES if other != place)
    most, fewest = f"greatest({a}, {b}, {c})", f"least({a}, {b}, {c})"
    return f"coalesce({a} + {b} + {c} - {most} - {fewest}, ({most} + {fewest}) / 2)"


def _decayed(rate: str, place: int, hours: str) -> str:
    weight = f"(1 - exp(greatest(-dt{place} / ({hours}), {LEAST_EXPONENT})))"
    return f"{rate}{place} + {weight} * (inc{place} / dt{place} - {rate}{place})"


def _next(name: str, place: int, *, first: str, later: str) -> str:
    kept = f"{name}{place}"
    return f"CASE WHEN NOT ok{place} THEN {kept} WHEN x{place} IS NULL THEN {first} ELSE {later} END AS {name}{place}_"


def advanced(source: str) -> str:
    """CTEs from `source` to `advanced`, which holds the next state of each of its rows.

    `source` has: video_id, at, hour (of at), age, horizon, limits (float8[], the guard's, NULL: none),
    v# (new counters), and of the state x# t# (hours) e# f# s# n#.
    """
    first_rate = f"v#::float8 / greatest(coalesce(age, horizon), {LEAST_AGE_HOURS})"
    steps = []
    for place in PLACES:
        rate = first_rate.replace("#", str(place))
        steps += [
            _next("x", place, first=f"v{place}", later=f"v{place}"),
            _next("t", place, first="hour", later="hour"),
            _next("e", place, first=f"v{place}::float8", later=f"e{place} + inc{place}"),
            _next("f", place, first=rate, later=_decayed("f", place, "horizon / 4")),
            _next("s", place, first=rate, later=_decayed("s", place, "horizon")),
            _next("n", place, first="1", later=f"n{place} + 1"),
        ]
    return f"""
    believed AS (
        SELECT *, {", ".join(_believed(place) for place in PLACES)} FROM {source}
    ), risen AS (
        SELECT *,
            {_each("CASE WHEN ok# THEN greatest(v# - x#, 0)::float8 END AS rise#")}
        FROM believed
    ), grown AS (
        SELECT *,
            {_each(f"CASE WHEN rise# IS NOT NULL AND x# IS NOT NULL THEN ln((x# + rise# + {SMALL}) / (x# + {SMALL})) END AS g#")}
        FROM risen
    ), guarded AS (
        SELECT *,
            {",".join(f"(x{p} + {SMALL}) * (exp(least({_sibling_median(p)} + limits[{p}], 50)) - 1) AS most{p}" for p in PLACES)}
        FROM grown
    ), measured AS (
        SELECT *,
            {_each("CASE WHEN x# IS NULL THEN NULL ELSE least(rise#, most#) END AS inc#")},
            {_each("hour - t# AS dt#")},
            {_each("CASE WHEN x# IS NOT NULL AND rise# > 0 THEN 1 ELSE 0 END", " + ")} AS moving_,
            {_each("coalesce(x# IS NOT NULL AND rise# > most#, false)", " OR ")} AS clipped_
        FROM guarded
    ), advanced AS (
        SELECT *,
            {", ".join(steps)}
        FROM measured
    )"""


def featured(source: str = "advanced") -> str:
    """CTEs up to `featured`: each row of `source` with its features as q1 … in the order of features.NAMES.

    `source` has age, followers, horizon, scale, primary_place, first_hour, hour, snapshots_ and e#_ f#_ s#_.
    """
    own = [
        "ln(1 + greatest(coalesce(age, 0), 0))",
        "ln(1 + greatest(coalesce(age, 0), 0)) ^ 2",
        "CASE WHEN snapshots_ = 1 THEN 1.0::float8 ELSE 0.0::float8 END",
        "ln(1 + greatest(coalesce(followers, 0), 0)::float8)",
        "ln(1 + hour - first_hour)",
        "ln(1 + snapshots_)",
    ]
    for place in PLACES:
        for column, factor in (("e", "scale"), ("f", "scale * horizon"), ("s", "scale * horizon")):
            own.append(f"coalesce(ln(1 + {column}{place}_ * {factor}), 0)")
    crossed = ["q1 * pf", "q1 * pt", "pf * pf", "pf * pt", "pt * pt", "q3 * pf", "q3 * pt", "q3 * q1"]
    start = len(features.CONTEXT) + 1
    step = len(features.PER_METRIC)
    totals = " ".join(f"WHEN {place} THEN q{start + step * (place - 1)}" for place in PLACES)
    fasts = " ".join(f"WHEN {place} THEN q{start + step * (place - 1) + 1}" for place in PLACES)
    return f"""
    own AS (
        SELECT *, {", ".join(f"{value} AS q{number}" for number, value in enumerate(own, start=1))} FROM {source}
    ), primary_counter AS (
        SELECT *, CASE primary_place {totals} END AS pt, CASE primary_place {fasts} END AS pf FROM own
    ), featured AS (
        SELECT *, {", ".join(f"{value} AS q{number}" for number, value in enumerate(crossed, start=len(own) + 1))}
        FROM primary_counter
    )"""


def probability(weights: str) -> str:
    """A head's probability over `featured`; `weights` is a float8[] with the intercept first."""
    logit = " + ".join(f"{weights}[{number + 1}] * q{number}" for number in range(1, len(features.NAMES) + 1))
    return f"1 / (1 + exp(least(-({weights}[1] + {logit}), {-LEAST_EXPONENT})))"
