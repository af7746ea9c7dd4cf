"""What a feed is ordered by where nobody says: staff choose it."""

import threading
import time

from constance import config
from constance.signals import config_updated

from catalog.filters import DEFAULT_ORDERING, ORDERING_WORDS, Filters

TRUSTED_SECONDS = 5
"""How long a process trusts what it read: a page of the feed must not cost a statement more for it."""


class _Default:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self, **_signal: object) -> None:
        self._until, self._word = 0.0, ""

    def word(self) -> str:
        with self._lock:
            if time.monotonic() >= self._until:
                self._word, self._until = config.DEFAULT_ORDERING, time.monotonic() + TRUSTED_SECONDS
            return self._word


_default = _Default()
config_updated.connect(_default.forget)  # in this process at once


def ordering_of(filters: Filters) -> str:
    """As the filters say, else as staff chose; one of filters.ORDERINGS."""
    return filters.ordering or ORDERING_WORDS.get(_default.word(), DEFAULT_ORDERING)


def forget() -> None:
    """Read the setting anew at the next question."""
    _default.forget()
