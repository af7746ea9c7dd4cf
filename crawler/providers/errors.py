"""How reading a platform fails, classed by what happens next. The codes and outcomes are shown to staff and in the API."""

from jobs.errors import PermanentError, Snooze, TransientError


class Blocked(PermanentError):
    """The platform refuses us: an empty answer, a captcha, a 403. Waited out by the source's pause, never evaded."""

    code = "blocked"
    outcome = "blocked"


class LoginRequired(PermanentError):
    """The platform answers only to people who are signed in: cookies must be set or renewed."""

    code = "login_required"
    outcome = "login_required"


class Changed(PermanentError):
    """The answer no longer has the shape we know: the provider needs work."""

    code = "changed"
    outcome = "changed"


class Private(PermanentError):
    """The profile shows its videos only to whom it accepted."""

    code = "private"
    outcome = "private"


class ServiceRefused(PermanentError):
    """The service as a whole refuses to work for us until somebody mends it: it is paused, and asked nothing more."""

    code = "service_refused"
    outcome = "service_refused"


class NotConfigured(ServiceRefused):
    """Its address or key is not set."""

    code = "not_configured"


class KeyRefused(ServiceRefused):
    """The service does not accept our key."""

    code = "key_refused"


class OutOfCredits(ServiceRefused):
    """The account at the service is empty."""

    code = "out_of_credits"


class Unsupported(PermanentError):
    """This provider does not read this kind of source, or this link."""

    code = "unsupported"
    outcome = "unsupported"


class Gone(PermanentError):
    """The video or profile was removed, or is private."""

    code = "gone"
    outcome = "gone"


class RateLimited(Snooze):
    """Too many requests: the platform said for how long to stay away."""

    code = "rate_limited"
    outcome = "rate_limited"


class Unreachable(TransientError):
    """No answer: the name, the connection, the time limit, or the platform's own fault (5xx)."""

    code = "unreachable"
    outcome = "unreachable"


class Underway(Snooze):
    """What was ordered is being worked on elsewhere: to be looked at again, at the latest after `retry_after`."""

    code = "underway"


class OrderUnknown(Snooze):
    """The service never said whether it took an order. To give it again could mean to pay twice."""

    code = "order_unknown"


class OrderLost(PermanentError):
    """Nobody could find out whether the service took the order: only a person may give it again."""

    code = "order_lost"
    outcome = "failed"


class OrderFailed(PermanentError):
    """The service took the order and could not fulfil it, or not wholly. What it did deliver is kept."""

    code = "order_failed"
    outcome = "failed"
