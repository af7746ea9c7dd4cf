"""The update of state.py and the heads of model.py as SQL, for a page of videos or for all of them in one statement.

Written from the same constants; tests/ranking/test_twins.py holds the two to 1e-6. Columns carry a metric's place in METRICS:
v1 is the new value of views, x1 the last one believed, t1 its time, e1 f1 s1 n1 its total, fast and slow rate, and number.
"""

from collections.abc import Mapping
from math import isfinite

from ranking.scoring import classic, features
from ranking.scoring.classic import Weights
from ranking.scoring.model import Head
from ranking.scoring.state import FAST, LEAST_AGE_HOURS, METRICS, SMALL

PLACES = range(1, len(METRICS) + 1)
REACTIONS = [place for place, metric in enumerate(METRICS, start=1) if metric != "views"]
VIEWS = METRICS.index("views") + 1
LEAST_EXPONENT = -700  # below it exp() is an error in PostgreSQL, where it is 0 elsewhere
LEAST_RATE = "1e-250::float8"  # a rate fades towards it and not towards 0, where a product too small for a float is an error too


def _each(template: str, joiner: str = ", ") -> str:
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
    return f"{rate}{place} + {weight} * (inc{place} / dt{place} - {rate}{place} + {LEAST_RATE})"


def _next(name: str, place: int, *, first: str, later: str) -> str:
    kept = f"{name}{place}"
    return f"CASE WHEN NOT ok{place} THEN {kept} WHEN x{place} IS NULL THEN {first} ELSE {later} END AS {name}{place}_"


def _layers(source: str, *layers: str) -> str:
    """Each layer selects all columns of the one below and adds its own.

    OFFSET 0 keeps the planner from folding them into one another, which would compute the lowest expressions
    again in every higher one that names them; a materialised CTE per layer costs twice as much.
    """
    query = source
    for number, layer in enumerate(layers):
        query = f"(SELECT *, {layer} FROM {query} AS layer{number} OFFSET 0)"
    return query


def advanced(source: str) -> str:
    """A sub-select with the next state of each row of `source`.

    `source` has: video_id, hour (of the new snapshot), age, horizon, limit# (the guard's, NULL: none),
    v# (new counters), and of the state x# t# (hours) e# f# s# n#. Added are x#_ … n#_, moving_ and clipped_.
    """
    first_rate = f"v#::float8 / greatest(coalesce(age, horizon), {LEAST_AGE_HOURS})"
    steps = []
    for place in PLACES:
        rate = first_rate.replace("#", str(place))
        steps += [
            _next("x", place, first=f"v{place}", later=f"v{place}"),
            _next("t", place, first="hour", later="hour"),
            _next("e", place, first=f"v{place}::float8", later=f"e{place} + inc{place}"),
            _next("f", place, first=rate, later=_decayed("f", place, f"horizon / {FAST}")),
            _next("s", place, first=rate, later=_decayed("s", place, "horizon")),
            _next("n", place, first="1", later=f"n{place} + 1"),
        ]
    return _layers(
        source,
        ", ".join(_believed(place) for place in PLACES),
        _each("CASE WHEN ok# THEN greatest(v# - x#, 0)::float8 END AS rise#"),
        _each(f"CASE WHEN x# IS NOT NULL THEN ln((x# + rise# + {SMALL}) / (x# + {SMALL})) END AS g#"),
        ", ".join(f"(x{p} + {SMALL}) * (exp(least({_sibling_median(p)} + limit{p}, 50)) - 1) AS most{p}" for p in PLACES),
        ", ".join(
            (
                _each("CASE WHEN x# IS NOT NULL THEN least(rise#, most#) END AS inc#"),
                _each("hour - t# AS dt#"),
                _each("CASE WHEN x# IS NOT NULL AND rise# > 0 THEN 1 ELSE 0 END", " + ") + " AS moving_",
                _each("coalesce(x# IS NOT NULL AND rise# > most#, false)", " OR ") + " AS clipped_",
            )
        ),
        ", ".join(steps),
    )


