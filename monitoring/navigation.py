"""The sidebar: the models of each stage, in the order in which work goes through them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from monitoring import dashboard

GROUPS: list[tuple[Any, list[tuple[str, str]]]] = [
    (
        _("Watch"),
        [
            ("crawler.source", "sensors"),
            ("crawler.crawljob", "travel_explore"),
            ("crawler.observejob", "visibility"),
            ("crawler.browsersession", "cookie"),
            ("crawler.providerpause", "pause_circle"),
            ("crawler.webhookdelivery", "webhook"),
        ],
    ),
    (
        _("Library"),
        [
            ("crawler.video", "smart_display"),
            ("crawler.author", "person_play"),
            ("crawler.sound", "music_note"),
            ("ranking.score", "trending_up"),
            ("ranking.surge", "bolt"),
            ("ranking.rankingmodel", "model_training"),
            ("ranking.baseline", "horizontal_rule"),
        ],
    ),
    (
        _("Media"),
        [
            ("downloads.downloadjob", "download"),
            ("downloads.assetjob", "image"),
            ("downloads.downloadrequest", "front_hand"),
            ("downloads.batch", "folder_zip"),
            ("downloads.asset", "perm_media"),
            ("downloads.storedobject", "inventory_2"),
            ("monitoring.unclaimedobject", "delete_sweep"),
            ("downloads.extractor", "alt_route"),
        ],
    ),
    (
        _("Analysis"),
        [
            ("analysis.analysisjob", "document_scanner"),
            ("analysis.analysis", "fact_check"),
            ("analysis.slidetext", "text_fields"),
            ("analysis.category", "category"),
            ("analysis.reupload", "content_copy"),
        ],
    ),
    (
        _("Running"),
        [
            ("jobs.pausedkind", "pause_circle"),
            ("monitoring.part", "monitor_heart"),
            ("monitoring.pass", "cleaning_services"),
            ("django_celery_beat.periodictask", "schedule"),
            ("constance.config", "tune"),
            ("admin.logentry", "history"),
        ],
    ),
    (
        _("People"),
        [
            ("workspaces.workspace", "workspaces"),
            ("auth.user", "group"),
            ("auth.group", "shield_person"),
            ("knox.authtoken", "key"),
            ("account.emailaddress", "alternate_email"),
        ],
    ),
]


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's SIDEBAR navigation: what this person may see, with the number of troubles beside it."""
    registered = {model._meta.label_lower: options for model, options in admin.site._registry.items()}
    trouble = dashboard.trouble(request)
    first = [{"title": _("Control room"), "icon": "radar", "link": reverse("admin:index")}]
    if request.user.has_perm("ranking.view_surge"):
        first.append({"title": _("Ranking quality"), "icon": "target", "link": reverse("ranking-quality")})
    groups: list[dict[str, Any]] = [{"title": "", "items": first}]
    for title, entries in GROUPS:
        items = []
        for label, icon in entries:
            options = registered.get(label)
            if options is None or not options.has_view_or_change_permission(request):
                continue
            link = reverse(f"admin:{label.replace('.', '_')}_changelist")
            name = capfirst(options.model._meta.verbose_name_plural)  # as on the list's own page
            items.append({"title": name, "icon": icon, "link": link, "badge": trouble.get(label, 0), "badge_variant": "danger"})
        groups.append({"title": title, "separator": True, "items": items})
    return groups
