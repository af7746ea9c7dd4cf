"""The models that come with the product, fitted once on public series; our own history replaces them in time."""

import functools
import json
from pathlib import Path

from ranking.scoring.model import Model

FOLDER = Path(__file__).parent / "shipped"


@functools.cache
def shipped(family: str) -> Model | None:
    """None for a family that none was fitted for."""
    path = FOLDER / f"{family}.json"
    return Model.from_json(json.loads(path.read_text())) if path.exists() else None
