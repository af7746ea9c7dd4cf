"""How the admin looks. What it holds is the business of each app's admin.py; its dashboard lies in monitoring/."""

from typing import Any

from django.templatetags.static import static

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Groundswell",
    "SITE_HEADER": "Groundswell",
    "SITE_URL": "/",
    "SITE_SYMBOL": "waves",
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "8px",
    "DASHBOARD_CALLBACK": "monitoring.dashboard.callback",
    "STYLES": [lambda request: static("control-room/style.css")],
    "SIDEBAR": {"show_search": True, "navigation": "monitoring.navigation.sidebar"},
    "COLORS": {
        "base": {
            "50": "oklch(98.4% .003 230)",
            "100": "oklch(96.6% .006 230)",
            "200": "oklch(92.6% .011 230)",
            "300": "oklch(86.8% .017 230)",
            "400": "oklch(70.8% .026 231)",
            "500": "oklch(54.6% .03 232)",
            "600": "oklch(44.4% .03 233)",
            "700": "oklch(36.6% .029 234)",
            "800": "oklch(27.4% .026 235)",
            "900": "oklch(20.6% .023 236)",
            "950": "oklch(14.6% .019 237)",
        },
        "primary": {
            "50": "oklch(97.6% .016 205)",
            "100": "oklch(94.6% .036 206)",
            "200": "oklch(89.6% .066 207)",
            "300": "oklch(82.6% .098 209)",
            "400": "oklch(74.6% .118 212)",
            "500": "oklch(64.6% .117 216)",
            "600": "oklch(53.6% .103 220)",
            "700": "oklch(46.6% .089 223)",
            "800": "oklch(40.6% .074 225)",
            "900": "oklch(35.6% .061 227)",
            "950": "oklch(26.6% .047 229)",
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
    "percent": ["django.forms.IntegerField", {"widget": NUMBER, "min_value": 0, "max_value": 100}],
}
"""What may be typed into the settings that staff change: django-constance's CONSTANCE_ADDITIONAL_FIELDS."""
