"""Bytes through the app, for players that seek: ranges, conditions and safe headers, in constant memory."""

import re
from collections.abc import Generator, Iterator
from email.utils import parsedate_to_datetime

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import http_date, parse_etags
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from downloads import bundles, storage
from downloads.errors import StorageError
from downloads.models import StoredObject

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class Unsatisfiable(Exception):
    """The range asked for begins after the end."""


@require_safe
def media(request: HttpRequest, token: str, filename: str) -> HttpResponseBase:
    """GET and HEAD of a signed link. 403 for a changed one, 410 for an expired one, 404 for an object that went."""
    try:
        ticket = storage.read_ticket(token, filename)
    except storage.BadTicket:
        return _sentence(_("This link is not valid."), 403)
    except storage.TicketExpired:
        return _sentence(_("This link has expired. Open the page again for a new one."), 410)
    found = StoredObject.objects.filter(sha256=ticket.sha256).first()
    if found is None:
        return _sentence(_("This file is no longer kept."), 404)
    return serve(request, found, filename=filename, inline=ticket.is_inline)


@require_safe
def bundle(request: HttpRequest, token: str, filename: str) -> HttpResponseBase:
    """GET and HEAD of a zip by its signed link, made while it is sent; it cannot be continued."""
    try:
        entries = bundles.entries_of(bundles.read_link(token, filename))
    except storage.BadTicket:
        return _sentence(_("This link is not valid."), 403)
    except storage.TicketExpired:
        return _sentence(_("This link has expired. Open the page again for a new one."), 410)
    if not entries:
        return _sentence(_("None of these files are kept any more."), 404)
    headers = {
        "Accept-Ranges": "none",
        "Content-Length": str(bundles.size_of(entries)),
        "Content-Disposition": storage.content_disposition(filename, inline=False),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    if request.method == "HEAD":
        return HttpResponse(headers=headers, content_type="application/zip")
    return StreamingHttpResponse(bundles.stream(entries), headers=headers, content_type="application/zip")


def serve(request: HttpRequest, found: StoredObject, *, filename: str, inline: bool) -> HttpResponseBase:
    """One stored object: whole, or the single range asked for (RFC 9110). Several ranges get the whole."""
    etag = f'"{found.sha256}"'
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Last-Modified": http_date(found.created_at.timestamp()),
        "Cache-Control": "private, max-age=3600, immutable",
        "Content-Disposition": storage.content_disposition(filename, inline=inline and found.mime in storage.INLINE_TYPES),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; sandbox",
        "Cross-Origin-Resource-Policy": "same-site",
    }
    if _is_known(request, etag):
        return HttpResponse(status=304, headers=headers)
    try:
        span = _span(request, found, etag)
    except Unsatisfiable:
        return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{found.size}"})
    start, end = span or (0, found.size)
    headers["Content-Length"] = str(end - start)
    if span:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{found.size}"
    status = 206 if span else 200
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers, content_type=found.mime)
    try:
        pieces = _Opened(storage.media().read(found.key, start, end))
    except StorageError as error:
        return _sentence(error.message, 404 if error.code == "missing" else 503)
    return StreamingHttpResponse(pieces, status=status, headers=headers, content_type=found.mime)


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """The first byte and the one after the last of a single range; None for what is to be ignored.

    Raises Unsatisfiable.
    """
    matched = _RANGE.fullmatch(header.strip())
    if matched is None or matched.groups() == ("", ""):
        return None
    first, last = matched.groups()
    if not first:
        length = int(last)
        if length == 0 or size == 0:
            raise Unsatisfiable
        return max(0, size - length), size
    start = int(first)
    end = min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return start, end


def _span(request: HttpRequest, found: StoredObject, etag: str) -> tuple[int, int] | None:
    """The range that was asked for of this very object (If-Range), or None for the whole. Raises Unsatisfiable."""
    condition = request.headers.get("If-Range", "").strip()
    if condition.startswith(('"', "W/")):
        holds = condition == etag
    elif condition:
        try:
            holds = parsedate_to_datetime(condition).timestamp() == int(found.created_at.timestamp())
        except (TypeError, ValueError, OverflowError):
            holds = False
    else:
        holds = True
    return parse_range(request.headers.get("Range", ""), found.size) if holds else None


def _is_known(request: HttpRequest, etag: str) -> bool:
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or any(tag.removeprefix("W/") == etag for tag in known)


class _Opened:
    """The same pieces, the first already read: what cannot be opened is found out before the headers are sent."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._first = next(pieces, b"")

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        yield from self._pieces

    def close(self) -> None:
        """Called by Django also when the other side hung up."""
        if isinstance(self._pieces, Generator):
            self._pieces.close()


def _sentence(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
