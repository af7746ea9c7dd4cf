"""Rows against objects against hashes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from downloads.errors import StorageError
from downloads.upkeep import audit


class Command(BaseCommand):
    help = "Checks that every stored file is there, whole and unchanged. Ends with an error if one is not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quick", action="store_true", help="compare sizes only, read no file")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = audit(hashes=not options["quick"])
        except StorageError as error:
            raise CommandError(error.message) from error
        for word, hashes in (("missing", found.missing), ("wrong", found.wrong), ("unclaimed", found.unclaimed)):
            for sha256 in hashes:
                self.stdout.write(f"{word} {sha256.rpartition('/')[2]}")
        self.stdout.write(
            f"{found.rows} rows, {found.listed} objects, {found.hashed} hashed: {len(found.missing)} missing, "
            f"{len(found.wrong)} wrong, {found.unclaimed_bytes} bytes unclaimed, {found.parts} unfinished."
        )
        if not found.is_sound:
            raise CommandError("Stored files are missing or damaged.")
