"""gunicorn's threaded worker, for visitors who are slow, silent or stay: a thread is for whoever said what they want.

As it comes, sixteen open connections on which nothing arrives, or half a request, or whose other side does not hang up, hold all
threads (or the loop that serves them) for as long as they like. Here connections wait in the loop, which waits for all at once,
until a request has come whole; and an answer that nobody takes is given up.
"""

import errno
import re
import socket
import struct
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

ARRIVE_SECONDS = 20.0
"""For a whole request. Sent in time, or not answered."""
SILENCE_SECONDS = 10
"""While a thread reads what was not collected."""
STALL_SECONDS = 60
"""While a thread writes, and the other side takes nothing. Players that paused ask again for the rest."""
LINGER_SECONDS = 2.0
"""How long the other side may still send after its answer, so that it gets that to the end."""
MOST_HEAD = 128 * 1024
MOST_BODY = 4 * 1024**2
"""What is longer is handed over as far as it has come: the application refuses it by its length."""
MOST_COLLECTED = 64 * 1024**2
"""Of all that wait, so that many large bodies at once do not fill the memory."""
PIECE = 256 * 1024

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)[ \t]*\r\n")
_OPEN_END = re.compile(rb"\r\ntransfer-encoding:")
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n")


class Visitor(TConn):
    """A connection, with what has come of its next request."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.data_ready = True  # it gets no thread before
        self.collected = bytearray()
        self.size: int | None = None
        """Of the request; None until its head is there."""
        self.is_cut = False
        """Not all of its body was collected."""
        self.request = b""

    def has_come(self) -> bool:
        """Whether the request is whole, or as much of it as is waited for."""
        if self.size is None:
            while self.collected.startswith(b"\r\n"):  # empty lines before a request are none of it
                del self.collected[:2]
            end = self.collected.find(b"\r\n\r\n")
            if end < 0:
                return False
            head = bytes(self.collected[: end + 4]).lower()
            length = _LENGTH.search(head)
            body = int(length[1][:18]) if length else 0
            self.is_cut = body > MOST_BODY or bool(_OPEN_END.search(head))
            self.size = end + 4 + (0 if self.is_cut else body)
            if _EXPECTS.search(head) and len(self.collected) < self.size:
                with suppress(OSError):
                    self.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return len(self.collected) >= self.size

    def take(self) -> None:
        """The request is for a thread now; what came behind it is the beginning of the next."""
        size = len(self.collected) if self.is_cut or self.size is None else self.size
        self.request, self.collected, self.size = bytes(self.collected[:size]), self.collected[size:], None


class PatientWorker(ThreadWorker):
    def init_process(self) -> None:
        self.leaving: deque[Visitor] = deque()
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        if self.cfg.is_ssl:  # what comes is no text before a thread has decrypted it
            super().accept(listener)
            return
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", SILENCE_SECONDS, 0))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", STALL_SECONDS, 0))
        self.nr_conns += 1
        visitor = Visitor(self.cfg, client, address, listener.getsockname())
        self._wait_for(visitor)

    def on_client_socket_readable(self, conn: Any, client: socket.socket) -> None:
        """Another request on a connection that was kept."""
        if not isinstance(conn, Visitor):
            super().on_client_socket_readable(conn, client)
            return
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._wait_for(conn)

    def on_pending_socket_readable(self, conn: Any, client: socket.socket) -> None:
        if not isinstance(conn, Visitor):
            super().on_pending_socket_readable(conn, client)
            return
        try:
            data = client.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        conn.collected += data
        if data and not conn.has_come() and not self._is_too_much(conn):
            return
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        if data and conn.has_come():
            self._hand_over(conn)
        else:
            self.nr_conns -= 1
            conn.close()

    def handle(self, conn: Any) -> Any:
        if isinstance(conn, Visitor):
            conn.sock.setblocking(True)
            conn.init()
            conn.parser.unreader.unread(conn.request)
            conn.request = b""
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        try:
            return super().handle_request(req, conn)
        except BlockingIOError as error:  # the system's word for STALL_SECONDS; gunicorn would log it as an error
            raise ConnectionResetError(errno.ECONNRESET, "nothing moved") from error

    def finish_request(self, conn: Any, fs: "Future[Any]") -> None:
        if not isinstance(conn, Visitor):
            super().finish_request(conn, fs)
        elif fs.cancelled() or fs.exception() is not None or not fs.result():
            self._see_off(conn)
        elif conn.collected:
            self._wait_for(conn)
        else:
            super().finish_request(conn, fs)

    def murder_pending(self) -> None:
        super().murder_pending()
        while self.leaving and self.leaving[0].timeout <= time.monotonic():
            self._let_go(self.leaving[0])

    def _cap_keepalive(self, deadline: float) -> None:
        """Called when the worker stops: who has said nothing yet does not keep it."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        if isinstance(conn, Visitor) and conn.is_cut:
            return False  # nobody waits for the rest of a body that nobody wanted
        return bool(super()._keepalive_after(conn, keepalive))

    def _wait_for(self, visitor: Visitor) -> None:
        """In the loop, until its request has come."""
        if visitor.has_come():
            self._hand_over(visitor)
            return
        visitor.sock.setblocking(False)
        visitor.timeout = time.monotonic() + (ARRIVE_SECONDS if self.alive else LINGER_SECONDS)
        self.pending_conns.append(visitor)
        self.poller.register(visitor.sock, EVENT_READ, partial(self.on_pending_socket_readable, visitor))

    def _hand_over(self, visitor: Visitor) -> None:
        visitor.take()
        self.enqueue_req(visitor)

    def _is_too_much(self, visitor: Visitor) -> bool:
        if visitor.size is None:
            return len(visitor.collected) > MOST_HEAD
        if len(visitor.collected) <= MOST_HEAD:
            return False
        return sum(len(each.collected) for each in self.pending_conns if isinstance(each, Visitor)) > MOST_COLLECTED

    def _see_off(self, visitor: Visitor) -> None:
        """Say that this was all, and listen for a while: closing at once could take the answer back."""
        try:
            visitor.sock.setblocking(False)
            visitor.sock.shutdown(socket.SHUT_WR)
            visitor.timeout = time.monotonic() + LINGER_SECONDS
            self.poller.register(visitor.sock, EVENT_READ, partial(self._on_last_words, visitor))
        except (OSError, ValueError):  # gone already
            self.nr_conns -= 1
            visitor.close()
        else:
            self.leaving.append(visitor)

    def _on_last_words(self, visitor: Visitor, client: socket.socket) -> None:
        with suppress(BlockingIOError):
            try:
                data = client.recv(PIECE)
            except ConnectionError:
                data = b""
            if not data:
                self._let_go(visitor)

    def _let_go(self, visitor: Visitor) -> None:
        self.leaving.remove(visitor)
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(visitor.sock)
        self.nr_conns -= 1
        visitor.close()
