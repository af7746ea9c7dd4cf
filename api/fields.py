"""Serializers that take what the schema says and nothing else.

DRF's own are kind to forms: a number for a string, "yes" for true, unknown names passed over in silence. A typing
error in a client should be told to the client.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from crawler.cleaning import clean_text

BIGGEST_ID = 2**63 - 1
MOST_NAMED = 20
"""Choices that an error names."""
_QUOTED = 100
_LONGEST = 10_000
_WHOLE = re.compile(r"-?[0-9]{1,19}", re.ASCII)


class KnownNames:
    # An unknown name is an error of that name. (A docstring here would be every body's description in the schema.)
    fields: Any
    no_names = _("There is nothing to set here.")

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            writable = {name for name, field in self.fields.items() if not field.read_only}
            if unknown := [str(name)[:100] for name in data if name not in writable]:
                known = ", ".join(sorted(writable))
                sentence = _("Unknown; known are: %(known)s.") % {"known": known} if known else self.no_names
                raise serializers.ValidationError({name: [sentence] for name in unknown}, code="unknown")
        return super().to_internal_value(data)  # type: ignore[misc]  # mixed into serializers


class StrictSerializer(KnownNames, serializers.Serializer[Any]):
    is_query = False


class QuerySerializer(StrictSerializer):
    """The query parameters of a view: everything arrives as text, and each name once."""

    is_query = True
    no_names = _("This address takes no parameters.")

    def to_internal_value(self, data: Any) -> Any:
        repeated = [name for name in data if len(data.getlist(name)) > 1]
        if repeated:
            raise serializers.ValidationError({name: [_("Given more than once.")] for name in repeated}, code="repeated")
        return super().to_internal_value(data.dict())


class _Strict:
    """For fields: whether the value comes from a query string."""

    root: Any

    @property
    def reads_text(self) -> bool:
        return bool(getattr(self.root, "is_query", False))


class TextField(_Strict, serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class PlainField(TextField):
    """One line of text, without invisible and control characters: what a person pasted along is left out."""

    def to_internal_value(self, data: Any) -> str:
        given = super().to_internal_value(data)
        if self.max_length is not None and len(given) > self.max_length:
            self.fail("max_length", max_length=self.max_length)  # as it was sent, not as it is kept
        text = clean_text(given, _LONGEST, one_line=True)[0]
        if not text and not self.allow_blank:
            self.fail("blank")
        return text


class IntegerField(_Strict, serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, float) and data.is_integer():
            data = int(data)  # 5.0 is the integer 5, in JSON as in its schema
        given = _WHOLE.fullmatch(data) if isinstance(data, str) and self.reads_text else type(data) is int
        if not given:
            self.fail("invalid")
        number = super().to_internal_value(data)
        if abs(number) > BIGGEST_ID:
            self.fail("invalid")
        return number


class IdField(IntegerField):
    """The primary key of a row. One beyond what the database counts to is a row that does not exist, not an error."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=BIGGEST_ID, **kwargs)


class NumberField(_Strict, serializers.FloatField):
    default_error_messages = {"not_finite": _("A finite number is required.")}

    def to_internal_value(self, data: Any) -> float:
        if not isinstance(data, str if self.reads_text else int | float) or isinstance(data, bool):
            self.fail("invalid")
        number = super().to_internal_value(data)
        if number != number or abs(number) == float("inf"):
            self.fail("not_finite")
        return number


class BooleanField(_Strict, serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        known: dict[Any, bool] = {"true": True, "false": False} if self.reads_text else {True: True, False: False}
        if not isinstance(data, str if self.reads_text else bool) or data not in known:
            self.fail("invalid", input=str(data)[:100])
        return known[data]


class ChoiceField(serializers.ChoiceField):
    """Names the choices to whoever sends another."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)

    def fail(self, key: str, **about: Any) -> NoReturn:
        if key == "invalid_choice":
            raise serializers.ValidationError(not_a_choice(about["input"], self.choices), code=key)
        super().fail(key, **about)


def not_a_choice(given: Any, choices: Iterable[Any]) -> str:
    """The sentence for who sent something else than what there is to choose from."""
    names = [str(choice) for choice in choices if choice != ""]
    listed = ", ".join(names[:MOST_NAMED]) + (", …" if len(names) > MOST_NAMED else "")
    return _("“%(given)s” is not a choice. There are: %(choices)s.") % {"given": str(given)[:_QUOTED], "choices": listed}


class StrictModelSerializer(KnownNames, serializers.ModelSerializer[Any]):
    # The limits and validators of the model's fields, and none of their lenience.

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: TextField,
        models.TextField: TextField,
        models.BooleanField: BooleanField,
        models.PositiveIntegerField: IntegerField,
        models.PositiveSmallIntegerField: IntegerField,
        models.PositiveBigIntegerField: IntegerField,
    }
    serializer_choice_field = ChoiceField
