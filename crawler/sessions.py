"""A person's cookies, in whatever form their browser gave them, as Playwright's storage state. Pure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from crawler.cleaning import clean_text

MOST_BYTES = 512 * 1024
MOST_COOKIES = 500
MOST_VALUE = 8_192
SAME_SITE = {"strict": "Strict", "lax": "Lax", "none": "None", "no_restriction": "None", "unspecified": "Lax"}


class BadCookies(ValueError):
    """The text holds no cookies that this platform could use; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Session:
    storage_state: dict[str, Any]
    expires_at: datetime | None
    """When the first of its cookies runs out; None if none of them does before the browser is closed."""


def read_session(text: str, hosts: tuple[str, ...]) -> Session:
    """Read a Playwright storage state, a JSON list of cookies (browser extensions), or a Netscape cookies.txt.

    Cookies of other places than `hosts` and their subdomains are left out: they are nobody's business here. Raises BadCookies.
    """
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise BadCookies("This is far more than the cookies of one platform.")
    stripped = text.strip().removeprefix("\ufeff")
    found = list(_from_json(stripped) if stripped[:1] in "[{" and stripped else _from_netscape(stripped))
    cookies = {(c["name"], c["domain"], c["path"]): c for c in found if _belongs(c["domain"], hosts)}
    if not hosts:
        raise BadCookies("No cookies are used for this.")
    if not cookies:
        where = ", ".join(hosts)
        raise BadCookies(f"None of these cookies belongs to {where}." if found else "There are no cookies in this text.")
    if len(cookies) > MOST_COOKIES:
        raise BadCookies("This is far more than the cookies of one platform.")
    ends = [cookie["expires"] for cookie in cookies.values() if cookie["expires"] > 0]
    now = datetime.now(UTC)
    if ends and len(ends) == len(cookies) and max(ends) < now.timestamp():
        raise BadCookies("All of these cookies have run out.")
    ahead = [end for end in ends if end > now.timestamp()]
    return Session(
        {"cookies": list(cookies.values()), "origins": []},
        datetime.fromtimestamp(min(ahead), UTC) if ahead else None,
    )


def _from_json(text: str) -> Iterator[dict[str, Any]]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadCookies("This begins like JSON, but is not.") from error
    entries = data.get("cookies") if isinstance(data, dict) else data
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict):
            expires = entry.get("expires", entry.get("expirationDate", -1))
            yield from _cookie(
                name=entry.get("name"),
                value=entry.get("value"),
                domain=entry.get("domain"),
                path=entry.get("path"),
                expires=expires,
                http_only=entry.get("httpOnly") is True,
                secure=entry.get("secure") is True,
                same_site=str(entry.get("sameSite") or "lax").lower(),
            )


def _from_netscape(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        fields = line.removeprefix("#HttpOnly_").split("\t")
        if len(fields) == 7 and (line.startswith("#HttpOnly_") or not line.startswith("#")):
            domain, _subdomains, path, secure, expires, name, value = fields
            yield from _cookie(
                name=name,
                value=value.strip(),
                domain=domain,
                path=path,
                expires=int(expires) if expires.isascii() and expires.isdigit() else -1,
                http_only=line.startswith("#HttpOnly_"),
                secure=secure.upper() == "TRUE",
                same_site="lax",
            )


def _cookie(
    *, name: Any, value: Any, domain: Any, path: Any, expires: Any, http_only: bool, secure: bool, same_site: str
) -> Iterator[dict[str, Any]]:
    """One cookie as the browser takes it, or none."""
    texts = [name, value, domain]
    if not all(isinstance(text, str) for text in texts) or not name or not domain or len(value) > MOST_VALUE:
        return
    if any(clean_text(text, MOST_VALUE)[0] != text.strip() or ";" in text for text in texts):
        return
    is_time = isinstance(expires, int | float) and not isinstance(expires, bool) and 0 < expires < 2**40
    kind = SAME_SITE.get(same_site, "Lax")
    yield {
        "name": name,
        "value": value,
        "domain": domain.lower(),
        "path": path if isinstance(path, str) and path.startswith("/") else "/",
        "expires": float(expires) if is_time else -1,
        "httpOnly": http_only,
        "secure": secure or kind == "None",  # a browser refuses SameSite=None over plain HTTP
        "sameSite": kind,
    }


def _belongs(domain: str, hosts: tuple[str, ...]) -> bool:
    name = domain.lstrip(".")
    return any(name == host or name.endswith("." + host) for host in hosts)
