"""Forms of the pages: what people may write, checked before anything else sees it."""

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext_lazy as _

from crawler import outbound
from crawler.access import platform_of
from crawler.connections import FetchError
from crawler.models import Source, SourceKind, VideoKind
from crawler.offers import Recognised, offers, settle_on_link
from crawler.providers import registry
from crawler.validators import validate_plain_text
from workspaces.models import Workspace

WATCHED = ("platform", "kind", "value")
"""What a source watches is settled when it is made: the videos it has shown would else be another's."""


def check_link(url: str) -> None:
    """Raises ValidationError for a link that leads nowhere, or where we do not go."""
    try:
        if platform_of(url) == registry.ANY_LINK:
            outbound.check_url(url)
    except outbound.ForbiddenAddress as error:
        raise ValidationError(error.message, code=error.code) from error
    except FetchError as error:
        raise ValidationError(_("This address cannot be found."), code=error.code) from error


class SourceForm(forms.ModelForm[Source]):
    kinds = forms.MultipleChoiceField(
        label=_("Kinds"), choices=VideoKind.choices, widget=forms.CheckboxSelectMultiple, initial=list(VideoKind.values)
    )

    recognised: Recognised | None = None
    """What a pasted link was, where that is not what was chosen beside it."""

    class Meta:
        model = Source
        error_messages = {NON_FIELD_ERRORS: {"unique_together": _("You watch this already.")}}
        fields = (
            *WATCHED,
            *("cron", "interval_minutes", "pages_per_run", "kinds", "min_views", "min_likes", "max_age_days", "min_height"),
            *("auto_download", "is_own"),
        )
        labels = {"value": _("Words, handle or link"), "cron": _("Or at fixed times (cron)")}
        widgets = {
            "value": forms.TextInput(attrs={"autocomplete": "off", "maxlength": 500}),
            "cron": forms.TextInput(attrs={"placeholder": "0 */2 * * *", "autocomplete": "off", "class": "code"}),
            **{name: forms.NumberInput(attrs={"min": 0}) for name in ("min_views", "min_likes", "max_age_days", "min_height")},
        }

    def __init__(self, *args: Any, workspace: Workspace, **options: Any) -> None:
        super().__init__(*args, **options)
        self.instance.workspace = workspace
        if self.instance.pk:
            for name in WATCHED:
                del self.fields[name]
            if self.instance.kind != SourceKind.PROFILE:
                del self.fields["is_own"]
        else:
            self.fields["value"].widget.attrs["placeholder"] = next(
                (offer.example for offer in offers() if (offer.platform, offer.kind) == self.chosen), ""
            )

    def _get_validation_exclusions(self) -> set[str]:
        # The workspace is no field, but it takes part in what must be unique.
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # Django's own hook, unknown to its stubs
        # What failed already is not looked at again: one mistake is told once.
        return excluded - ({"workspace", *WATCHED} - self.errors.keys())

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if self.instance.pk is None and values.get("value"):
            self.recognised = settle_on_link(values)
            if values.get("kind") == SourceKind.URL:
                try:
                    check_link(values["value"])
                except ValidationError as error:
                    self.add_error("value", error)
        return values

    @property
    def existing(self) -> Source | None:
        """The source that watches the same, where that is what is wrong."""
        if not self.has_error(NON_FIELD_ERRORS, "unique_together"):
            return None
        return Source.objects.filter(**{name: getattr(self.instance, name) for name in ("workspace", *WATCHED)}).first()

    @property
    def chosen(self) -> tuple[str, str]:
        """The platform and kind that the form shows."""
        return str(self["platform"].value()), str(self["kind"].value())

    @property
    def watched(self) -> list[forms.BoundField]:
        return self._bound(*WATCHED)

    @property
    def timing(self) -> list[forms.BoundField]:
        return self._bound("interval_minutes", "cron", "pages_per_run")

    @property
    def filters(self) -> list[forms.BoundField]:
        return self._bound("min_views", "min_likes", "max_age_days", "min_height", "kinds")

    @property
    def rules(self) -> list[forms.BoundField]:
        return self._bound("auto_download", "is_own")

    def _bound(self, *names: str) -> list[forms.BoundField]:
        return [self[name] for name in names if name in self.fields]


class LinesField(forms.CharField):
    def to_python(self, value: Any) -> str:
        """Browsers end lines by two characters."""
        return str(super().to_python(value)).replace("\r\n", "\n")


class ImportForm(forms.Form):
    url = LinesField(
        label=_("Link, or a list of links"),
        max_length=20_000,
        validators=[validate_plain_text],
        widget=forms.Textarea(attrs={"placeholder": "https://…", "autocomplete": "off", "rows": 5}),
        help_text=_(
            "Of a video, on any site that can be read, one on each line. "
            "What an app copied when you shared a video will do, words and all."
        ),
    )
