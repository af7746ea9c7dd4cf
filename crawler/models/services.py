"""Of the services and platforms we ask: pauses, messages they sent, sessions they know us by."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crawler.encryption import EncryptedJSONField
from crawler.models.choices import platform_choices


class ProviderPause(models.Model):
    """A provider that is asked nothing until somebody mends what it complains of, or until a time. No row: it is asked."""

    provider = models.CharField(_("provider"), max_length=30, unique=True)
    code = models.CharField(_("code"), max_length=40)
    reason = models.TextField(_("reason"))
    since = models.DateTimeField(_("since"), default=timezone.now)
    until = models.DateTimeField(_("until"), null=True, blank=True, help_text=_("Empty: until it is resumed."))

    class Meta:
        verbose_name = _("provider pause")
        verbose_name_plural = _("provider pauses")

    def __str__(self) -> str:
        return self.provider


class WebhookDelivery(models.Model):
    """A message that an outside service sent us of itself, verified and stored once; what it says is looked up, not believed."""

    service = models.CharField(_("service"), max_length=30)
    key = models.CharField(_("key"), max_length=200, help_text=_("What makes it the same message when it comes again."))
    body = models.JSONField(_("body"), default=dict)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    handled_at = models.DateTimeField(_("handled"), null=True, blank=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [models.UniqueConstraint(fields=["service", "key"], name="a_delivery_is_stored_once")]

    def __str__(self) -> str:
        return f"{self.service} {self.key}"


class BrowserSession(models.Model):
    """The signed-in state of a browser for one platform (its cookies), kept encrypted and never shown again."""

    platform = models.CharField(_("platform"), max_length=20, choices=platform_choices, unique=True)
    storage_state = EncryptedJSONField(_("storage state"))
    expires_at = models.DateTimeField(_("first cookie expires"), null=True, blank=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("browser session")
        verbose_name_plural = _("browser sessions")

    def __str__(self) -> str:
        return self.platform
