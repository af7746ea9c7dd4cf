"""Outside services: those that are paused, with what they complained of, and what they sent us of themselves."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from crawler import pauses
from crawler.admin.observed import Observed
from crawler.models import ProviderPause, WebhookDelivery
from crawler.providers import registry


@admin.register(ProviderPause)
class ProviderPauseAdmin(Observed):
    """Which services are asked nothing, and why. Resuming asks them again; so does their own trial, once it goes well."""

    list_display = ["show_label", "code", "reason", "since", "until"]
    search_fields = ["provider", "reason"]
    ordering = ["-since"]
    actions = ["resume"]

    @display(description=_("service"), ordering="provider")
    def show_label(self, pause: ProviderPause) -> str:
        entry = registry.PROVIDERS.get(pause.provider)
        return entry.label if entry else pause.provider

    def has_resume_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("crawler.delete_providerpause"))

    @action(description=_("Resume"), permissions=["resume"])
    def resume(self, request: HttpRequest, chosen: QuerySet[ProviderPause]) -> None:
        resumed = [pause.pk for pause in list(chosen) if pauses.resume(pause.provider, by=str(request.user))]
        self.done_to(request, resumed)
        count = len(resumed)
        self.message_user(request, ngettext("%d service is asked again.", "%d services are asked again.", count) % count)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(Observed):
    list_display = ["key", "service", "received_at", "handled_at"]
    list_filter = ["service", ("handled_at", admin.EmptyFieldListFilter), "received_at"]
    search_fields = ["key"]
    ordering = ["-id"]
