"""What staff tune, kept by django-constance: each setting with its default and meaning, its field, its place on the page."""

from typing import Any

from django.utils.translation import gettext_lazy as _

NUMBER = "unfold.widgets.UnfoldAdminIntegerFieldWidget"
DECIMAL = "unfold.widgets.UnfoldAdminDecimalFieldWidget"

FIELDS: dict[Any, list[Any]] = {
    int: ["django.forms.IntegerField", {"widget": NUMBER, "min_value": 0}],
    float: ["django.forms.FloatField", {"widget": DECIMAL, "min_value": 0.0}],
    # A weight is a share of a sum: numbers at the ends of what a float can hold would break it.
    "weight": ["django.forms.FloatField", {"widget": DECIMAL, "min_value": 0.0, "max_value": 1_000_000.0}],
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
"""What may be typed, by the kind of a setting."""

SETTINGS = {
    "DEFAULT_ORDERING": ("virality", _("What the feed is ordered by where nobody chose."), "ordering"),
    "SIGN_UP_OPEN": (True, _("Whether anybody may sign up."), bool),
    "CLASSIC_WEIGHT_VIEWS": (0.4, _("Weight of views in the classic score."), "weight"),
    "CLASSIC_WEIGHT_LIKES": (0.4, _("Weight of likes in the classic score."), "weight"),
    "CLASSIC_WEIGHT_SHARES": (0.2, _("Weight of shares in the classic score."), "weight"),
    "SURGE_MOMENTUM": (0.5, _("Relative rise of the score within 24 hours that counts as a surge."), float),
    "OBSERVATIONS_PER_HOUR": (
        120,
        _("Single videos looked at again in an hour, per platform, beyond what sources show; 0: none."),
        int,
    ),
    "PAID_OBSERVATIONS_PER_HOUR": (
        20,
        _("The same where a look may be charged for by a service (TikTok with a ScrapeCreators key); 0: none."),
        int,
    ),
    "SNAPSHOT_RETENTION_DAYS": (730, _("Metric history older than so many days is dropped, whole months at a time."), "days"),
    "API_ANONYMOUS_READS_PER_MINUTE": (300, _("Most API reads in a minute from one address without a token; 0: no limit."), int),
    "API_ANONYMOUS_WRITES_PER_MINUTE": (30, _("Most API writes in a minute from one address without a token; 0: no limit."), int),
    "API_USER_READS_PER_MINUTE": (1200, _("Most API reads in a minute by one person; 0: no limit."), int),
    "API_USER_WRITES_PER_MINUTE": (120, _("Most API writes in a minute by one person; 0: no limit."), int),
    "EXPORT_MOST_ROWS": (100_000, _("Most rows of one export; a longer list ends there, and says so."), int),
    "EXPORTS_ANONYMOUS_PER_MINUTE": (6, _("Most exports in a minute from one address without an account; 0: no limit."), int),
    "EXPORTS_USER_PER_MINUTE": (30, _("Most exports in a minute by one person; 0: no limit."), int),
    "ANALYZE_CAROUSELS": ("all", _("How new carousels are read by themselves, once their slides are stored."), "carousels"),
    "MOST_WAITING_DOWNLOADS": (1000, _("Further downloads are refused while so many wait."), int),
    "MOST_ASSETS_AT_ONCE": (5, _("So many covers, slides and sounds are fetched at once, over all workers."), int),
    "RETENTION_DAYS": (30, _("Videos not seen for so many days may be cleaned up."), "days"),
    "RETENTION_SCORE_FLOOR": (1000.0, _("Videos whose classic score is at least this are kept."), float),
    "RETENTION_SAMPLE_PERCENT": (
        2,
        _("Of the videos that would go, so many of a hundred are kept for later learning."),
        "percent",
    ),
    "JOB_HISTORY_DAYS": (90, _("Records of crawls and assets that went well are kept for so many days."), "days"),
}
FIELDSETS = (
    (
        _("Ranking"),
        (
            "DEFAULT_ORDERING",
            "CLASSIC_WEIGHT_VIEWS",
            "CLASSIC_WEIGHT_LIKES",
            "CLASSIC_WEIGHT_SHARES",
            "SURGE_MOMENTUM",
            "OBSERVATIONS_PER_HOUR",
            "PAID_OBSERVATIONS_PER_HOUR",
        ),
    ),
    (_("Analysis"), ("ANALYZE_CAROUSELS",)),
    (
        _("Retention"),
        ("RETENTION_DAYS", "RETENTION_SCORE_FLOOR", "RETENTION_SAMPLE_PERCENT", "SNAPSHOT_RETENTION_DAYS", "JOB_HISTORY_DAYS"),
    ),
    (
        _("Limits"),
        (
            "SIGN_UP_OPEN",
            "MOST_WAITING_DOWNLOADS",
            "MOST_ASSETS_AT_ONCE",
            "EXPORT_MOST_ROWS",
            "EXPORTS_ANONYMOUS_PER_MINUTE",
            "EXPORTS_USER_PER_MINUTE",
            "API_ANONYMOUS_READS_PER_MINUTE",
            "API_ANONYMOUS_WRITES_PER_MINUTE",
            "API_USER_READS_PER_MINUTE",
            "API_USER_WRITES_PER_MINUTE",
        ),
    ),
)
