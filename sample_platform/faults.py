"""Faults on demand: which there are, whom they touch, and how often they still will."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

DATA = frozenset({"search", "posts", "detail", "hot"})
MEDIA = frozenset({"clip", "slide"})
SERVICES = frozenset({"scrapecreators", "apify", "gemini"})
PLACES = DATA | MEDIA | SERVICES | {"page", "play", "cover", "avatar", "sound", "profile", "tiktok"}


@dataclass(frozen=True)
class Kind:
    """One kind of fault. `places` are the requests it touches unless the switch names its own."""

    name: str
    places: frozenset[str]
    shows: str
    value: str = ""
    """What `value` means for it; empty when it has none."""


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "block",
            DATA,
            "The data calls answer 200 with nothing in it, as an anti-bot wall does. TikTok's pages: a captcha, no data.",
            '"empty" (default), "blocked" (that word), "captcha" (verify_check), "no_data" (no data key) or '
            '"page" (the page itself is the captcha)',
        ),
        Kind(
            "login",
            DATA,
            "The data calls answer status_code 2483: sign in first. A cookie sessionid=sample-session passes.",
        ),
        Kind("empty", frozenset({"search", "posts", "hot"}), "Lists answer properly, with nothing found."),
        Kind("ratelimit", DATA | MEDIA, "429 with Retry-After.", "seconds to wait (default 30), or any header text"),
        Kind("slow", MEDIA, "Media drips; data calls wait.", "bytes per second (default 2048); for data, seconds"),
        Kind("truncated", MEDIA, "The connection closes early.", "share that is sent (default 0.5)"),
        Kind("wrong_length", MEDIA, "Content-Length is too small: a whole answer, part of a file.", "share (0.8)"),
        Kind("range_ignored", MEDIA, "A Range request is answered 200 with everything."),
        Kind("html_as_mp4", MEDIA, "A web page under the media's content type."),
        Kind(
            "gone",
            MEDIA | {"detail", "play"},
            "The video was removed; its media are not found.",
            "status of media (default 404)",
        ),
        Kind("changed", DATA, "The answer is JSON of another shape."),
        Kind("unreachable", PLACES, "503 for everything.", "status (default 503)"),
        Kind("redirect_loop", MEDIA | {"play"}, "302 to itself, for ever."),
        Kind("expired", MEDIA, "Media links count as expired, however new: 403."),
        Kind("huge", frozenset({"cover", "slide"}), "A small PNG of 108 million pixels in the place of the picture."),
        Kind("key_refused", SERVICES, "The right key is refused, as after it was revoked."),
        Kind("cut_json", SERVICES | {"tiktok"}, "The answer ends in the middle of its JSON."),
        Kind("no_credits", frozenset({"scrapecreators", "apify"}), "402: out of credits; Apify starts no run."),
        Kind(
            "soft_refusal",
            frozenset({"scrapecreators"}),
            "200, but the platform behind refused: status_code is not 0 and the list is empty.",
            "the status_code (default 2154)",
        ),
        Kind("stuck_cursor", frozenset({"scrapecreators"}), "Every page sends back the cursor it was asked with."),
        Kind("empty_page", frozenset({"scrapecreators"}), "Pages are empty, and promise more."),
        Kind("webhook_lost", frozenset({"apify"}), "A run ends and tells nobody."),
        Kind("webhook_repeated", frozenset({"apify"}), "Each event is posted many times at once.", "how often (default 100)"),
        Kind(
            "run_ends",
            frozenset({"apify"}),
            "New runs end badly, with half of their items.",
            '"FAILED" (default), "TIMED-OUT" or "ABORTED"',
        ),
        Kind("run_slow", frozenset({"apify"}), "New runs take their time.", "seconds (default 30)"),
        Kind(
            "quota",
            frozenset({"gemini"}),
            "429 RESOURCE_EXHAUSTED with its details.",
            '"minute" (default, 34 s), "day", or the seconds to wait',
        ),
        Kind("refused", frozenset({"gemini"}), "The answer is withheld.", "the finishReason (default SAFETY)"),
        Kind("prompt_refused", frozenset({"gemini"}), "The prompt is blocked: no candidates.", "the blockReason"),
        Kind("cut_off", frozenset({"gemini"}), "MAX_TOKENS in the middle of the answer.", '"nothing" leaves no text at all'),
        Kind(
            "broken_schema",
            frozenset({"gemini"}),
            "The answer breaks the schema it was asked for.",
            '"count" (default, a slide is missing), "json", "enum", "range" or "missing"',
        ),
        Kind("total_lags", frozenset({"apify"}), "After a run's end its last items come late.", "seconds (default 4)"),
    )
}  # fmt: skip


@dataclass
class Fault:
    name: str
    topic: str | None = None
    video: str | None = None
    count: int | None = None
    """How many more requests it touches; None is all."""
    value: Any = None
    places: frozenset[str] = frozenset()
    touched: int = 0

    def touches(self, place: str, topics: set[str], video: str | None) -> bool:
        if place not in self.places or self.count == 0:
            return False
        if self.video is not None and self.video != video:
            return False
        return self.topic is None or self.topic.lower() in topics

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"places": sorted(self.places)}


class UnknownFault(ValueError):
    """The switch cannot be set as asked; the message says why."""


@dataclass
class Faults:
    active: list[Fault] = field(default_factory=list)

    def switch(self, name: str, order: dict[str, Any]) -> None:
        """Turn a fault on or off. One with the same scope is replaced, others of its name stay."""
        kind = KINDS.get(name)
        if kind is None:
            raise UnknownFault(f"no fault is called {name!r}; there are {', '.join(KINDS)}")
        topic, video, count = order.get("topic") or None, order.get("video") or None, order.get("count")
        if not isinstance(topic or "", str) or not isinstance(video or "", str):
            raise UnknownFault("topic and video are texts, or null for all")
        if isinstance(count, bool) or not (count is None or (isinstance(count, int) and count > 0)):
            raise UnknownFault("count is a whole number above zero, or null for no limit")
        value = order.get("value")
        places = _named(order["places"]) if order.get("places") else _usual(kind, topic, video, value)
        self.active = [fault for fault in self.active if (fault.name, fault.topic, fault.video) != (name, topic, video)]
        if order.get("on", True):
            self.active.append(Fault(name, topic, video, count, value, places))

    def take(self, names: str, place: str, *, topics: Iterable[str] = (), video: str | None = None) -> Fault | None:
        """The first active fault among `names` that touches this request; counts it down."""
        lowered = {topic.lower() for topic in topics}
        for fault in self.active:
            if fault.name in names.split() and fault.touches(place, lowered, video):
                fault.touched += 1
                if fault.count is not None:
                    fault.count -= 1
                return fault
        return None

    def clear(self) -> None:
        self.active = []


def _named(places: Any) -> frozenset[str]:
    if not isinstance(places, list) or not all(isinstance(place, str) and place in PLACES for place in places):
        raise UnknownFault(f"places is a list of some of: {', '.join(sorted(PLACES))}")
    return frozenset(places)


def _usual(kind: Kind, topic: str | None, video: str | None, value: Any) -> frozenset[str]:
    """A fault of a topic is about looking for it; a fault of a video about that video."""
    places = kind.places
    if kind.name == "block" and value == "page":
        places |= {"page"}
    if video:
        return places - {"page", "search", "posts", "hot", "avatar", "sound"}
    if topic and places & DATA:
        return places & {"page", "search", "posts", "hot"} or places
    return places
