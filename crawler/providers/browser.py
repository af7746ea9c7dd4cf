"""One Chromium per process, in a thread of its own, one page at a time; every page in a fresh context.

Playwright's synchronous API belongs to the thread that started it, and forbids Django's ORM there. So callers stay in their own
thread and ask for one step at a time; while they work on an answer the browser waits: that is all the back-pressure needed.

Names other than the platform's resolve to nothing in this browser: no tracker, no media, no address of our own network.
"""

import atexit
import contextlib
import logging
import math
import os
import queue
import secrets
import shutil
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from crawler.providers.errors import Unreachable

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Request, StorageState

logger = logging.getLogger(__name__)

PAGES_PER_BROWSER = 50  # then a new one: Chromium's memory only grows
IDLE_SECONDS = 300.0
TURN_SECONDS = 120.0
LAUNCH_SECONDS = 60.0
SCROLL_EVERY_SECONDS = 0.4
MARGIN_SECONDS = 15.0  # over Playwright's own time limit; beyond it the browser is taken for hung and killed
LOOPBACK = "127.0.0.1"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--blink-settings=imagesEnabled=false",
    "--disable-dev-shm-usage",
    "--mute-audio",
    "--no-proxy-server",
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """Something the page loaded. Header names are in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


class OpenPage:
    """One page, usable from the thread that opened it. Each method raises Unreachable when the browser cannot."""

    def __init__(self, chromium: "_Chromium", page: "Page", paths: Sequence[str], timeout_seconds: float) -> None:
        self._chromium = chromium
        self._page = page
        self._paths = tuple(paths)
        self._timeout = timeout_seconds
        self._finished: deque[Request] = deque()
        self._failed: deque[str] = deque()
        self._in_flight = 0
        page.set_default_timeout(timeout_seconds * 1000)
        page.on("request", self._on_request)
        page.on("requestfinished", self._on_finished)
        page.on("requestfailed", self._on_failed)

    @property
    def is_waiting(self) -> bool:
        """The page has asked for an answer that has not come."""
        return self._in_flight > 0

    def goto(self, url: str) -> Answer:
        """Open an address; answers when the document has come, its scripts still to run."""

        def step() -> Answer:
            response = self._page.goto(url, wait_until="commit")
            if response is None:
                raise Unreachable("The page gave no answer.")
            return Answer(self._page.url, response.status, response.headers)

        return self._chromium.call(step, self._timeout + MARGIN_SECONDS)

    def next_answer(self, *, scroll: bool = False, within: float = math.inf) -> Answer | None:
        """The next answer from one of the paths, waited for `within` seconds at most; None if the page asked for none, though
        scrolled to its end."""
        seconds = min(within, self._timeout)
        return self._chromium.call(lambda: self._wait(seconds, scroll=scroll), self._timeout + MARGIN_SECONDS)

    def text(self) -> str:
        """What a person would see, with the title."""

        def step() -> str:
            return f"{self._page.title()}\n{self._page.evaluate('document.body?.innerText')}"

        return self._chromium.call(step, self._timeout + MARGIN_SECONDS)

    def _wait(self, seconds: float, *, scroll: bool) -> Answer | None:
        import playwright.sync_api as playwright

        ends_at = time.monotonic() + seconds
        if scroll and not self._finished:
            size = self._page.viewport_size or {"width": 1280, "height": 800}
            self._page.mouse.move(size["width"] / 2, size["height"] / 2)
        while not self._finished:
            if self._failed:
                raise Unreachable(f"The page could not load its data: {self._failed[0]}.")
            if time.monotonic() > ends_at:
                return None
            if scroll and not self._in_flight:
                self._page.mouse.wheel(0, 3000)
            pause = SCROLL_EVERY_SECONDS if scroll else 1.0
            with contextlib.suppress(playwright.TimeoutError):
                self._page.wait_for_event(
                    "requestfinished", predicate=lambda _request: bool(self._finished), timeout=pause * 1000
                )
        response = self._finished.popleft().response()
        if response is None:
            raise Unreachable("The page's request was given up.")
        body = response.body() if response.status < 300 or response.status >= 400 else b""
        return Answer(response.url, response.status, response.headers, body)

    def _on_request(self, request: "Request") -> None:
        if self._is_wanted(request):
            self._in_flight += 1

    def _on_finished(self, request: "Request") -> None:
        if self._is_wanted(request):
            self._in_flight -= 1
            self._finished.append(request)

    def _on_failed(self, request: "Request") -> None:
        if self._is_wanted(request):
            self._in_flight -= 1
            self._failed.append((request.failure or "no reason given").removeprefix("net::"))

    def _is_wanted(self, request: "Request") -> bool:
        return urlsplit(request.url).path.startswith(self._paths)


@contextlib.contextmanager
def open_page(
    *,
    hosts: Sequence[str],
    paths: Sequence[str],
    storage_state: Mapping[str, Any] | None = None,
    timeout_seconds: float = 30.0,
    relay: str = "",
) -> Iterator[OpenPage]:
    """A page in a fresh context that reaches `hosts` only (`*.example.org` is a pattern) and collects the answers of `paths`.

    `relay`: a SOCKS5 server on this machine through which it goes out, and which sees to it that it reaches those hosts only.
    """
    chromium = _chromium_of_this_process()
    if not chromium.turn.acquire(timeout=TURN_SECONDS):
        raise Unreachable("The browser is busy with other pages.", code="browser_busy")
    try:
        context = chromium.call(lambda: chromium.new_context(hosts, storage_state, relay), LAUNCH_SECONDS + MARGIN_SECONDS)
        try:
            yield chromium.call(lambda: OpenPage(chromium, context.new_page(), paths, timeout_seconds), LAUNCH_SECONDS)
        finally:
            with contextlib.suppress(Unreachable):
                chromium.call(context.close, MARGIN_SECONDS)
    finally:
        chromium.turn.release()


def close() -> None:
    """End this process's browser, if it has one. A later page starts another."""
    global _current
    with _starting:
        current, _current = _current, None
    if current is not None and current.pid == os.getpid():
        current.close()


