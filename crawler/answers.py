"""What comes back through the outgoing door: counted as sent and as inflated, up to a cap, and told when it breaks off."""

import http.client
import zlib
from dataclasses import dataclass, field
from email.message import Message

from django.utils.translation import gettext as _

from crawler.connections import FetchError, Truncated, named_errors
from jobs.errors import PermanentError

Buffer = memoryview | bytearray


class TooLarge(PermanentError):
    code = "too_large"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole answer in memory. Any status: the caller knows what a 404 means to it."""

    status: int
    headers: Message
    url: str
    body: bytes = field(repr=False)


class Stream:
    """One answer, read by `readinto` until it returns 0; lives inside `open_stream`."""

    def __init__(self, response: http.client.HTTPResponse, url: str, *, max_bytes: int, has_body: bool) -> None:
        self.status = response.status
        self.headers: Message = response.headers
        self.url = url
        self.length = response.length if has_body else None
        """Bytes that the server promised, where it did."""
        self._response = response
        self._max_bytes = max_bytes
        self._received = 0
        self._inflated = 0
        self._inflater = _inflater(self.headers.get("Content-Encoding", "")) if has_body else None
        if len(set(self.headers.get_all("Content-Length", []))) > 1:
            raise FetchError(_("The server gave two lengths for one answer."), code="bad_answer")
        if self.length is not None and self.length > max_bytes:
            raise self._too_large()

    def readinto(self, buffer: Buffer) -> int:
        """Fill the buffer as far as there is data; 0 at the end. Raises Truncated, TimedOut, TooLarge, FetchError."""
        if self._inflater is not None:
            return self._inflate_into(buffer)
        return self._receive_into(buffer)

    def _receive_into(self, buffer: Buffer) -> int:
        with named_errors():
            count = self._response.readinto(buffer)
        self._received += count
        if self._received > self._max_bytes:
            raise self._too_large()
        if count == 0 and self.length is not None and self._received < self.length:
            raise Truncated(_("The server broke off in the middle of its answer."))
        return count

    def _inflate_into(self, buffer: Buffer) -> int:
        assert self._inflater is not None
        packed = bytearray(65536)
        while not self._inflater.eof:
            data = self._inflater.unconsumed_tail
            if not data:
                count = self._receive_into(packed)
                if count == 0:
                    raise Truncated(_("The server broke off in the middle of its answer."))
                data = bytes(packed[:count])
            try:
                plain = self._inflater.decompress(data, len(buffer))
            except zlib.error as error:
                message = _("The server's answer cannot be unpacked.")
                raise FetchError(message, code="bad_answer") from error
            if plain:
                self._inflated += len(plain)
                if self._inflated > self._max_bytes:
                    raise self._too_large()
                buffer[: len(plain)] = plain
                return len(plain)
        return 0

    def _too_large(self) -> TooLarge:
        message = _("The answer is larger than the %(limit)d bytes allowed here.")
        return TooLarge(message % {"limit": self._max_bytes})


def _inflater(encoding: str) -> "zlib._Decompress | None":
    """Some servers pack though asked not to. One layer of gzip or deflate is undone; anything else is refused."""
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        case "deflate":
            return zlib.decompressobj()
        case _:
            message = _("The server's answer is packed in a way that was not asked for.")
            raise FetchError(message, code="bad_answer")
