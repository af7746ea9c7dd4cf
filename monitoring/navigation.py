"""The sidebar: the models of each stage, in the order in which work goes through them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from monitoring import dashboard

GROUPS: list[tuple[Any, list[tuple[str, Any, str]]]] = [
    (
        _("Watch"),
        [
            ("crawler.source", _("Sources"), "sensors"),
            ("crawler.crawljob", _("Crawls"), "travel_explore"),
            ("crawler.observejob", _("Observations"), "visibility"),
            ("crawler.browsersession", _("Browser sessions"), "cookie"),
            ("crawler.providerpause", _("Provider pauses"), "pause_circle"),
            ("crawler.webhookdelivery", _("Webhook deliveries"), "webhook"),
        ],
    ),
    (
        _("Library"),
        [
            ("crawler.video", _("Videos"), "smart_display"),
            ("crawler.author", _("Authors"), "person_play"),
            ("crawler.sound", _("Sounds"), "music_note"),
            ("ranking.score", _("Scores"), "trending_up"),
            ("ranking.surge", _("Surges"), "bolt"),
            ("ranking.rankingmodel", _("Ranking models"), "model_training"),
            ("ranking.baseline", _("Baselines"), "horizontal_rule"),
        ],
    ),
    (
        _("Media"),
        [
            ("downloads.downloadjob", _("Downloads"), "download"),
            ("downloads.assetjob", _("Asset jobs"), "image"),
            ("downloads.downloadrequest", _("Download requests"), "front_hand"),
            ("downloads.batch", _("Batches"), "folder_zip"),
            ("downloads.asset", _("Assets"), "perm_media"),
            ("downloads.storedobject", _("Stored objects"), "inventory_2"),
            ("monitoring.unclaimedobject", _("Unclaimed objects"), "delete_sweep"),
            ("downloads.extractor", _("Extractors"), "alt_route"),
        ],
    ),
    (
        _("Analysis"),
        [
            ("analysis.analysisjob", _("Analyses"), "document_scanner"),
            ("analysis.analysis", _("Readings"), "fact_check"),
            ("analysis.slidetext", _("Slide texts"), "text_fields"),
            ("analysis.category", _("Categories"), "category"),
            ("analysis.reupload", _("Re-uploads"), "content_copy"),
        ],
    ),
    (
        _("Running"),
        [
            ("jobs.pausedkind", _("Paused kinds of job"), "pause_circle"),
            ("monitoring.part", _("Health"), "monitor_heart"),
            ("monitoring.pass", _("Upkeep passes"), "cleaning_services"),
            ("django_celery_beat.periodictask", _("Schedules"), "schedule"),
            ("constance.config", _("Settings"), "tune"),
            ("admin.logentry", _("Log entries"), "history"),
        ],
    ),
    (
        _("People"),
        [
            ("workspaces.workspace", _("Workspaces"), "workspaces"),
            ("auth.user", _("Users"), "group"),
            ("auth.group", _("Staff groups"), "shield_person"),
            ("knox.authtoken", _("API tokens"), "key"),
            ("account.emailaddress", _("E-mail addresses"), "alternate_email"),
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
        for label, name, icon in entries:
            options = registered.get(label)
            if options is None or not options.has_view_or_change_permission(request):
                continue
            link = reverse(f"admin:{label.replace('.', '_')}_changelist")
            items.append({"title": name, "icon": icon, "link": link, "badge": trouble.get(label, 0), "badge_variant": "danger"})
        groups.append({"title": title, "separator": True, "items": items})
    return groups
