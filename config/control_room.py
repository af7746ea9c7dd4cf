"""How the admin looks. What it holds is the business of each app's admin.py; its dashboard lies in monitoring/."""

from typing import Any

from django.templatetags.static import static

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
