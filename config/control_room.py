"""How the admin looks. What it holds is the business of each app's admin.py; its dashboard lies in monitoring/."""

from typing import Any

from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Groundswell",
    "SITE_HEADER": "Groundswell",
    "SITE_URL": "/",
    "SITE_ICON": lambda request: static("img/logo.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/logo.svg")}],
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "8px",
    "DASHBOARD_CALLBACK": "monitoring.dashboard.callback",
    "STYLES": [lambda request: static("control-room/style.css")],
    "SIDEBAR": {"show_search": True, "navigation": "monitoring.navigation.sidebar"},
    "COLORS": {  # those of the pages (static/css/groundswell.css), in steps
        "base": {
            "50": "#f3f6f5",
            "100": "#e7eeed",
            "200": "#d4dfdf",
            "300": "#b9c9cb",
            "400": "#9db1b8",
            "500": "#566b74",
            "600": "#4b5f68",
            "700": "#33474f",
            "800": "#21373f",
            "900": "#0d1e25",
            "950": "#071318",
        },
        "primary": {
            "50": "#effbf9",
            "100": "#dcefed",
            "200": "#aeeae2",
            "300": "#93e8dd",
            "400": "#6fdccf",
            "500": "#38b9b2",
            "600": "#0b6874",
            "700": "#0b5f6b",
            "800": "#084c56",
            "900": "#083f48",
            "950": "#04191c",
        },
    },
}

NUMBER = "unfold.widgets.UnfoldAdminIntegerFieldWidget"
DECIMAL = "unfold.widgets.UnfoldAdminDecimalFieldWidget"

SETTING_FIELDS: dict[Any, list[Any]] = {
    int: ["django.forms.IntegerField", {"widget": NUMBER, "min_value": 0}],
    float: ["django.forms.FloatField", {"widget": DECIMAL, "min_value": 0.0}],
    bool: ["django.forms.BooleanField", {"widget": "unfold.widgets.UnfoldBooleanSwitchWidget", "required": False}],
    "days": ["django.forms.IntegerField", {"widget": NUMBER, "min_value": 1, "max_value": 36_500}],
    "ordering": [
        "django.forms.ChoiceField",
        {
            "widget": "unfold.widgets.UnfoldAdminSelectWidget",
            "choices": (
                ("virality", _("rising: the chance of a top gain")),
                ("breakout", _("breaking out: the chance of a top relative gain")),
                ("newest", _("newest")),
                ("most_viewed", _("most viewed")),
                ("classic", _("classic score")),
            ),
        },
    ],
    "carousels": [
        "django.forms.ChoiceField",
        {
            "widget": "unfold.widgets.UnfoldAdminSelectWidget",
            "choices": (
                ("off", _("not at all")),
                ("local", _("on this machine")),
                ("all", _("by Gemini where its key is set, else on this machine")),
            ),
        },
    ],
    "percent": ["django.forms.IntegerField", {"widget": NUMBER, "min_value": 0, "max_value": 100}],
}
"""What may be typed into the settings that staff change: django-constance's CONSTANCE_ADDITIONAL_FIELDS."""
