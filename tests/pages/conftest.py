"""Clients of people who may and may not; and what they are shown."""

import re
from typing import Any

import pytest
from django.test import Client

from tests.browser.conftest import browser, page  # noqa: F401 - for the tests here that need one
from tests.factories import MembershipFactory
from workspaces.models import Role


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(response: Any) -> str:
    """On one line, without space at the edges of tags: how a template is broken into lines is nobody's business."""
    return re.sub(r"\s*([<>])\s*", r"\1", " ".join(response.content.decode().split()))


@pytest.fixture
def membership(db: None) -> Any:
    return MembershipFactory()


@pytest.fixture
def member(membership: Any) -> Client:
    """An owner of a workspace."""
    return client_of(membership.user)


@pytest.fixture
def viewer(membership: Any) -> Client:
    """Somebody of the same workspace who may only look."""
    return client_of(MembershipFactory(workspace=membership.workspace, role=Role.VIEWER).user)


@pytest.fixture
def stranger(db: None) -> Client:
    """An owner of another workspace."""
    return client_of(MembershipFactory().user)
