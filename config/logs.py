"""How a log line looks: one line, the facts of `extra` behind the sentence, no control characters, no secrets."""

import logging
import re
from typing import Any

# What every record has; the rest came by `extra`.
_USUAL = {*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName", "request", "response"}
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Neither begins with what may stand before it: a request can bring thousands of characters to a line, and trying each as a
# beginning took seconds.
_SECRET = re.compile(
    r"(?i)(?P<name>token|secret|passw(?:or)?d|signature|api[_-]?key|\b(?:authorization|sessionid|cookie))"
    r"(?P<sign>[\"']?\s*[=:]\s*[\"']?(?:Bearer\s+)?)[^\s\"'&;,)]+"
)
_USER_INFO = re.compile(r"(?P<scheme>[a-z0-9+.-]://)[^\s/@:]*:[^\s/@]+@")


class LineFormatter(logging.Formatter):
    """A stack trace keeps its lines, each clean and indented."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        facts = {name: value for name, value in record.__dict__.items() if name not in _USUAL}
        line = super().formatMessage(record)
        if facts:
            line += " " + " ".join(f"{name}={_short(value)}" for name, value in sorted(facts.items()))
        return clean(line)

    def formatException(self, ei: Any) -> str:
        return "\n".join("    " + clean(line) for line in super().formatException(ei).splitlines())


def clean(text: str) -> str:
    """Escape what could fake another line or steer a terminal, and cover what looks like a secret."""
    text = _CONTROL.sub(lambda found: repr(found.group())[1:-1], text)
    text = _USER_INFO.sub(r"\g<scheme>***@", text)
    return _SECRET.sub(r"\g<name>\g<sign>***", text)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 500 else f"{text[:500]}…"
