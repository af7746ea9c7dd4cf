from typing import Any

from django.core.management.base import BaseCommand

from config import preparation


class Command(BaseCommand):
    help = "Brings tables, seeds, static files and the first administrator up to date: what comes before the processes start."

    def handle(self, *args: Any, **options: Any) -> None:
        with preparation.one_at_a_time():
            applied = preparation.migrate()
            seeded = preparation.seed()
            admin = preparation.ensure_admin()
            is_new = preparation.collect_static()
            hindrance = preparation.ready_media()
        self.stdout.write(
            f"{applied} migrations applied, {seeded} schedules added, static files {'new' if is_new else 'unchanged'}."
        )
        self.stdout.write(f"Admin {admin.name or '-'}: password {admin.password or admin.note}.")
        if hindrance:
            self.stdout.write(self.style.WARNING(f"Media storage: {hindrance} Downloads wait for it."))
