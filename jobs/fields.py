"""Columns of the job rows."""

from typing import Any

from django.db import models
from django.db.models.functions import Now


class DatabaseTimeField(models.DateTimeField[Any, Any]):
    """Set by the database's clock where nobody gives a value; a new instance knows it at once."""

    db_returning = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"db_default": Now()} | options)
