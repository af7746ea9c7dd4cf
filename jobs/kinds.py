"""Which kinds of job exist. A stage registers its own in AppConfig.ready(); nothing here knows a stage."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from django.apps import apps
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from jobs.models import Job

Work = Callable[[Any], str | None]
Prepare = Callable[[Any], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """How one kind of job is worked on."""

    name: str
    label: Any
    """What people read: "Downloads"."""
    model: str
    """"app_label.Model" of the concrete Job."""
    queue: str
    """The Celery queue whose workers do it."""
    work: str
    """Dotted path of `work(job) -> outcome | None`; imported at first use, in workers only."""
    deadline: timedelta = timedelta(minutes=30)
    """The longest one attempt may take: after it the lease is no longer renewed."""
    stall_after: timedelta = timedelta(minutes=2)
    """The longest silence (no `report()`) before the lease is left to expire."""
    first_pause: float | None = None
    """Seconds before the second attempt, doubled by each further one; None: by the code of the error (jobs/retry.py)."""
    most_running: Callable[[], int] | None = None
    """How many may run at once, over all workers; asked at each claim. None: as many as there are workers."""
    prepare: str = ""
    """Dotted path of `prepare(jobs)`, a context manager around the work of jobs that were claimed together: what is cheaper
    for all at once. If it fails, or did nothing, each job is done as if it had not been called."""
    batch: int = 1
    """How many are claimed at once. More than one only for jobs of milliseconds which may be done again: their ends are
    recorded together, so after a crash those whose end was not recorded yet are repeated."""

    def get_model(self) -> "type[Job]":
        return cast("type[Job]", apps.get_model(self.model))

    def get_work(self) -> Work:
        return cast(Work, import_string(self.work))

    def get_prepare(self) -> Prepare | None:
        return cast(Prepare, import_string(self.prepare)) if self.prepare else None


_kinds: dict[str, JobKind] = {}
_kinds_by_model: dict[str, JobKind] = {}


def register(kind: JobKind) -> None:
    _kinds[kind.name] = _kinds_by_model[kind.model.lower()] = kind


def get(name: str) -> JobKind:
    """Raises KeyError for a name nobody registered (an old or forged message)."""
    return _kinds[name]


def all_kinds() -> list[JobKind]:
    return list(_kinds.values())


def choices() -> list[tuple[str, Any]]:
    return [(kind.name, kind.label) for kind in _kinds.values()]


def kind_of(model: "type[Job]") -> JobKind:
    """The kind whose rows `model` holds. Raises KeyError if none was registered."""
    return _kinds_by_model[model._meta.label_lower]
