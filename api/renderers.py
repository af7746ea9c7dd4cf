"""JSON out."""

from typing import Any

from rest_framework.renderers import JSONRenderer


class Renderer(JSONRenderer):
    """Passes on what is JSON already: long lists are spelled by the database."""

    def render(self, data: Any, *args: Any, **options: Any) -> bytes:
        return data if isinstance(data, bytes) else super().render(data, *args, **options)
