"""The site's own time: it follows real time until someone makes it run faster or jump ahead. Never backwards."""

import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Anchor:
    """From `real` on, site time is `site` plus the real seconds since, times `speed`."""

    real: float
    site: float
    speed: float

    def at(self, real: float) -> float:
        return self.site + max(0.0, real - self.real) * self.speed


@dataclass
class Clock:
    anchors: list[Anchor] = field(default_factory=lambda: [Anchor(time.time(), time.time(), 1.0)])

    @property
    def speed(self) -> float:
        return self.anchors[-1].speed

    @property
    def ahead(self) -> float:
        """Seconds by which the site's time leads real time."""
        return self.now() - time.time()

    def now(self) -> float:
        return self.anchors[-1].at(time.time())

    def change(self, *, speed: float | None = None, advance_seconds: float = 0.0) -> None:
        real = time.time()
        jumped = self.anchors[-1].at(real) + max(0.0, advance_seconds)
        self.anchors.append(Anchor(real, jumped, self.speed if speed is None else speed))

    def real(self, site: float) -> float:
        """The real moment at which the site's time passed `site`: a post made in a jump was made when it jumped."""
        for before, after in zip(self.anchors, self.anchors[1:], strict=False):
            if site < after.site:
                return min(self._real(before, site), after.real)
        return self._real(self.anchors[-1], site)

    @staticmethod
    def _real(anchor: Anchor, site: float) -> float:
        if site <= anchor.site:
            return anchor.real - (anchor.site - site)
        return anchor.real + (site - anchor.site) / max(anchor.speed, 1e-9)
