"""The main figure of a picture, by topic. Each draws into a box 100 units wide and 100 high."""

from collections.abc import Callable
from random import Random

from sample_platform.art.brush import Brush, Palette
from sample_platform.art.heroes import cat, craft, dance, fitness, food, streetfood, tech, travel

Hero = Callable[[Brush, Random, Palette], None]

HEROES: dict[str, dict[str, Hero]] = {
    name: {hero.__name__: hero for hero in module.HEROES}
    for name, module in (
        ("cat", cat),
        ("food", food),
        ("travel", travel),
        ("dance", dance),
        ("streetfood", streetfood),
        ("fitness", fitness),
        ("craft", craft),
        ("tech", tech),
    )
}


def choose(topic: str, name: str, chance: Random) -> Hero:
    """The drawing of that name, or any of the topic's."""
    return HEROES[topic].get(name) or chance.choice(list(HEROES[topic].values()))
