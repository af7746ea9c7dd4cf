"""Whether this worker is shutting down. Shared with forked children: the flag is made before they are."""

import multiprocessing

# A multiprocessing event, because in a prefork pool only the parent hears that the worker is stopping.
_stopping = multiprocessing.Event()


def stop() -> None:
    """From now on nothing new is claimed, and running jobs hand themselves back at their next report."""
    _stopping.set()


def is_stopping() -> bool:
    return _stopping.is_set()


def resume() -> None:
    _stopping.clear()
