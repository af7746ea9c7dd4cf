"""Prometheus text, from what the passes kept: a scrape counts no big table."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitoring import health
from monitoring.models import Canary, Part, Pulse

PREFIX = "groundswell_"
JOB_STATES = ("waiting", "later", "running", "retrying", "failed")
LIBRARY = ("videos", "snapshots", "authors", "sounds", "scores", "objects", "bytes")


def text() -> bytes:
    registry = CollectorRegistry()
    registry.register(Kept())
    return generate_latest(registry)


def gauge(name: str, help_text: str, labels: tuple[str, ...] = ()) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, help_text, labels=labels)


class Kept(Collector):
    """The findings of the last monitoring pass, the pulses, and the checks that are cheap."""

    def describe(self) -> list[Metric]:
        return []  # else registering would collect once

    def collect(self) -> Iterator[Metric]:
        parts = {part.name: part for part in Part.objects.all()}
        yield self._parts()
        if "jobs" in parts:
            yield from self._jobs(parts)
        if "sources" in parts:
            family = gauge("sources", "Sources by last outcome, and paused or overdue ones.", ("outcome",))
            for outcome, count in parts["sources"].facts.items():
                family.add_metric([outcome], count)
            yield family
        if "library" in parts:
            for name in LIBRARY:
                family = gauge(f"library_{name}", f"{name.capitalize()} kept; an estimate where there are many.")
                family.add_metric([], parts["library"].facts.get(name, 0))
                yield family
        if "disk" in parts:
            family = gauge("disk_free_bytes", "Room left.", ("volume",))
            for name, count in parts["disk"].facts.items():
                family.add_metric([name.removesuffix("_free_bytes")], count)
            yield family
        yield from self._passes()
        yield from self._canaries()

    def _parts(self) -> Metric:
        family = gauge("part_level", "0 ok, 1 degraded, 2 down.", ("part",))
        for finding in health.report():
            family.add_metric([finding.name], health.LEVELS.index(finding.level))
        return family

    def _jobs(self, parts: dict[str, Part]) -> Iterator[Metric]:
        jobs = gauge("jobs", "Jobs by kind and state; completed ones are an estimate where there are many.", ("kind", "state"))
        oldest = gauge("jobs_oldest_seconds", "How long the longest waiting job has been due.", ("kind",))
        for kind, counts in parts["jobs"].facts.items():
            for state in JOB_STATES:
                jobs.add_metric([kind, state], counts[state])
            oldest.add_metric([kind], counts["oldest_seconds"])
        ended = parts["library"].facts.get("ended", {}) if "library" in parts else {}
        for kind, counts in ended.items():
            for state, count in counts.items():
                jobs.add_metric([kind, state], count)
        yield jobs
        yield oldest

    def _passes(self) -> Iterator[Metric]:
        seconds = gauge("pass_seconds", "How long the last run of an upkeep pass took.", ("name",))
        ended = gauge("pass_ended_timestamp_seconds", "When it ended.", ("name",))
        failed = gauge("pass_failed", "1 if it failed.", ("name",))
        for pulse in Pulse.objects.all():
            seconds.add_metric([pulse.name], pulse.seconds)
            ended.add_metric([pulse.name], pulse.ended_at.timestamp())
            failed.add_metric([pulse.name], 1 if pulse.error else 0)
        yield from (seconds, ended, failed)

    def _canaries(self) -> Iterator[Metric]:
        took = gauge("canary_seconds", "From sending a tiny task to its being done.", ("queue",))
        answered = gauge("canary_answered_timestamp_seconds", "When a worker of the queue last did one.", ("queue",))
        for canary in Canary.objects.exclude(answered_at=None):
            took.add_metric([canary.queue], canary.seconds or 0.0)
            if canary.answered_at:
                answered.add_metric([canary.queue], canary.answered_at.timestamp())
        yield from (took, answered)
