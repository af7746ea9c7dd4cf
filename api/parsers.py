"""JSON bodies, read strictly: what PostgreSQL or a later reader could not hold is refused here, at the door."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class StrictJSONParser(JSONParser):
    """UTF-8 JSON objects without NUL, lone surrogates, NaN, repeated names or absurd depth; DRF looks at the size."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            parsed = json.loads(
                stream.read().decode("utf-8"),
                parse_constant=_refuse_constant,
                object_pairs_hook=_without_repeats,
            )
            # What cannot be encoded cannot be stored either, and an error that quotes it could not be sent.
            text = json.dumps(parsed, ensure_ascii=False, allow_nan=False).encode()
            holds_nul = b"\\u0000" in text and _holds_nul(parsed)
        except RecursionError as error:
            raise ParseError(_("The JSON is nested too deeply.")) from error
        except ValueError as error:
            raise ParseError(_("The body is not valid JSON: %(reason)s.") % {"reason": _reason(error)}) from error
        if holds_nul:
            raise ParseError(_("The JSON holds a NUL character."))
        if not isinstance(parsed, dict):
            raise ParseError(_("The body must be a JSON object."))
        return parsed


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}, line {error.lineno}, column {error.colno}"
    if isinstance(error, UnicodeDecodeError | UnicodeEncodeError):
        return "not UTF-8"
    return str(error)[:100]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    parsed = dict(pairs)
    if len(parsed) != len(pairs):
        raise ValueError("a name is given twice")
    return parsed


def _holds_nul(value: Any) -> bool:
    """Tells a NUL from the six harmless characters \\u0000 written out after a backslash."""
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_holds_nul(part) for part in (*value.keys(), *value.values()))
    return isinstance(value, list) and any(_holds_nul(part) for part in value)
