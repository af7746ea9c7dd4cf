"""Whether this worker is shutting down. Shared with forked children: in a prefork pool only the parent hears of it."""

import mmap

# A byte of shared memory and no lock: a signal handler may set it at any moment, and a child may be killed at any moment.
_stopping = mmap.mmap(-1, 1)


def stop() -> None:
    """From now on nothing new is claimed, and running jobs hand themselves back at their next report."""
    _stopping[0] = 1


def is_stopping() -> bool:
    return _stopping[0] == 1


def resume() -> None:
    _stopping[0] = 0