def featured(source: str) -> str:
    """A sub-select with each row of `source` and its features as q1 … in the order of features.NAMES.

    `source` has age, followers, horizon, scale, primary_place, first_hour, hour and e#_ f#_ s#_.
    """
    log_age = "ln(1 + greatest(coalesce(age, 0), 0))"
    own = [
        log_age,
        f"{log_age} ^ 2",
        f"exp(greatest((first_hour - hour) / (horizon / {FAST}), {features.LEAST_EXPONENT}))",
        "ln(1 + greatest(coalesce(followers, 0), 0)::float8)",
    ]
    for place in PLACES:
        for column, factor in (("e", "scale"), ("f", "scale * horizon"), ("s", "scale * horizon")):
            own.append(f"coalesce(ln(1 + {column}{place}_ * {factor}), 0)")
    crossed = ["q1 * pf", "q1 * pt", "pf * pf", "pf * pt", "pt * pt", "q3 * pf", "q3 * pt", "q3 * q1", "pp", "q1 * pp"]
    start, step = len(features.CONTEXT) + 1, len(features.PER_METRIC)
    totals = " ".join(f"WHEN {place} THEN q{start + step * (place - 1)}" for place in PLACES)
    fasts = " ".join(f"WHEN {place} THEN q{start + step * (place - 1) + 1}" for place in PLACES)
    soon = _each(f"WHEN # THEN coalesce(ln(1 + (e#_ + f#_ * horizon / {features.SOON}) * scale), 0)", " ")
    return _layers(
        source,
        ", ".join(f"{value} AS q{number}" for number, value in enumerate(own, start=1)),
        ", ".join(f"CASE primary_place {values} END AS {name}" for name, values in (("pt", totals), ("pf", fasts), ("pp", soon))),
        ", ".join(f"{value} AS q{number}" for number, value in enumerate(crossed, start=len(own) + 1)),
    )


def classic_score(weights: Weights, now: Mapping[str, str]) -> str:
    """The classic score over columns named by metric, as scoring/classic.py has it: NULL is a counter that is not shown,
    and its weight goes to the others."""
    shown = _weighed(weights, {metric: f"CASE WHEN {column} IS NULL THEN 0 ELSE 1 END" for metric, column in now.items()})
    return f"coalesce({_weighed(weights, now)} * {number(weights.total)} / nullif({shown}, 0), 0)"


def classic_momentum(weights: Weights, now: Mapping[str, str], before: Mapping[str, str]) -> str:
    """The relative change of that score over the counters that both observations show; NULL where there are none."""
    both = {metric: (f"({now[metric]} + 0 * {before[metric]})", f"({before[metric]} + 0 * {now[metric]})") for metric in now}
    later, earlier = (_weighed(weights, {metric: pair[place] for metric, pair in both.items()}) for place in (0, 1))
    return f"{later} / nullif(greatest({earlier}, 0), 0) - 1"


def _weighed(weights: Weights, columns: Mapping[str, str]) -> str:
    terms = (f"coalesce({columns[metric]}, 0) * {number(getattr(weights, metric))}" for metric in classic.METRICS)
    return f"({' + '.join(terms)})"


def by_family(values: Mapping[str, str]) -> str:
    """One SQL value per family, chosen by the row's `family`."""
    return "CASE family " + " ".join(f"WHEN '{family}' THEN {value}" for family, value in values.items()) + " END"


def probability(heads: Mapping[str, Head]) -> str:
    """One head's probability over `featured`, by family. Coefficients are written out: reading them from arrays
    in every row cost more than all the rest.
    """
    logits = {
        family: " + ".join(
            [number(head.intercept), *(f"{number(weight)} * q{i}" for i, weight in enumerate(head.weights, start=1))]
        )
        for family, head in heads.items()
    }
    return f"1 / (1 + exp(least(-({by_family(logits)}), {-LEAST_EXPONENT})))"


def number(value: float | None) -> str:
    """A float as SQL reads it back to the last bit. Raises ValueError for what is not finite."""
    if value is None:
        return "NULL::float8"
    if not isfinite(value):
        raise ValueError(f"{value} is not a coefficient.")
    return f"({float(value)!r}::float8)"
