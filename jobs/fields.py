"""SQL pieces of the job rows."""

import json
from typing import Any

from django.db.models import JSONField
from django.db.models.expressions import RawSQL

HISTORY_LENGTH = 50
_APPEND = f"""
    CASE WHEN jsonb_array_length(history) >= {HISTORY_LENGTH} THEN history - 0 ELSE history END
    || jsonb_build_array(jsonb_build_object('at', now()) || %s::jsonb)
"""


def append_history(**facts: Any) -> RawSQL:
    """An UPDATE expression that adds one entry; empty facts are left out, the time is the database's."""
    entry = json.dumps({name: value for name, value in facts.items() if value})
    return RawSQL(_APPEND, [entry], output_field=JSONField())
