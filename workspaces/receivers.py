"""Nobody who signs in is without a workspace, however their account was made."""

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver

from workspaces.services import ensure_membership


@receiver(user_logged_in)
def give_a_workspace(*, user: User, **_: Any) -> None:
    ensure_membership(user)
