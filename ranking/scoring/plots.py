"""A back-test as a picture: bars per scorer, as SVG, so that nothing heavy is needed to look at it."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ranking.backtest import Report

WIDTH, ROW, LEFT = 720, 22, 110
COLOURS = {"virality": "#0f766e", "breakout": "#b45309"}


def save(report: Report, folder: Path, name: str) -> Path:
    """Write NAME.svg into the folder, which is made if it is missing; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (re.sub(r"\W+", "_", name) + ".svg")
    path.write_text(draw(report, name))
    return path


def draw(report: Report, name: str) -> str:
    """PR-AUC of both ranking heads with their intervals, then recall and lead of the alarms."""
    parts, y = [], 40
    for head, colour in COLOURS.items():
        parts.append(f'<text x="10" y="{y}" font-weight="bold">{head}: PR-AUC, 95 % interval</text>')
        y += 8
        for scorer, result in report.results.items():
            ranked = getattr(result, head)
            if ranked.pr_auc == ranked.pr_auc:
                parts.append(_bar(y, scorer, ranked.pr_auc, f"{ranked.pr_auc:.3f}", colour, (ranked.low, ranked.high)))
                y += ROW
        y += 30
    parts.append(f'<text x="10" y="{y}" font-weight="bold">alarms: recall, precision, mean lead</text>')
    y += 8
    for scorer, result in report.results.items():
        surge = result.surge
        label = "no alarm" if surge.precision is None else f"precision {surge.precision:.2f}"
        if surge.recall is not None:
            label = f"recall {surge.recall:.2f}, {label}, lead {surge.lead_hours:.1f} h"
        parts.append(_bar(y, scorer, (surge.recall or 0) * 0.55, label, "#4338ca", None))
        y += ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 20}" font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="#fff"/><text x="10" y="18" font-size="14">{escape(name)}</text>'
        + "".join(parts)
        + "</svg>\n"
    )


def _bar(y: float, label: str, value: float, text: str, colour: str, interval: tuple[float, float] | None) -> str:
    span = WIDTH - LEFT - 60
    bar = (
        f'<text x="{LEFT - 6}" y="{y + 14}" text-anchor="end">{escape(label)}</text>'
        f'<rect x="{LEFT}" y="{y + 3}" width="{value * span:.1f}" height="{ROW - 8}" fill="{colour}" opacity="0.8"/>'
    )
    end = value
    if interval:
        low, high = interval
        end = max(high, value)
        middle = y + ROW / 2 - 1
        bar += f'<path d="M{LEFT + low * span:.1f} {middle}H{LEFT + high * span:.1f}" stroke="#111" stroke-width="1.5"/>'
    return bar + f'<text x="{LEFT + end * span + 6:.1f}" y="{y + 14}">{escape(text)}</text>'
