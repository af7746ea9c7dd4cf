from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.utils.translation import gettext_lazy as _


class MonitoringConfig(AppConfig):
    name = "monitoring"
    default = True
    verbose_name = _("Monitoring")


class ControlRoomConfig(admin.AdminConfig):
    """Django's admin, with our site. Listed in INSTALLED_APPS in the place of `django.contrib.admin`."""

    default = False
    default_site = "monitoring.site.ControlRoom"
