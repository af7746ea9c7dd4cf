"""What can go wrong with bytes, by what happens next. All carry a stable code. A video that is gone: providers.errors.Gone."""

from jobs.errors import PermanentError, Snooze, TransientError


class VerificationError(TransientError):
    """The bytes are not the media that was promised. Another mirror or another day may give the right ones.

    Codes: not_media, no_picture, no_sound, truncated, wrong_length, wrong_duration, undecodable, too_complex,
    unsafe_media, not_a_picture, bad_picture, picture_too_large, too_many_frames.
    """

    code = "undecodable"


class Expired(TransientError):
    """The address was refused as signed links are when their time is over: ask the platform for a new one."""

    code = "expired"


class WrongRange(TransientError):
    """The server sent another part of the file than was asked for; nothing of it was kept."""

    code = "wrong_range"


class MoreLater(Snooze):
    """429 or 503 with Retry-After: this server asks for a pause of `retry_after`."""

    code = "rate_limited"
    outcome = "rate_limited"


class StorageError(TransientError):
    """The media storage cannot take or give bytes now.

    Codes: storage (may pass by itself), storage_refused (credentials, bucket), storage_full, missing, no_link.
    """

    code = "storage"


class TooManyWaiting(PermanentError):
    """The queue is full; nothing was enqueued. The API answers 429."""

    code = "queue_full"
