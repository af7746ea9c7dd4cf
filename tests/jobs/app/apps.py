from datetime import timedelta

from django.apps import AppConfig

from jobs import kinds


class ChoresConfig(AppConfig):
    """A kind of job of the tests' own, so that jobs/ is tried without any stage. Its tables have no migrations."""

    name = "tests.jobs.app"
    label = "chores"

    def ready(self) -> None:
        kinds.register(
            kinds.JobKind(
                name="chore",
                label="Chores",
                model="chores.Chore",
                queue="upkeep",
                work="tests.jobs.app.work.work",
                deadline=timedelta(minutes=5),
            )
        )
