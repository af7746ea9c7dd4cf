"""Giving people a workspace, and moving between them."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from workspaces.models import Membership, Role, Workspace, first_workspace


@transaction.atomic
def ensure_membership(user: User) -> Membership:
    """Return what this person works with; give it to those who have nothing: staff join the first workspace,
    everybody else gets one of their own. Safe to repeat, and by many at once."""
    type(user)._default_manager.select_for_update().get(pk=user.pk)  # two sign-ins at once give one workspace
    membership = Membership.objects.filter(user=user).select_related("workspace").order_by("-is_active", "pk").first()
    if membership is not None:
        return membership
    if user.is_staff:
        role = Role.OWNER if user.is_superuser else Role.EDITOR
        return Membership.objects.create(workspace=first_workspace(), user=user, role=role, is_active=True)
    return Membership.objects.create(workspace=_own_workspace(user), user=user, role=Role.OWNER, is_active=True)


def _own_workspace(user: User) -> Workspace:
    # The primary key makes the slug unique: names may differ only in what a slug leaves out.
    slug = f"{slugify(user.get_username())[:40] or 'person'}-{user.pk}"
    return Workspace.objects.create(name=_("%(person)s’s workspace") % {"person": user.get_username()[:60]}, slug=slug)
