"""When to try again. Pure: no database, no clock."""

import random
from datetime import timedelta

# Seconds before the second attempt, by error code; each further attempt doubles it.
BASE_SECONDS: dict[str, float] = {
    "worker_lost": 2,
    "network": 5,
    "unreachable": 30,
    "storage": 30,
    "database": 5,
    "internal": 15,
    "rate_limited": 60,
    "blocked": 900,
    "login_required": 900,
}
DEFAULT_BASE_SECONDS = 10.0
LONGEST = timedelta(hours=1)
LONGEST_ASKED = timedelta(days=7)


def backoff(attempt: int, code: str = "", *, base: float | None = None, jitter: float | None = None) -> timedelta:
    """How long to wait after the failure of `attempt` (1 for the first).

    Doubles from `base` seconds, or else the code's, up to an hour; `jitter` in [0, 1) takes off up to half, so that
    jobs which failed together do not come back together (drawn at random where not given).
    """
    base = BASE_SECONDS.get(code, DEFAULT_BASE_SECONDS) if base is None else base
    doublings = min(max(attempt, 1) - 1, 16)  # 2**16 times any base is past the cap; more would overflow
    seconds = min(base * 2**doublings, LONGEST.total_seconds())
    return timedelta(seconds=seconds * (1 - (random.random() if jitter is None else jitter) / 2))


def bounded(pause: timedelta) -> timedelta:
    """A pause that somebody else asked for, such as a Retry-After: never negative, and a week at most."""
    return min(max(pause, timedelta(0)), LONGEST_ASKED)
