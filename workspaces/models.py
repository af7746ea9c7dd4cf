"""Who works together: a workspace owns sources (and later rights, channels, alerts); facts about videos are shared."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _


class Workspace(models.Model):
    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="workspaces", blank=True)

    class Meta:
        verbose_name = _("workspace")
        verbose_name_plural = _("workspaces")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner", _("owner")
    EDITOR = "editor", _("editor")
    VIEWER = "viewer", _("viewer")


class Membership(models.Model):
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.EDITOR)
    is_active = models.BooleanField(
        _("active"), default=False, help_text=_("The workspace this person works in now; one at a time.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ["workspace", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user"], name="a_person_joins_a_workspace_once"),
            models.UniqueConstraint(fields=["user"], condition=models.Q(is_active=True), name="one_active_workspace_per_person"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace}"

    @property
    def may_edit(self) -> bool:
        return self.role in (Role.OWNER, Role.EDITOR)

    @transaction.atomic
    def activate(self) -> None:
        """Make this the person's active workspace."""
        siblings = Membership.objects.filter(user_id=self.user_id)
        list(siblings.order_by("pk").select_for_update().values_list("pk"))  # two switches at once: one after the other
        siblings.filter(is_active=True).exclude(pk=self.pk).update(is_active=False)
        siblings.filter(pk=self.pk).update(is_active=True)
        self.is_active = True


def first_workspace() -> Workspace:
    """The workspace that always exists: made at set-up, given to people who have no other."""
    workspace, _created = Workspace.objects.get_or_create(slug="main", defaults={"name": "Main"})
    return workspace


def active_membership(user: AbstractBaseUser | AnonymousUser) -> Membership | None:
    """The membership a signed-in person acts with; the oldest becomes active where none is. None if they have none."""
    if not user.is_authenticated:
        return None
    memberships = Membership.objects.filter(user_id=user.pk).select_related("workspace")
    membership = memberships.order_by("-is_active", "pk").first()
    if membership is not None and not membership.is_active:
        membership.activate()
    return membership
