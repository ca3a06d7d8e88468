"""Training curves as small pictures: one panel for each run, validation solid, training dashed."""

import base64
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from html import escape

from ..protocol.names import metric_name
from .model import Run
from .style import BLUE, GREY, LINE, ORANGE

WIDTH, HEIGHT = 232, 92
LEFT, RIGHT, TOP, BOTTOM = 6, 76, 8, 16
MAX_POINTS = 60
"""Points of one line; more are thinned, so that an update stays small."""
MAX_PANELS = 12

Line = tuple[list[int], list[float]]


def panels(runs: Sequence[Run], best: str | None, name_of: Callable[[str], str]) -> str:
    """The panels of some runs, all on one vertical scale; empty if nothing was measured yet.

    Parameters
    ----------
    runs : sequence of Run
    best : str or None
        The run that leads.
    name_of : callable
        What a model is called, by its id.
    """
    shown = [(run, lines) for run in runs if any((lines := lines_of(run)).values())]
    if not shown:
        return ""
    shown = shown[-MAX_PANELS:]
    low, high = _range(value for _, lines in shown for _, values in lines.values() for value in values)
    count: Counter[str] = Counter()
    pictures = []
    for run, lines in shown:
        count[run.model_id] += 1
        name = name_of(run.model_id) + (f" ({count[run.model_id]})" if count[run.model_id] > 1 else "")
        pictures.append(panel(run, lines, low, high, run.run_id == best, name))
    metric = escape(metric_name(shown[-1][0].metric))
    return (
        f'<div style="margin:6px 0 2px">{metric} by iteration: '
        f'<span style="color:{BLUE};font-weight:600">validation, solid</span>; '
        f'<span style="color:{ORANGE};font-weight:600">training, dashed</span></div>'
        f'<div style="display:flex;flex-wrap:wrap;gap:8px 14px">{"".join(pictures)}</div>'
    )


def lines_of(run: Run) -> dict[str, Line]:
    """The measured values of the run's metric on training and validation rows, without those not finite."""
    found: dict[str, Line] = {}
    for split in ("train", "val"):
        steps, values = run.series.get((run.metric, split), ([], []))
        pairs = [(s, v) for s, v in zip(steps, values, strict=False) if v is not None and math.isfinite(v)]
        if pairs:
            found[split] = ([s for s, _ in pairs], [v for _, v in pairs])
    return found


def panel(run: Run, lines: dict[str, Line], low: float, high: float, best: bool, name: str = "") -> str:
    """One run's picture."""
    first = min(steps[0] for steps, _ in lines.values())
    last = max(steps[-1] for steps, _ in lines.values())

    def x(step: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * ((step - first) / (last - first) if last > first else 1.0)

    def y(value: float) -> float:
        clipped = min(max(value, low), high)
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (clipped - low) / (high - low))

    ends = {split: y(values[-1]) for split, (_, values) in lines.items()}
    labels = _apart(ends)
    parts: list[str] = []
    for split, (steps, values) in lines.items():
        colour, dash = (BLUE, "") if split == "val" else (ORANGE, ' stroke-dasharray="4 3"')
        points = [(x(s), y(v)) for s, v in _thinned(steps, values)]
        if len(points) > 1:
            path = " ".join(f"{px:.0f},{py:.1f}" for px, py in points)
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>')
        px, py = points[-1]
        parts.append(f'<circle cx="{px:.0f}" cy="{py:.1f}" r="2.4" fill="{colour}"/>')
        label = f"{'val' if split == 'val' else 'train'} {number(values[-1])}"
        parts.append(f'<text x="{px + 5:.0f}" y="{labels[split] + 3.5:.1f}" fill="{colour}">{label}</text>')
    name = escape(name or run.model_id)
    note = {"running": f"{run.pct:.0%}", "failed": "failed", "cancelled": "cancelled"}.get(run.status, "")
    said = ", ".join(f"{split} {number(values[-1])}" for split, (_, values) in lines.items())
    base = HEIGHT - BOTTOM
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'style="font:10.5px system-ui,sans-serif">'
        f'<line x1="{LEFT}" y1="{base}" x2="{WIDTH - RIGHT}" y2="{base}" stroke="{LINE}"/>'
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 4}" fill="{GREY}" text-anchor="end">{last}</text>'
        f"{''.join(parts)}</svg>"
    )
    # Sites that show notebooks strip what is drawn in the page itself and leave its words; a picture they show, or its
    # text, for which no room is kept.
    source = f"data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}"
    return (
        f'<div><div style="padding-left:{LEFT}px"><b>{"★ " if best else ""}{name}</b> '
        f'<span style="color:{GREY}">{note}</span></div>'
        f'<img src="{source}" alt="{name}: {said}" style="max-width:none"></div>'
    )


def number(value: float | None) -> str:
    """A value with about four significant digits; a dash for none."""
    if value is None:
        return "-"
    if abs(value) >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.4f}" if value == 0 or 0.01 <= abs(value) < 10 else f"{value:.4g}"


def _range(values: Iterable[float]) -> tuple[float, float]:
    """From the 2nd percentile to the greatest and so on, so that one wild start does not flatten the rest."""
    ordered = sorted(values)
    low, high = ordered[0], ordered[-1]
    if len(ordered) > 50:
        low, high = ordered[int(0.02 * len(ordered))], ordered[int(0.98 * len(ordered))]
    if high - low < 1e-9 * max(1.0, abs(high)):
        pad = 0.05 * abs(high) or 1.0
        return low - pad, high + pad
    return low, high


def _thinned(steps: list[int], values: list[float]) -> list[tuple[int, float]]:
    pairs = list(zip(steps, values, strict=True))
    if len(pairs) <= MAX_POINTS:
        return pairs
    stride = (len(pairs) - 1) / (MAX_POINTS - 1)
    return [pairs[round(i * stride)] for i in range(MAX_POINTS)]


def _apart(ends: dict[str, float], gap: float = 12.0) -> dict[str, float]:
    """Heights of the labels, moved apart where they would cover each other."""
    if len(ends) < 2:
        return ends
    upper, lower = sorted(ends, key=lambda split: ends[split])
    distance = ends[lower] - ends[upper]
    if distance >= gap:
        return ends
    middle = (ends[upper] + ends[lower]) / 2
    middle = min(max(middle, TOP + gap / 2), HEIGHT - BOTTOM - gap / 2 + 4)
    return {upper: middle - gap / 2, lower: middle + gap / 2}
