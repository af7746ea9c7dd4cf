from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.doctor import Finding, Level, as_json, examine

MARKS = {Level.OK: "✓", Level.OFF: "–", Level.WARNING: "!", Level.BROKEN: "✗"}


class Command(BaseCommand):
    help = "Says what is configured, reachable or missing, and how to mend it. Exit code 1: something required is broken."
    requires_system_checks = []  # it is asked when things are broken

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = []
        for finding in examine():
            findings.append(finding)
            if not options["json"]:
                self.show(finding)
        broken = [finding.name for finding in findings if finding.level is Level.BROKEN]
        if options["json"]:
            self.stdout.write(as_json(findings))
        elif broken:
            self.stdout.write(self.style.ERROR(f"\nBroken: {', '.join(broken)}."))
        else:
            self.stdout.write("\nNothing required is broken.")
        if not options["json"]:
            self.stdout.write("Told by the variables of this shell: a site that was started with others may be set differently.")
        if broken:
            raise SystemExit(1)

    def show(self, finding: Finding) -> None:
        styles = {Level.OK: self.style.SUCCESS, Level.WARNING: self.style.WARNING, Level.BROKEN: self.style.ERROR}
        mark = styles.get(finding.level, str)(MARKS[finding.level])
        self.stdout.write(f"{mark} {finding.name:<24} {finding.detail}")
        if finding.mend:
            self.stdout.write(f"  {'':<24} → {finding.mend}")