class _Chromium:
    """The browser and its thread. Nothing but `call`, `turn` and `close` is for other threads."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.turn = threading.Lock()
        self.is_dead = False
        self._calls: queue.Queue[tuple[Callable[[], Any], Future[Any]] | None] = queue.Queue()
        self._browser: Browser | None = None
        self._hosts: tuple[str, ...] = ()
        self._pages = 0
        self._relay_name = f"relay-{secrets.token_hex(16)}.invalid"
        self._playwright: Any = None
        self._drivers: list[int] = []
        self._thread = threading.Thread(target=self._serve, name="browser", daemon=True)
        self._thread.start()

    def call(self, step: Callable[[], T], timeout: float) -> T:
        """Do a step in the browser's thread. Playwright's errors become Unreachable; a hung browser is killed."""
        import playwright.sync_api as playwright

        future: Future[T] = Future()
        self._calls.put((step, future))
        try:
            return future.result(timeout)
        except playwright.TimeoutError as error:
            raise Unreachable("The page took too long.", code="timed_out") from error
        except playwright.Error as error:
            reason = error.message.splitlines()[0][:200] if error.message else "no reason given"
            raise Unreachable(f"The browser could not do it: {reason}") from error
        except FutureTimeout:
            self.kill()
            raise Unreachable("The browser hung and was ended.", code="browser_hung") from None

    def new_context(self, hosts: Sequence[str], storage_state: Mapping[str, Any] | None, relay: str) -> "BrowserContext":
        if self._browser is not None and (
            self._pages >= PAGES_PER_BROWSER or self._hosts != tuple(hosts) or not self._browser.is_connected()
        ):
            self._close_browser()
        if self._browser is None:
            self._browser = self._launch(hosts)
            self._hosts, self._pages = tuple(hosts), 0
        self._pages += 1
        return self._browser.new_context(
            locale="zh-CN",
            viewport={"width": 1280, "height": 800},
            service_workers="block",  # their requests would not be seen
            accept_downloads=False,
            storage_state=cast("StorageState | None", storage_state),
            proxy={"server": relay.replace(LOOPBACK, self._relay_name), "bypass": "<-loopback>"} if relay else None,
        )

    def close(self) -> None:
        self._calls.put(None)
        self._thread.join(MARGIN_SECONDS)
        if self._thread.is_alive():
            self.kill()

    def kill(self) -> None:
        """End a browser that answers nobody: Playwright's driver and all that it started."""
        self.is_dead = True
        for pid in _descendants(self._drivers):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        logger.warning("A browser hung and was ended")

    def _serve(self) -> None:
        from playwright.sync_api import sync_playwright

        try:
            before = set(_descendants([os.getpid()]))
            self._playwright = sync_playwright().start()
            # Playwright does not say which process its driver is: the one that is new and bears its name.
            self._drivers = [pid for pid in _descendants([os.getpid()]) if pid not in before and _is_driver(pid)]
            while True:
                try:
                    call = self._calls.get(timeout=IDLE_SECONDS)
                except queue.Empty:
                    self._close_browser()
                    continue
                if call is None:
                    break
                step, future = call
                try:
                    future.set_result(step())
                except BaseException as error:
                    future.set_exception(error)
            self._close_browser()
            self._playwright.stop()
        except Exception:
            logger.exception("The browser's thread ended")
        finally:
            self.is_dead = True
            self._refuse_waiting()

    def _refuse_waiting(self) -> None:
        while True:
            try:
                call = self._calls.get_nowait()
            except queue.Empty:
                return
            if call is not None:
                call[1].set_exception(Unreachable("The browser has ended.", code="browser_ended"))

    def _launch(self, hosts: Sequence[str]) -> "Browser":
        import playwright.sync_api as playwright

        # Rules hold for a proxy's name too. So relays have one, which no page can guess: to pages loopback stays unknown.
        relays = f"MAP {self._relay_name} {LOOPBACK}"
        rules = ", ".join([relays, "MAP * ~NOTFOUND", *(f"EXCLUDE {host}" for host in hosts)])
        options: dict[str, Any] = {
            "executable_path": executable(),
            "args": [*ARGUMENTS, f"--host-resolver-rules={rules}"],
            "timeout": LAUNCH_SECONDS * 1000,
            # Signals are the worker's: it hands its job back and closes the browser itself.
            "handle_sigint": False,
            "handle_sigterm": False,
            "handle_sighup": False,
        }
        if os.geteuid() != 0:
            try:
                return cast("Browser", self._playwright.chromium.launch(chromium_sandbox=True, **options))
            except playwright.Error:
                logger.warning("Chromium's sandbox does not start here (no user namespaces?); going on without it")
        return cast("Browser", self._playwright.chromium.launch(chromium_sandbox=False, **options))

    def _close_browser(self) -> None:
        browser, self._browser = self._browser, None
        if browser is not None:
            try:
                browser.close()
            except Exception:  # whatever a dying browser says, it is gone
                logger.info("The browser was gone before it was closed", exc_info=True)


def _descendants(roots: Sequence[int]) -> list[int]:
    """These processes, their children, and so on, as /proc tells."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = stat.read_text().rpartition(")")[2].split()[1]
            children.setdefault(int(parent), []).append(int(stat.parent.name))
    found = list(roots)
    for pid in found:
        found += children.get(pid, [])
    return found


def _is_driver(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return b"playwright" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def executable() -> str | None:
    """CHROMIUM_PATH, else the system's Chromium or Chrome, else None: Playwright's own."""
    return os.environ.get("CHROMIUM_PATH") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


_starting = threading.Lock()
_current: _Chromium | None = None


def _chromium_of_this_process() -> _Chromium:
    global _current
    with _starting:
        if _current is None or _current.is_dead or _current.pid != os.getpid():
            _current = _Chromium()
        return _current


atexit.register(close)
