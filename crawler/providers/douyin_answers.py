"""What one of Douyin's answers means: data, or one of the ways to be refused. Pure."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from crawler.cleaning import clean_retry_after
from crawler.providers.aweme import Malformed
from crawler.providers.base import VideoData
from crawler.providers.douyin_parser import classify, entries_of, parse_post, unwrap
from crawler.providers.errors import Blocked, Changed, Gone, LoginRequired, RateLimited, Unreachable

MAX_BODY = 32 * 1024 * 1024
NEEDS_LOGIN = 2483
NOT_AVAILABLE = 2053
LOGIN_WORDS = ("请先登录", "用户未登录", "登录后")
CAPTCHA_WORDS = ("验证码", "verify_check", "captcha", "安全验证")


def check_status(status: int, headers: Mapping[str, str], now: datetime | None = None) -> None:
    """Raise for an HTTP status that is a refusal or a fault; header names in lower case."""
    if status == 429:
        wait = clean_retry_after(headers.get("retry-after"), now or datetime.now(UTC))
        raise RateLimited("The platform asks for fewer requests (HTTP 429).", retry_after=wait)
    if status in (401, 403):
        raise Blocked(f"The platform refuses us (HTTP {status}).")
    if status >= 500:
        raise Unreachable(f"The platform has a fault of its own (HTTP {status}).")
    if status >= 400:
        raise Changed(f"The platform's address is no longer known (HTTP {status}).")


def decode(body: bytes) -> Any:
    """The JSON of an answer, out of a wrapper if there is one. Raises the refusal that stands in its place."""
    text = body[:MAX_BODY].decode("utf-8", "replace").strip()
    if not text or text.strip('"').lower() == "blocked":
        raise Blocked("The platform gave an empty answer: it takes us for a machine.")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise refusal_of_page(text) or Changed("The platform's answer is not JSON any more.") from None
    body_of_platform = unwrap(data)
    if not isinstance(body_of_platform, dict):
        raise Changed("The platform's answer has another shape than before.")
    _check_codes(body_of_platform)
    return body_of_platform


def refusal_of_page(text: str) -> Blocked | LoginRequired | None:
    """Whether a page that came instead of data is a captcha or a sign-in."""
    if any(word in text for word in CAPTCHA_WORDS):
        return Blocked("The platform shows a captcha.")
    if any(word in text for word in LOGIN_WORDS):
        return LoginRequired("The platform wants somebody to be signed in: set cookies for it.")
    return None


def _check_codes(body: Mapping[str, Any]) -> None:
    message = str(body.get("status_msg") or body.get("message") or "")[:200]
    code = body.get("status_code")
    if code == NEEDS_LOGIN or any(word in message for word in LOGIN_WORDS):
        raise LoginRequired("The platform wants somebody to be signed in: set cookies for it.")
    nothing = body.get("search_nil_info")
    if isinstance(nothing, dict) and nothing.get("search_nil_type") == "verify_check":
        raise Blocked("The platform shows a captcha.")
    if code == NOT_AVAILABLE:
        raise Gone("The platform says that this is not available.")
    if code not in (0, None):
        raise Changed(f"The platform answers with code {str(code)[:20]}, which is not known here. {message}".strip())


def check_listing(body: Mapping[str, Any]) -> None:
    """Raise when an answer that should list posts cannot be one."""
    if entries_of(body) is not None or "aweme_list" in body or ("data" in body and body["data"] is None):
        return
    moved = any(isinstance(value, list) and value and isinstance(value[0], dict) for value in body.values())
    if "data" in body or "status_code" not in body or moved:
        raise Changed("The platform's answer has its results in another place than before.")
    raise Blocked("The platform's answer leaves out its results: the account or address is under suspicion.")


def video_of_detail(body: Mapping[str, Any], *, base_url: str, now: datetime | None = None) -> VideoData:
    """The one video of a detail answer. Raises Gone when there is none any more, Changed when it cannot be read."""
    detail = body.get("aweme_detail")
    if not isinstance(detail, dict):
        if "aweme_detail" not in body and "filter_detail" not in body:
            raise Changed("The platform's answer about one video has another shape than before.")
        why = body.get("filter_detail")
        reason = (why.get("detail_msg") or why.get("filter_reason")) if isinstance(why, dict) else ""
        raise Gone(f"The platform shows this video no more{f': {str(reason)[:100]}' if reason else ''}.")
    kind, post = classify(detail)
    if kind == "deleted":
        raise Gone("The video was deleted, or its author keeps it private.")
    if kind == "live":
        raise Gone("This is a live room, not a video.")
    try:
        return parse_post(post or detail, base_url=base_url, now=now or datetime.now(UTC))
    except Malformed as error:
        raise Changed(f"The platform's description of this video cannot be read: {error}.") from error
