"""A Douyin_TikTok_Download_API server of our own (version 5) as collector for Douyin and TikTok: profiles and single posts.

Its interface, as read in its source (Evil0ctal/Douyin_TikTok_Download_API 5.1.3: src/dtk/api/routes/content.py, tasks.py and
operations.py, api/envelope.py, core/errors.py, models/content.py):

- GET /api/v1/{douyin|tiktok}/user, …/user/posts, …/video, and POST /api/v1/parse for any link. `include_raw=true` adds the
  platform's own object as `raw` to each item; that is what is read here, by the platform's own parser.
- Every answer is {success, data, error {code, message, retry_after, details}, meta}. A page is {items, cursor, has_more} under
  `data`, its cursor a text to hand back as it is (Douyin: milliseconds; TikTok: an offset).
- Work is queued: 202 with {task_id, state}, then GET /api/v1/tasks/{id} until `state` is done (the result in `data`) or failed
  (`error`). `wait=` seconds hold the first answer back; a server may allow fewer than 30 and then says how many.
- The key goes into `X-API-Key` and needs the scopes douyin:read and tiktok:read; a server may be open to all.
"""

import json
import time
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from crawler.cleaning import clean_count, clean_retry_after, clean_text
from crawler.providers import douyin_facts, douyin_links, douyin_parser, tiktok_links, tiktok_parser
from crawler.providers.aweme import as_mapping, as_text
from crawler.providers.base import Access, AuthorData, Page, Query, VideoData
from crawler.providers.errors import (
    Blocked,
    Changed,
    Gone,
    KeyRefused,
    NotConfigured,
    Private,
    RateLimited,
    Unreachable,
    Unsupported,
)
from jobs.errors import JobError, PermanentError, TransientError

MAX_BYTES = 32 * 1024 * 1024
SECONDS = 100.0
"""For one question, with the waiting for its task."""
WAIT_SECONDS = 25
ASK_AGAIN_SECONDS = 2.0
PER_PAGE = 20
_DONE, _FAILED = "done", "failed"
_LATER = {"RATE_LIMITED", "QUEUE_FULL", "IDENTITY_POOL_EXHAUSTED", "ENDPOINT_CIRCUIT_OPEN"}


class DownloadAPI:
    """See the module. Topics, hashtags, sounds and trending lists it does not offer: others read those."""

    def crawl(self, query: Query, access: Access, *, cursor: Mapping[str, Any] | None, pages: int) -> Generator[Page, None, None]:
        """See Provider. The place is the server's own cursor; one that comes again ends the run."""
        if query.kind != "profile":
            raise Unsupported(f"The download API reads profiles and single posts, not sources of the kind “{query.kind}”.")
        whom = _whom(query.value, access)
        place = as_text((cursor or {}).get("cursor"))
        seen = {place}
        author, is_private = (None, False) if place else _person(whom, access)
        while pages > 0:
            params: dict[str, str | int] = {**whom, "count": PER_PAGE, **({"cursor": place} if place else {})}
            data, meta = _ask(access, f"/{access.platform}/user/posts", params)
            items = data.get("items") if isinstance(data, dict) else data
            if not isinstance(items, list):
                raise Changed("The download API's answer lists no posts: is it version 5?")
            found = _listing([_raw(item) for item in items], access)
            if not found.videos and items and set(found.skipped) == {"malformed"}:
                raise Changed("None of the posts in the download API's answer can be read.")
            if not items and is_private:
                raise Private("The profile shows its videos only to whom it has accepted.")
            if not items and not place and author is not None and author.videos:
                raise Blocked("The profile counts videos, but the list of them comes back empty: the platform holds them back.")
            following = _next(as_mapping(data), meta)
            goes_on = bool(following and items) and following not in seen
            yield Page(
                videos=found.videos,
                cursor={"cursor": following} if goes_on else None,
                skipped=found.skipped,
                errors=found.errors,
                author=author,
            )
            if not goes_on:
                return
            seen.add(following)
            place, author, pages = following, None, pages - 1

    def fetch_video(self, url: str, access: Access) -> VideoData:
        """See Provider."""
        post_id = _links(access).post_id(url, access.site_url)
        if post_id:
            data, _meta = _ask(access, f"/{access.platform}/video", {"aweme_id": post_id})
        else:
            data, _meta = _ask(access, "/parse", {}, body={"url": url, "include_raw": True})
        found = _listing([_raw(data)], access)
        if found.videos:
            return found.videos[0]
        if found.skipped.get("deleted") or found.skipped.get("live"):
            raise Gone("The post was deleted, is kept private, or is a live room.")
        raise Changed("The download API's description of this post cannot be read. " + "; ".join(found.errors)[:200])

    def knows(self, url: str, base_url: str) -> bool:
        """See Provider; for both platforms, each with its own site."""
        return any(
            links.is_ours(url, base_url) and bool(links.post_id(url, base_url) or links.is_short(url, base_url))
            for links in (douyin_links, tiktok_links)
        )


