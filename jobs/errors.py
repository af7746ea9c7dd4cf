"""Errors that a job's work raises, classed by what happens next. The runner knows these and no others."""

from datetime import timedelta


class JobError(Exception):
    """Base: carries a stable code for machines, a sentence for people, and the stage's own outcome word."""

    code = "internal"
    outcome = ""

    def __init__(self, message: str, *, code: str = "", outcome: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.outcome = outcome or type(self).outcome


class PermanentError(JobError):
    """Trying again cannot help: the job fails at once and waits for a person."""

    code = "permanent"


class TransientError(JobError):
    """May pass by itself: the job is retried after `retry_after`, or after the backoff of its code."""

    code = "transient"

    def __init__(self, message: str, *, code: str = "", outcome: str = "", retry_after: timedelta | None = None) -> None:
        super().__init__(message, code=code, outcome=outcome)
        self.retry_after = retry_after


class Snooze(JobError):
    """Not now: the job goes back to pending for `retry_after` without using up an attempt."""

    code = "snoozed"

    def __init__(self, message: str, *, retry_after: timedelta, code: str = "", outcome: str = "") -> None:
        super().__init__(message, code=code, outcome=outcome)
        self.retry_after = retry_after


class HandedBack(Snooze):
    """The worker is shutting down: the job goes on elsewhere, at once."""

    code = "handed_back"

    def __init__(self) -> None:
        super().__init__("The worker is shutting down; the job goes on elsewhere.", retry_after=timedelta(0))


class LeaseLost(Exception):
    """This worker no longer holds the job (cancelled, rescued, or taken over): stop and touch nothing."""


class DeadlinePassed(LeaseLost):
    """The attempt takes longer than its kind allows: stop and touch nothing; the runner says why."""


class InvalidTransition(Exception):
    """The job is in a state from which that step makes no sense; the message says which."""
