"""After a new key was put in front of FIELD_ENCRYPTION_KEYS: write all secrets with it, so that the old one can go."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crawler.encryption import DecryptionError
from crawler.rotation import reencrypt


class Command(BaseCommand):
    help = "Writes every stored secret with the first of FIELD_ENCRYPTION_KEYS; the others may be removed afterwards."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = reencrypt()
        except DecryptionError as error:
            raise CommandError(f"{error} Nothing was changed.") from error
        self.stdout.write(f"Secrets written anew: {count}.")