def _links(access: Access) -> Any:
    return tiktok_links if access.platform == "tiktok" else douyin_links


def _whom(value: str, access: Access) -> dict[str, str]:
    """How a profile is named: on Douyin by its lasting id, on TikTok by the address of its page."""
    if access.platform == "tiktok":
        return {"url": f"{access.site_url}/@{quote(value)}"}
    return {"sec_user_id": value}


def _person(whom: Mapping[str, str], access: Access) -> tuple[AuthorData | None, bool]:
    """Whose profile it is, with its own counters; and whether it is private."""
    data, _meta = _ask(access, f"/{access.platform}/user", whom)
    facts = as_mapping(data)
    raw = as_mapping(facts.get("raw"))
    if access.platform == "douyin":
        about = douyin_facts.person_of({"user": raw}, access.site_url) if raw else douyin_facts.About()
        return about.author, about.is_private
    stats = as_mapping(facts.get("stats"))
    user = as_mapping(raw.get("user")) or raw
    author = AuthorData(
        external_id=as_text(facts.get("uid")),
        handle=as_text(facts.get("unique_id")),
        name=as_text(facts.get("nickname")),
        url=as_text(facts.get("web_url")),
        avatar_url=as_text(as_mapping(facts.get("avatar")).get("url")),
        bio=as_text(facts.get("signature")),
        followers=clean_count(stats.get("follower_count"))[0],
        following=clean_count(stats.get("following_count"))[0],
        likes=clean_count(stats.get("total_digg"))[0],
        videos=clean_count(stats.get("content_count"))[0],
        is_verified=bool(facts.get("verified")),
    )
    return (author if author.external_id else None), bool(user.get("privateAccount") or user.get("secret"))


class _Listed(Protocol):
    """What the parsers of both platforms say of a list of posts."""

    @property
    def videos(self) -> tuple[VideoData, ...]: ...

    @property
    def skipped(self) -> Mapping[str, int]: ...

    @property
    def errors(self) -> tuple[str, ...]: ...


def _listing(posts: list[Any], access: Access) -> _Listed:
    if access.platform == "tiktok":
        return tiktok_parser.parse_listing(posts, site_url=access.site_url)
    return douyin_parser.parse_listing({"aweme_list": posts}, base_url=access.site_url)


def _raw(item: Any) -> Any:
    """The platform's own object; what holds none is left to the parser to count as malformed."""
    return as_mapping(item).get("raw") or {"aweme_id": None, "desc": ""}


def _next(page: Mapping[str, Any], meta: Mapping[str, Any]) -> str:
    """The cursor of the page after this one, wherever the server puts it; empty at the end."""
    other = as_mapping(meta.get("cursor"))
    if not (page.get("has_more") or other.get("has_more")):
        return ""
    cursor = page.get("cursor") or other.get("next") or other.get("cursor")
    return str(cursor)[:512] if isinstance(cursor, str | int) else ""


# -- one question ----------------------------------------------------------------------------------


def _ask(
    access: Access, path: str, params: Mapping[str, str | int], body: Mapping[str, Any] | None = None
) -> tuple[Any, Mapping[str, Any]]:
    """The data and meta of an answer, its task waited for. Raises as crawl does."""
    ends_at = time.monotonic() + SECONDS
    wait = WAIT_SECONDS
    raw = {} if body is not None else {"include_raw": "true"}
    status, answer = _exchange(access, path, {**params, **raw, "wait": wait}, ends_at, body)
    error = as_mapping(answer.get("error"))
    details = as_mapping(error.get("details"))
    if error.get("code") == "INVALID_PARAM" and details.get("field") == "wait":
        wait = int(clean_count(details.get("max"))[0] or 0)
        status, answer = _exchange(access, path, {**params, **raw, "wait": min(wait, WAIT_SECONDS)}, ends_at, body)
    task = as_text(as_mapping(answer.get("data")).get("task_id"))
    while status == 202 and task:
        if time.monotonic() > ends_at - ASK_AGAIN_SECONDS:
            raise Unreachable("The download API did not finish in time.", code="timed_out")
        time.sleep(ASK_AGAIN_SECONDS)
        _status, told = _exchange(access, f"/tasks/{quote(task, safe='')}", {}, ends_at)
        _check(told)
        state = as_mapping(told.get("data"))
        if state.get("state") == _FAILED:
            raise _meaning(as_mapping(state.get("error")))
        if state.get("state") == _DONE:
            return state.get("data"), as_mapping(state.get("result_meta"))
    _check(answer)
    return answer.get("data"), as_mapping(answer.get("meta"))


