"""What can go wrong with bytes, by what happens next. All carry a stable code."""

from jobs.errors import PermanentError, TransientError


class VerificationError(TransientError):
    """The bytes are not the media that was promised. Another mirror or another day may give the right ones.

    Codes: not_media, no_picture, no_sound, truncated, wrong_length, wrong_duration, undecodable, too_complex,
    unsafe_media, bad_picture, picture_too_large.
    """

    code = "undecodable"


class Gone(PermanentError):
    """The platform says that the video was removed or made private."""

    code = "gone"
    outcome = "gone"


class Expired(TransientError):
    """The address was refused as signed links are when their time is over: ask the platform for a new one."""

    code = "expired"


class WrongRange(TransientError):
    """The server sent another part of the file than was asked for; nothing of it was kept."""

    code = "wrong_range"


class StorageError(TransientError):
    """The media storage cannot take or give bytes now. Codes: storage, storage_refused, storage_full."""

    code = "storage"


class TooManyWaiting(PermanentError):
    """The queue is full; nothing was enqueued. The API answers 429."""

    code = "queue_full"
