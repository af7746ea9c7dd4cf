from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from jobs import kinds


class AnalysisConfig(AppConfig):
    name = "analysis"
    verbose_name = _("Analysis")

    def ready(self) -> None:
        from analysis import receivers  # noqa: F401  (connects them)

        kinds.register(
            kinds.JobKind(
                name="analysis",
                label=_("Analyses"),
                model="analysis.AnalysisJob",
                queue="media",
                work="analysis.work.analyze",
                deadline=timedelta(minutes=20),
                stall_after=timedelta(minutes=3),  # a model may think for long about many pictures
            )
        )
