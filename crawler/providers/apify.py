"""TikTok sounds by runs of an Apify actor: ordered once, called back by a webhook, looked for by polling all the same.

A start is billed, and Apify knows no key that would make a second one harmless. So the place is kept (a page that is only
a mark) before the order goes out, and again with the run's id before anything else is done with it. Where the answer is lost
in between, nothing is ordered anew until it is known that nothing runs: the webhook may name the run, Apify's list of runs
may, and if neither does, a person decides.
"""

import ipaddress
import json
import secrets
from collections.abc import Generator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn
from urllib.parse import urlsplit

from crawler.providers.apify_api import ENDED, ActorRun, Api, StartUnknown, check_actor
from crawler.providers.apify_parser import parse_items
from crawler.providers.base import Access, Page, Query, VideoData
from crawler.providers.errors import Changed, Gone, OrderFailed, OrderLost, OrderUnknown, Underway, Unsupported
from crawler.providers.sound_links import NotASound, SoundLink, read_sound
from jobs.errors import JobError

WEBHOOK_PATH = "/api/webhooks/apify"
SECRET_HEADER = "X-Groundswell-Secret"
ORDER_HEADER = "X-Groundswell-Order"
"""Repeats to us how we called the order, before we knew how Apify calls the run."""
EVENTS = [f"ACTOR.RUN.{name}" for name in ("CREATED", "SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT")]

RESULTS_PER_PAGE = 100
"""What a page of a source's "pages per run" means here: so many results are ordered for each."""
BATCH = 100
MOST_ITEMS = 20_000
RUN_SECONDS = 3600
"""Apify ends a run after so long."""
FIRST_LOOK, LAST_LOOK = timedelta(seconds=5), timedelta(minutes=2)
"""Between two looks at a run: as long as it has lasted already, within these bounds."""
SETTLING = timedelta(seconds=8)
"""A dataset may know its total only some seconds after the last write."""
BEGUN_BY_THEN = timedelta(seconds=30)
"""A run that Apify's list does not show by then was never begun."""
MOST_RUNS = 20
LOOK_FOR_LOST = timedelta(minutes=15)
MOST_PATIENCE = timedelta(hours=3)


class Apify:
    """Kind sound only. Cursors: {} (nothing ordered), {order, at} (ordered, no answer yet), {order, at, run, …} (a run)."""

    def crawl(self, query: Query, access: Access, *, cursor: Mapping[str, Any] | None, pages: int) -> Generator[Page, None, None]:
        if query.kind != "sound":
            raise Unsupported("Apify is asked for sounds only.")
        sound = sound_of(query, access.site_url)
        given = {"musics": [sound.url() if sound.slug else sound.id], "resultsPerPage": pages * RESULTS_PER_PAGE}
        api, place = Api(access), dict(cursor or {})
        if "run" not in place and "order" in place and not place.get("is_lost"):
            place = yield from self._look_for(api, access, given, place)
        if "run" not in place:
            place = yield from self._order(api, access, given)
        yield from self._read(api, access, sound, place, pages * RESULTS_PER_PAGE)

    def fetch_video(self, url: str, access: Access) -> VideoData:
        raise Unsupported("Apify is asked for sounds only.")

    def knows(self, url: str, base_url: str) -> bool:
        return False

    # -- the order ---------------------------------------------------------------------------------------

    def _order(self, api: Api, access: Access, given: Mapping[str, Any]) -> Generator[Page, None, dict[str, Any]]:
        actor, most = check_actor(access.options["actor"]), given["resultsPerPage"]
        place: dict[str, Any] = {"order": f"order-{secrets.token_hex(8)}", "at": _now().isoformat()}
        yield _mark(place, place["order"])
        webhooks = _webhooks(access, place["order"])
        try:
            run_id = api.start(actor, given, webhooks=webhooks, most_items=most, seconds=RUN_SECONDS)
        except StartUnknown as error:
            sentence = f"Apify did not say whether it took the order ({error}) It is looked for before anything is ordered again."
            raise OrderUnknown(sentence, retry_after=FIRST_LOOK) from error
        except JobError:
            yield _mark({})
            raise
        place["run"] = run_id
        yield _mark(place, run_id)
        return place

    def _look_for(
        self, api: Api, access: Access, given: Mapping[str, Any], place: dict[str, Any]
    ) -> Generator[Page, None, dict[str, Any]]:
        """The place with the run that an unanswered order led to, or {} if it led to none. Raises while that is not known."""
        began, now = _moment(place.get("at")), _now()
        run_id = self._begun(api, access.options["actor"], given, began - timedelta(minutes=1))  # clocks differ
        if run_id:
            place["run"] = run_id
            yield _mark(place, run_id)
            return place
        if run_id is not None and now - began >= BEGUN_BY_THEN:
            return {}
        if now - began >= LOOK_FOR_LOST:
            yield _mark({**place, "is_lost": True}, place["order"])
            raise OrderLost(
                "Apify never said whether it took the order for a run, and no webhook came. Its console shows its runs; "
                "to try again orders another."
            )
        raise OrderUnknown("It is not known yet whether Apify took the order.", retry_after=_pause(now - began))

    def _begun(self, api: Api, actor: str, given: Mapping[str, Any], since: datetime) -> str | None:
        """The run of that input since then; empty if there is none; None if that cannot be told."""
        runs = api.newest_runs(check_actor(actor), MOST_RUNS)
        if runs is None:
            return None
        recent = [(run, api.input_of(run)) for run in runs if run.started_at is None or run.started_at >= since]
        ours = [run.id for run, was_given in recent if was_given == given]
        if ours:
            return ours[0]
        is_all_known = len(recent) < MOST_RUNS and all(was_given is not None for _run, was_given in recent)
        return "" if is_all_known else None

    # -- the run -----------------------------------------------------------------------------------------

    def _read(
        self, api: Api, access: Access, sound: SoundLink, place: dict[str, Any], ordered: int
    ) -> Generator[Page, None, None]:
        run = yield from self._ended(api, place)
        offset, found = int(place.get("offset", 0)), int(place.get("found", 0))
        while True:
            try:
                batch = api.items(run, offset=offset, limit=BATCH)
            except Gone as error:
                yield _mark({}, run.id)
                raise OrderFailed("Apify no longer has what the run found.") from error
            listing = parse_items(batch.items, site_url=access.site_url, sound_id=sound.id)
            offset, found = batch.following, found + len(listing.videos)
            is_last = batch.is_last or offset >= MOST_ITEMS
            place |= {"offset": offset, "found": found, "why": place.get("why") or next(iter(listing.errors), "")}
            is_settled = run.status != "SUCCEEDED" or offset >= ordered or place.get("is_settling") or _is_old(run)
            is_over = is_last and is_settled and run.status == "SUCCEEDED" and not (place["why"] and not found)
            if is_last and not is_settled:
                place["is_settling"] = True
            yield Page(
                videos=listing.videos,
                cursor=None if is_over else dict(place),
                skipped=listing.skipped,
                errors=listing.errors,
                sound=listing.sound,
                is_mark=not batch.items,
                order=run.id,
            )
            if is_over:
                return
            if is_last and not is_settled:
                raise Underway("The run has ended; its last results may still be on their way.", retry_after=SETTLING)
            if is_last:
                yield from _failed(run, str(place["why"]))

    def _ended(self, api: Api, place: dict[str, Any]) -> Generator[Page, None, ActorRun]:
        """The run, once it is over. Raises Underway while it is not."""
        try:
            run = api.run(str(place["run"]))
        except Gone as error:
            yield _mark({}, place["run"])
            raise OrderFailed("Apify no longer knows the run.") from error
        if run.status in ENDED:
            return run
        lasted = _now() - _moment(place.get("at"))
        if lasted > MOST_PATIENCE:
            yield _mark({}, run.id)
            raise OrderFailed(f"The run at Apify is {run.status[:20]} after {lasted}: it is waited for no longer.")
        words = {"READY": "The run waits at Apify."}.get(run.status, "The run goes on at Apify.")
        raise Underway(f"{words} {run.message}".strip(), retry_after=_pause(lasted))