def _exchange(
    access: Access, path: str, params: Mapping[str, str | int], ends_at: float, body: Mapping[str, Any] | None = None
) -> tuple[int, Mapping[str, Any]]:
    """One request: its status and the envelope that came."""
    if access.door is None:
        raise Unsupported("The download API cannot be asked without an outgoing door.")
    headers = {"Accept": "application/json"} | ({"X-Api-Key": access.key} if access.key else {})
    if body is not None:
        headers["Content-Type"] = "application/json"
    left = max(0.001, ends_at - time.monotonic())
    try:
        with access.door.open_stream(
            f"{access.base_url}/api/v1{path}" + (f"?{urlencode(params)}" if params else ""),
            headers=headers,
            deadline_seconds=left,
            max_bytes=MAX_BYTES,
            method="GET" if body is None else "POST",
            body=None if body is None else json.dumps(body).encode(),
            stall_seconds=WAIT_SECONDS * 2,
        ) as stream:
            content, buffer = bytearray(), bytearray(65536)
            while count := stream.readinto(buffer):
                content += memoryview(buffer)[:count]
            status, answered = stream.status, stream.headers
    except TransientError as error:
        raise Unreachable(f"The download API cannot be asked: {error.message}", code=error.code) from error
    except PermanentError as error:
        if error.code == "too_large":
            raise Changed("The download API's answer is larger than any that is known.", code="too_large") from error
        raise
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or "success" not in answer:
        if status == 429:
            wait = clean_retry_after(answered.get("Retry-After"), datetime.now(UTC))
            raise RateLimited("The download API asks for fewer requests (HTTP 429).", retry_after=wait)
        if status >= 500:
            raise Unreachable(f"The download API has a fault of its own (HTTP {status}).")
        raise Changed(f"This does not answer as the download API of version 5 does (HTTP {status}): check DOWNLOAD_API_URL.")
    return status, answer


def _check(answer: Mapping[str, Any]) -> None:
    if answer.get("success") is not True:
        raise _meaning(as_mapping(answer.get("error")))


def _meaning(error: Mapping[str, Any]) -> JobError:
    """What one of the server's error codes means to a crawl."""
    code, said = as_text(error.get("code"))[:40], clean_text(error.get("message"), 200, one_line=True)[0]
    if code in _LATER:
        wait = clean_retry_after(error.get("retry_after"), datetime.now(UTC))
        return RateLimited(f"The download API wants to be asked later ({code}). {said}".strip(), retry_after=wait)
    match code:
        case "UNAUTHENTICATED" | "FORBIDDEN_SCOPE":
            return KeyRefused(f"The download API does not accept our key ({code}): check DOWNLOAD_API_KEY. {said}".strip())
        case "NOT_FOUND":
            return Gone(f"The platform shows this no more. {said}".strip())
        case "CONTENT_PRIVATE":
            return Private(f"The platform shows this only to whom its author has accepted. {said}".strip())
        case "UPSTREAM_RISK_CONTROL":
            return Blocked(f"The platform refuses the download API. {said}".strip())
        case "UPSTREAM_CHANGED" | "SIGNING_FAILED":
            return Changed(f"The download API no longer understands the platform ({code}). {said}".strip())
        case "INVALID_URL" | "UNSUPPORTED_CONTENT" | "INVALID_PARAM":
            return Unsupported(f"The download API does not read this ({code}). {said}".strip())
        case "NOT_CONFIGURED":
            return NotConfigured(f"The download API lacks something of its own. {said}".strip())
    return Unreachable(f"The download API could not do it ({code or 'no reason given'}). {said}".strip())
