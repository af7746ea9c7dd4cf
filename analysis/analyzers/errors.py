"""How reading pictures fails, beside the ways of every service (crawler/providers/errors.py)."""

from jobs.errors import PermanentError, TransientError


class Refused(PermanentError):
    """The model will not speak of these pictures; asking again with the same ones changes nothing."""

    code = "refused"
    outcome = "refused"


class CutOff(PermanentError):
    """The answer was longer than allowed and ends in the middle."""

    code = "cut_off"
    outcome = "cut_off"


class BadAnswer(TransientError):
    """The model answered something else than it was asked for. It may do better next time."""

    code = "bad_answer"
