"""Every factory, with every trait, makes a row that the database accepts."""

import inspect

import pytest

from tests import factories

FACTORIES = [
    factory
    for name, factory in inspect.getmembers(factories, inspect.isclass)
    if name.endswith("Factory") and not factory._meta.abstract  # type: ignore[attr-defined]  # factory_boy has no types
]


@pytest.mark.django_db
@pytest.mark.parametrize("factory", FACTORIES, ids=lambda factory: factory.__name__)
def test_every_factory_makes_rows_that_the_database_accepts(factory):
    factory()

    for trait in factory._meta.parameters:
        factory(**{trait: True})
