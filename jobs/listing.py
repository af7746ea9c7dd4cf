"""Lists of many rows in the admin: counted up to a cap, filtered by what occurs lately, and asked twice before harm."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

COUNTED_TO = 10_000
LOOKED_AT = 5_000
MOST_VALUES = 40


class CappedPaginator(Paginator[Any]):
    """Counts no further than COUNTED_TO: nobody turns that many pages, and a count of millions is slow."""

    @cached_property
    def count(self) -> int:
        # Without its order: a sort of all rows only to count some.
        rows: Any = self.object_list
        return int(rows.order_by()[:COUNTED_TO].count()) if isinstance(rows, QuerySet) else len(rows)


class AuditedActions:
    """Remembers acts by their name in the audit trail, those on many rows and the buttons of a form.

    Django remembers only what is typed into forms. What was not done is not remembered: an act on many rows may say with
    `done_to` which of them it changed, and a button returns whether it did anything.
    """

    def done_to(self, request: HttpRequest, ids: Iterable[Any]) -> None:
        """Which of the chosen rows the act changed; all of them, if it does not say."""
        request.done_to = [str(pk) for pk in ids]  # type: ignore[attr-defined]  # our own note on the request

    def response_action(self, request: HttpRequest, queryset: "QuerySet[Any]") -> Any:
        admin: Any = self
        response = super().response_action(request, queryset)  # type: ignore[misc]  # mixed into a ModelAdmin
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        done: list[str] | None = getattr(request, "done_to", None)
        # A redirect: not the page that asks first, nor a mistaken click.
        if isinstance(response, HttpResponseRedirect) and done != []:
            act = dict(admin.get_action_choices(request)).get(request.POST.get("action", ""), "")
            is_across = done is None and request.POST.get("select_across") == "1"
            which = _("all that the filters let through") if is_across else ", ".join(chosen if done is None else done)
            LogEntry.objects.create(
                user_id=request.user.pk or 0,
                content_type=ContentType.objects.get_for_model(admin.model),
                object_repr=str(admin.model._meta.verbose_name_plural),
                action_flag=CHANGE,
                change_message=f"{act}: {which}"[:1000],
            )
        return response

    def press_button(self, request: HttpRequest, obj: Any) -> None:
        """Do what the button of the form says that was pressed, if any."""
        admin: Any = self
        for button in admin.get_actions_submit_line(request, obj.pk):
            if button.action_name in request.POST:
                request.was_pressed = True  # type: ignore[attr-defined]  # our own note on the request
                if button.method(request, obj):
                    self.log_change(request, obj, str(button.description))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if not message and hasattr(request, "was_pressed"):
            return None  # nothing was typed
        return super().log_change(request, obj, message)  # type: ignore[misc]  # mixed into a ModelAdmin

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """A button has said itself what it did, or why not."""
        if hasattr(request, "was_pressed"):
            return HttpResponseRedirect(request.get_full_path())
        response: HttpResponse = super().response_change(request, obj)  # type: ignore[misc]  # mixed into a ModelAdmin
        return response


class OnlyLookedAt:
    """For an admin whose rows the product writes: nobody adds, changes or deletes them by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class UnfilteredIsAll(ChangeList):
    """Where nothing narrows the list, what it counted is all there is: no "17 results (Show all)" above all of them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count


class NotCountedTwice:
    """For tables so long that their rows are not counted a second time without the filters."""

    show_full_result_count = False

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return UnfilteredIsAll


class BigListAdmin(AuditedActions, NotCountedTwice, ModelAdmin):
    """For tables that grow without end."""

    paginator = CappedPaginator
    list_per_page = 50
    compressed_fields = True


def recent_values(field: str, title: Any) -> type[SimpleListFilter]:
    """A filter by the values that the newest rows have: to ask all rows for theirs would read the whole table."""

    class RecentValues(SimpleListFilter):
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            newest = model_admin.model._default_manager.order_by("-pk").values("pk")[:LOOKED_AT]
            rows = model_admin.model._default_manager.filter(pk__in=newest).exclude(**{field: ""})
            values = rows.order_by(field).values_list(field, flat=True).distinct()[:MOST_VALUES]
            chosen = {self.value()} if self.value() else set()  # a link may name one that is rare
            return [(value, value) for value in sorted({*values, *chosen})]

        def queryset(self, request: HttpRequest, queryset: "QuerySet[Model]") -> "QuerySet[Model]":
            return queryset.filter(**{field: self.value()}) if self.value() else queryset

    RecentValues.title = title
    return RecentValues


def ask_first(
    admin: Any,
    request: HttpRequest,
    rows: "QuerySet[Any]",
    *,
    action: str,
    question: Callable[[int], str],
    button: Any,
    choices: Sequence[tuple[Any, str]] = (),
    back: str = "",
) -> HttpResponse | None:
    """The page that asks before something is done to many rows; None once it was answered with yes.

    With `choices`, one of them must be made: it comes back as `choice`. `back` is where *No* leads, else to the same address.
    """
    if "confirmed" in request.POST:
        return None
    count = rows[:COUNTED_TO].count()
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Are you sure?"),
        "opts": admin.model._meta,
        "question": question(count),
        "button": button,
        "rows": rows[:20],
        "more": max(0, count - 20),
        "ids": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "checkbox": ACTION_CHECKBOX_NAME,
        "select_across": request.POST.get("select_across", "0"),
        "action": action,
        "choices": choices,
        "back": back or request.get_full_path(),
    }
    request.current_app = admin.admin_site.name
    return TemplateResponse(request, "admin/ask_first.html", context)
