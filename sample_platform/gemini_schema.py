"""Schemas that a request may hold its answer to, in both spellings, and answers that obey them."""

import re
from collections.abc import Callable
from typing import Any

from sample_platform.answers import Json

TYPES = {"OBJECT", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "NULL"}
OPEN_API = frozenset((
    "type", "format", "title", "description", "nullable", "enum", "maxItems", "minItems", "properties", "required",
    "minProperties", "maxProperties", "minLength", "maxLength", "pattern", "example", "anyOf", "propertyOrdering",
    "default", "items", "minimum", "maximum",
))  # fmt: skip
JSON_SCHEMA = frozenset((
    "$id", "$defs", "$ref", "$anchor", "type", "format", "title", "description", "enum", "items", "prefixItems",
    "minItems", "maxItems", "minimum", "maximum", "anyOf", "oneOf", "properties", "additionalProperties", "required",
    "propertyOrdering",
))  # fmt: skip
MOST_DEPTH = 12


class BadSchema(ValueError):
    """The service does not take this schema; the message says where."""


def check(schema: Any, allowed: frozenset[str], where: str, depth: int = 0) -> None:
    """Raises BadSchema for words the service does not know and for types that are none."""
    if not isinstance(schema, dict):
        raise BadSchema(f"Invalid value at '{where}': an object was expected")
    if depth > MOST_DEPTH:
        raise BadSchema(f"The schema at '{where}' is nested too deeply")
    for word in schema:
        if word not in allowed:
            raise BadSchema(f"Unknown name \"{word}\" at '{where}': Cannot find field.")
    if "$ref" in schema and any(not word.startswith("$") for word in schema):
        raise BadSchema(f"Beside $ref at '{where}' only words with $ may stand")
    kinds = schema.get("type", [])
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if not isinstance(kind, str) or kind.upper() not in TYPES:
            raise BadSchema(f"Invalid value at '{where}.type': {kind!r}")
    if isinstance(kinds, list) and allowed is OPEN_API and kinds:
        raise BadSchema(f"Invalid value at '{where}.type': one type was expected")
    if isinstance(kinds, str) and kinds.upper() == "ARRAY" and "items" not in schema and "prefixItems" not in schema:
        raise BadSchema(f"'{where}.items': missing field.")
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        raise BadSchema(f"Invalid value at '{where}.properties'")
    if missing := set(schema.get("required", [])) - set(properties) if properties else set():
        raise BadSchema(f"'{where}.required': property is not defined: {min(missing)}")
    for name, part in properties.items():
        check(part, allowed, f"{where}.properties[{name}]", depth + 1)
    if isinstance(schema.get("items"), dict):
        check(schema["items"], allowed, f"{where}.items", depth + 1)
    for word in ("anyOf", "oneOf", "prefixItems"):
        for part in schema.get(word, []):
            check(part, allowed, f"{where}.{word}", depth + 1)
    for name, part in schema.get("$defs", {}).items():
        check(part, allowed, f"{where}.$defs[{name}]", depth + 1)


Say = Callable[[str, Json, int | None], Any]
"""What to write for a property of this name and schema, in the entry for the picture of this number."""


def fill(schema: Json, say: Say, pictures: int) -> Any:
    """An answer that obeys a schema. A list of objects is understood as one object for each picture."""
    return _fill(schema, schema, "", None, say, pictures)


def _fill(schema: Json, root: Json, name: str, place: int | None, say: Say, pictures: int) -> Any:
    if match := re.fullmatch(r"#/\$defs/(.+)", schema.get("$ref", "")):
        schema = root.get("$defs", {}).get(match[1], {})
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return _fill(next((one for one in choices if kind_of(one) != "NULL"), choices[0]), root, name, place, say, pictures)
    kind = kind_of(schema)
    if kind == "OBJECT":
        return {key: _fill(part, root, key, place, say, pictures) for key, part in ordered(schema)}
    if kind == "ARRAY":
        part = schema.get("items") or schema["prefixItems"][0]
        is_each = place is None and kind_of(part, root) == "OBJECT"
        count = pictures if is_each else 1
        count = max(schema.get("minItems", 0), min(count, schema.get("maxItems", count)))
        return [_fill(part, root, name, number if is_each else place, say, pictures) for number in range(count)]
    said = say(name, schema, place)
    if kind in {"NUMBER", "INTEGER"}:
        number = min(max(said, schema.get("minimum", said)), schema.get("maximum", said))
        return int(number) if kind == "INTEGER" else number
    return said


def kind_of(schema: Json, root: Json | None = None) -> str:
    if root is not None and (match := re.fullmatch(r"#/\$defs/(.+)", schema.get("$ref", ""))):
        schema = root.get("$defs", {}).get(match[1], {})
    kind = schema.get("type", "OBJECT" if "properties" in schema else "STRING")
    if isinstance(kind, list):
        kind = next((one for one in kind if one.upper() != "NULL"), "NULL")
    return str(kind).upper()


def ordered(schema: Json) -> list[tuple[str, Json]]:
    properties: Json = schema.get("properties", {})
    first = [name for name in schema.get("propertyOrdering", []) if name in properties]
    return [(name, properties[name]) for name in [*first, *(name for name in properties if name not in first)]]
