"""People of two workspaces, and clients that speak for them."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from api import throttles
from api.tokens import create_token
from tests.factories import MembershipFactory, UserFactory
from workspaces.models import Membership, Role


class ApiClient(Client):
    """JSON in and out, with a token where there is a person."""

    def __init__(self, person: Any = None, **options: Any) -> None:
        super().__init__(enforce_csrf_checks=True, **options)
        self.person = person
        self.bearer = {"Authorization": f"Bearer {create_token(person)}"} if person else {}

    def generic(  # type: ignore[override]  # its many options go through as they are
        self, method: str, path: Any, data: Any = b"", content_type: str | None = "application/json", **extra: Any
    ) -> Any:
        extra["headers"] = {**self.bearer, **(extra.get("headers") or {})}
        return super().generic(method, path, data, content_type, **extra)

    def send(self, method: str, path: str, body: Any = None, **extra: Any) -> Any:
        """A request with a JSON body, or with none."""
        sent = json.dumps(body).encode() if body is not None else b""
        return self.generic(method.upper(), path, sent, **extra)


@dataclass
class People:
    """Who may ask: an owner, an editor and a viewer of one workspace, an owner of another, staff, nobody."""

    owner: Membership
    editor: Membership
    viewer: Membership
    foreigner: Membership
    staff: Membership

    def client(self, role: str) -> ApiClient:
        return ApiClient(None if role == "anonymous" else getattr(self, role).user)


@pytest.fixture
def people(db: None) -> People:
    owner = MembershipFactory.create()
    return People(
        owner=owner,
        editor=MembershipFactory.create(workspace=owner.workspace, role=Role.EDITOR),
        viewer=MembershipFactory.create(workspace=owner.workspace, role=Role.VIEWER),
        foreigner=MembershipFactory.create(),
        staff=MembershipFactory.create(user=UserFactory.create(staff=True)),
    )


@pytest.fixture
def anonymous(db: None) -> ApiClient:
    return ApiClient()


@pytest.fixture(autouse=True)
def _fresh_throttles() -> None:
    throttles.forget()
