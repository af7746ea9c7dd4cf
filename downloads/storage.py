"""Where bytes lie and how they are reached: the media store, its backup, and links that expire.

Order of a commit: the file is flushed and verified, then `put` (which reads back), then the row. Order of a deletion:
the row first, the bytes by a later sweep. So a row never points at nothing.
"""

import hmac
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast
from urllib.parse import quote

from django.conf import settings
from django.core.files.storage import storages
from django.core.signing import Signer
from django.urls import reverse
from django.utils.translation import gettext as _

from downloads.errors import StorageError
from downloads.stores.base import Blob, OnProgress, Store

INLINE_TYPES = {
    *("video/mp4", "video/quicktime", "video/webm", "video/mp2t"),
    *("audio/mp4", "audio/mpeg", "audio/webm"),
    *("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"),
}
"""What a browser may show in place; everything else is only ever saved."""


def media() -> Store:
    """The store of every verified object."""
    return cast(Store, storages["media"])


def backup() -> Store | None:
    """The second store, if MEDIA_BACKUP_STORAGE names one."""
    return cast(Store, storages["backup"]) if "backup" in storages.backends else None


def key_of(sha256: str) -> str:
    return f"blobs/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def put(path: Path, *, sha256: str, size: int, mime: str, on_progress: OnProgress | None = None) -> bool:
    """Make a flushed, verified file an object and read it back; False if it was there. Raises StorageError."""
    return media().put(Blob(path=path, key=key_of(sha256), sha256=sha256, size=size, mime=mime), on_progress)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link of ours allows: one object, under one name, until a time (seconds since 1970)."""

    sha256: str
    filename: str
    is_inline: bool
    expires_at: int


class BadTicket(Exception):
    """The link was changed or cut."""


class TicketExpired(Exception):
    """The link was good once."""


def link(sha256: str, mime: str, filename: str, *, inline: bool = True, seconds: int = 0) -> str:
    """A link that works for at most `seconds` (MEDIA_LINK_SECONDS): by MEDIA_PUBLIC_URL, the bucket, or the app.

    Two calls within half that time give the same link, so that browsers keep what they have.
    Raises StorageError: no_link, when only the app could serve it and MEDIA_PROXY is off.
    """
    if settings.MEDIA_PUBLIC_URL:
        return f"{settings.MEDIA_PUBLIC_URL}/{key_of(sha256)}"
    seconds = seconds or settings.MEDIA_LINK_SECONDS
    inline = inline and mime in INLINE_TYPES
    half = max(1, seconds // 2)
    window = int(time.time()) // half
    if direct := _direct_link(sha256, mime, filename, inline, seconds, window):
        return direct
    if not settings.MEDIA_PROXY:
        raise StorageError(_("The storage gives no direct links, and MEDIA_PROXY is off."), code="no_link")
    return app_link(Ticket(sha256, filename, inline, (window + 2) * half))


@lru_cache(maxsize=4096)
def _direct_link(sha256: str, mime: str, filename: str, inline: bool, seconds: int, window: int) -> str | None:
    # Cached for half its life: `window` changes then.
    disposition = content_disposition(filename, inline=inline)
    return media().direct_link(key_of(sha256), mime=mime, disposition=disposition, seconds=seconds)


@lru_cache(maxsize=4096)  # a page of covers is the same links again and again
def app_link(ticket: Ticket) -> str:
    """A path on this site; `serving.serve` answers it."""
    token = f"{ticket.sha256}.{'i' if ticket.is_inline else 'a'}.{ticket.expires_at:x}.{_signature(ticket)}"
    return f"{_media_root()}{token}/{quote(ticket.filename)}"


@lru_cache(maxsize=1)
def _media_root() -> str:
    # A feed has a hundred links: reversing each cost more than signing it.
    return reverse("media", args=["-", "-"]).removesuffix("-/-")


def read_ticket(token: str, filename: str) -> Ticket:
    """Raises BadTicket, TicketExpired."""
    try:
        sha256, place, expires_at, signature = token.split(".")
        ticket = Ticket(sha256, filename, place == "i", int(expires_at, 16))
    except ValueError:
        raise BadTicket from None
    if not hmac.compare_digest(signature.encode(), _signature(ticket).encode()):
        raise BadTicket
    if ticket.expires_at < time.time():
        raise TicketExpired
    return ticket


def _signature(ticket: Ticket) -> str:
    words = f"{ticket.sha256}:{int(ticket.is_inline)}:{ticket.expires_at}:{ticket.filename}"
    return _signer().signature(words)


@lru_cache(maxsize=1)
def _signer() -> Signer:
    return Signer(salt="downloads.media")


def content_disposition(filename: str, *, inline: bool) -> str:
    """The header for any name, by RFC 6266: plain ASCII for old programs, UTF-8 (RFC 5987) for the others."""
    plain = "".join(char if 32 <= ord(char) < 127 and char not in '"\\%;' else "_" for char in filename)
    place = "inline" if inline else "attachment"
    header = f'{place}; filename="{plain}"'
    if plain != filename:
        header += f"; filename*=UTF-8''{quote(filename, safe='')}"
    return header
