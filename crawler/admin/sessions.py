"""The signed-in sessions that browsers use."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from crawler.links import site_url
from crawler.models import BrowserSession
from crawler.services import look_again_signed_in
from crawler.sessions import BadCookies, read_session


class BrowserSessionForm(forms.ModelForm[BrowserSession]):
    """Cookies go in and are never shown again."""

    cookies = forms.CharField(
        label=_("cookies"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_(
            "Paste a Playwright storage state, a JSON list of cookies, or the lines of a cookies.txt. Replaces what is kept."
        ),
    )
    file = forms.FileField(label=_("or a file"), required=False, widget=UnfoldAdminFileFieldWidget)

    class Meta:
        model = BrowserSession
        fields = ["platform"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        text, file = cleaned.get("cookies") or "", cleaned.get("file")
        if file:
            text = file.read(1024 * 1024).decode("utf-8", "replace")
        platform = cleaned.get("platform") or self.instance.platform
        if not text.strip() and self.instance.pk is None:
            raise ValidationError(_("Paste the cookies, or choose their file."), code="no_cookies")
        if text.strip() and platform:
            try:
                session = read_session(text, _hosts(platform))
            except BadCookies as error:
                raise ValidationError({"cookies": str(error)}) from error
            self.instance.storage_state, self.instance.expires_at = session.storage_state, session.expires_at
        return cleaned


def _hosts(platform: str) -> tuple[str, ...]:
    """The domain whose cookies a platform's pages are given: that of its address, without `www`."""
    host = (urlsplit(site_url(platform)).hostname or "").removeprefix("www.")
    return (host,) if host else ()


@admin.register(BrowserSession)
class BrowserSessionAdmin(ModelAdmin):
    form = BrowserSessionForm
    list_display = ["platform", "expires_at", "updated_at"]
    fields = ["platform", "cookies", "file", "expires_at", "updated_at"]
    search_fields = ["platform"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[BrowserSession]:
        """Without the secret, which may be locked with another key, and is not shown anyway."""
        found: QuerySet[BrowserSession] = super().get_queryset(request)
        return found.defer("storage_state")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["expires_at", "updated_at", *(["platform"] if obj else [])]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if {"cookies", "file"} & set(form.changed_data) and (count := look_again_signed_in(obj.platform)):
            sentence = ngettext(
                "%d source that wanted a login is looked at again now.",
                "%d sources that wanted a login are looked at again now.",
                count,
            )
            self.message_user(request, sentence % count, messages.SUCCESS)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """That the cookies changed is remembered, not what they are."""
        return [{"added": {}}] if add else [{"changed": {"fields": [str(_("cookies"))]}}]
