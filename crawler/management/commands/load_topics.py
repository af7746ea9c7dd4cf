"""Watch the topics of a file."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from crawler.services import load_topics
from workspaces.models import Workspace, first_workspace


class Command(BaseCommand):
    help = "Watches every topic of a file (one per line; # before remarks). Topics that are watched already stay as they are."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=Path(settings.BASE_DIR) / "config" / "topics.txt")
        parser.add_argument("--workspace", help="slug of the workspace that watches (default: the first)")
        parser.add_argument("--platform", default="douyin")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            workspace = Workspace.objects.get(slug=options["workspace"]) if options["workspace"] else first_workspace()
            new, total = load_topics(options["file"], workspace, platform=options["platform"])
        except Workspace.DoesNotExist:
            raise CommandError(f"There is no workspace “{options['workspace']}”.") from None
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']} cannot be read: {error}") from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"Topics: {total}, of which new: {new}.")