def sound_of(query: Query, site_url: str) -> SoundLink:
    """What a source of kind sound watches, by its id or link. Raises Unsupported."""
    for text in (query.url, query.value):
        try:
            found = read_sound(text, site_url) if text else None
        except NotASound:
            continue
        if isinstance(found, SoundLink) and found.id in query.value:
            return found
    if query.value.isdigit() and query.value.strip("0"):
        return SoundLink(query.value)
    raise Unsupported(f"This names no TikTok sound: {query.value[:100]}")


def _failed(run: ActorRun, why: str) -> Generator[Page, None, NoReturn]:
    yield _mark({}, run.id)  # a retry orders anew
    if run.status == "SUCCEEDED":
        raise OrderFailed(f"The run found no video: {why}.")
    words = {"FAILED": "failed", "TIMED-OUT": "took too long", "ABORTED": "was stopped at Apify"}[run.status]
    told = run.message or why
    raise OrderFailed(f"The run at Apify {words}{f': {told}' if told else '.'}")


def _webhooks(access: Access, order: str) -> list[dict[str, Any]]:
    """What Apify is asked to call. None where it could not reach us from outside: then polling finds the end alone."""
    ours, theirs = access.options["our_url"].rstrip("/"), access.base_url
    if not access.options.get("secret") or (_is_here(ours) and not _is_here(theirs)):
        return []
    headers = {SECRET_HEADER: access.options["secret"], ORDER_HEADER: order}
    return [{"eventTypes": EVENTS, "requestUrl": f"{ours}{WEBHOOK_PATH}", "headersTemplate": json.dumps(headers)}]


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or "." not in host


def _mark(place: Mapping[str, Any], order: str = "") -> Page:
    return Page(videos=(), cursor=dict(place), order=order, is_mark=True)


def _pause(lasted: timedelta) -> timedelta:
    return min(max(lasted, FIRST_LOOK), LAST_LOOK)


def _is_old(run: ActorRun) -> bool:
    return run.finished_at is not None and abs(_now() - run.finished_at) > SETTLING


def _moment(text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise Changed("The place where this run stood cannot be read.") from error
    return moment


def _now() -> datetime:
    return datetime.now(UTC)
