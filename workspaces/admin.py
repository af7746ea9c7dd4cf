"""People: workspaces with their members, accounts, addresses, API tokens."""

from typing import Any

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from knox.models import AuthToken
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from workspaces.deleting import DeletesWhatBelongsToIt
from workspaces.models import Membership, Workspace

SHOWN_OF_A_TOKEN = 8

for model in (User, Group, EmailAddress, AuthToken):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


def _token_in_words(token: AuthToken) -> str:
    return f"{token.token_key[:SHOWN_OF_A_TOKEN]}… ({token.user})"


# Its own words hold the whole digest, and stand on the pages and in the audit trail of every deletion.
AuthToken.add_to_class("__str__", _token_in_words)


class MembersInline(TabularInline):
    """A person is invited by being added here; which workspace is active is their own choice."""

    model = Membership
    fields = ["user", "role", "is_active", "created_at"]
    readonly_fields = ["is_active", "created_at"]
    autocomplete_fields = ["user"]
    extra = 0
    verbose_name_plural = _("members")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        members: QuerySet[Membership] = super().get_queryset(request).select_related("user", "workspace")
        return members


@admin.register(Workspace)
class WorkspaceAdmin(DeletesWhatBelongsToIt, ModelAdmin):
    list_display = ["name", "slug", "show_members", "show_sources", "created_at"]
    search_fields = ["name", "slug", "members__username", "members__email"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [MembersInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workspace]:
        counted = {"member_count": Count("memberships", distinct=True), "source_count": Count("sources", distinct=True)}
        workspaces: QuerySet[Workspace] = super().get_queryset(request).annotate(**counted)
        return workspaces

    @display(description=_("members"), ordering="member_count")
    def show_members(self, workspace: Any) -> int:
        return int(workspace.member_count)

    @display(description=_("sources"), ordering="source_count")
    def show_sources(self, workspace: Any) -> int:
        return int(workspace.source_count)


class WorkspacesInline(TabularInline):
    model = Membership
    fields = ["workspace", "role", "is_active", "created_at"]
    readonly_fields = ["is_active", "created_at"]
    autocomplete_fields = ["workspace"]
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        members: QuerySet[Membership] = super().get_queryset(request).select_related("user", "workspace")
        return members


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


@admin.register(User)
class PersonAdmin(DeletesWhatBelongsToIt, DjangoUserAdmin[User], ModelAdmin):
    """Who left entries in the audit trail stays, so that it still says who did what.

    Who may change people, and is no superuser, makes nobody staff or superuser and touches no superuser: their password, say.
    """

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "is_active", "is_staff", "is_superuser", "last_login", "date_joined"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    compressed_fields = True
    filter_horizontal = ()
    autocomplete_fields = ["groups"]
    fieldsets = [
        (None, {"fields": ["username", "password", "first_name", "last_name", "email"]}),
        # What staff may do is said by their groups; permissions of one person alone are found by nobody later.
        (_("May"), {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        (_("Times"), {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]
    inlines = [WorkspacesInline]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else []

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **options)
        if db_field.name == "is_active" and field is not None:
            field.help_text = _(
                "Uncheck Active instead of deleting: whoever changed something in the admin stays in the audit trail."
            )
        return field

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        powers = [] if _is_superuser(request) else ["is_staff", "is_superuser", "groups"]
        return [*self.readonly_fields, *powers]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if isinstance(obj, User) and obj.is_superuser and not _is_superuser(request):
            return False
        return bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if isinstance(obj, User) and obj.is_superuser and not _is_superuser(request):
            return False
        if isinstance(obj, User) and LogEntry.objects.filter(user=obj).exists():
            return False
        return bool(super().has_delete_permission(request, obj))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        shown, counts, lacking, protected = super().get_deleted_objects(objs, request)
        chosen = [person.pk for person in objs]
        kept = User.objects.filter(pk__in=LogEntry.objects.filter(user__in=chosen).values("user")).order_by("username")
        sentence = _("%s has entries in the audit trail: uncheck Active instead.")
        above = [] if _is_superuser(request) else [person for person in objs if person.is_superuser]
        return shown, counts, lacking, [*protected, *above, *(sentence % person for person in kept)]


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Named sets of permissions for staff."""


@admin.register(EmailAddress)
class EmailAddressAdmin(ModelAdmin):
    list_display = ["email", "user", "verified", "primary"]
    list_filter = ["verified", "primary"]
    list_select_related = ["user"]
    search_fields = ["email", "user__username"]
    autocomplete_fields = ["user"]


@admin.register(AuthToken)
class TokenAdmin(ModelAdmin):
    """Tokens are made by their owners (account page) or by `manage.py token`. Deleting one revokes it at once."""

    list_display = ["show_start", "user", "created", "expiry"]
    list_filter = ["created", "expiry"]
    list_select_related = ["user"]
    search_fields = ["user__username", "user__email", "token_key"]
    fields = ["show_start", "user", "created", "expiry"]
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @display(description=_("begins with"))
    def show_start(self, token: AuthToken) -> str:
        return f"{token.token_key[:SHOWN_OF_A_TOKEN]}…"
