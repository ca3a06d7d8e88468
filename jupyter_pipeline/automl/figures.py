"""Pictures of an evaluation as PNG, drawn from the data of :mod:`.evaluation`; no display and no pyplot."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

with warnings.catch_warnings():  # some versions of matplotlib use what newer ones of its parts call deprecated
    warnings.simplefilter("ignore", DeprecationWarning)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY, INK = "#2f6db3", "#d9822b", "#9aa5b1", "#1f2933"
_CYCLE = (BLUE, ORANGE, "#3a9d6e", "#b5476b", "#7a5cc0", "#8d7b4f", "#4aa3c7", "#c0504d")
#: More classes than this are drawn without numbers or not one by one.
_MANY = 12


def _axes(width: float = 5.2, height: float = 4.2, *, shares: bool = False) -> tuple[Figure, Any]:
    """A figure and its axes; with ``shares`` for axes from 0 to 1, whose labels need no measuring."""
    figure = Figure(figsize=(width, height), dpi=120, layout=None if shares else "constrained", facecolor="white")
    FigureCanvasAgg(figure)
    if shares:
        figure.subplots_adjust(left=0.12, right=0.97, bottom=0.13, top=0.9)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(colors=INK, labelsize=9)
    return figure, axes


def _finish(figure: Figure, axes: Any, title: str, x: str, y: str, path: Path) -> Path:
    axes.set_title(title, fontsize=11, color=INK, loc="left", pad=10)
    axes.set_xlabel(x, fontsize=9.5, color=INK)
    axes.set_ylabel(y, fontsize=9.5, color=INK)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        figure.savefig(path, metadata={"Software": None})
    return path


def _short(value: Any, most: int = 22) -> str:
    text = str(value).replace("$", r"\$")
    return text if len(text) <= most else text[: most - 1] + "…"


def draw_confusion(data: dict[str, Any], path: Path, title: str = "Confusion matrix") -> Path:
    """Draw a confusion matrix; shades are shares of each true class, numbers are rows."""
    matrix = np.array(data["matrix"], dtype=float)
    n = len(matrix)
    side = min(11.0, 3.4 + 0.45 * n)
    figure, axes = _axes(side + 0.6, side)
    shares = matrix / np.maximum(1.0, matrix.sum(axis=1, keepdims=True))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.spines[:].set_visible(False)
    labels = [_short(label) for label in data["classes"]]
    if n <= 40:
        axes.set_xticks(range(n), labels, rotation=45 if n > 4 or max(map(len, labels)) > 8 else 0, ha="center")
        axes.set_yticks(range(n), labels)
    if n <= _MANY:
        for i in range(n):
            for j in range(n):
                text = f"{int(matrix[i, j]):,}\n{shares[i, j]:.0%}"
                axes.text(
                    j, i, text, ha="center", va="center", fontsize=9, color="white" if shares[i, j] > 0.55 else INK
                )
    axes.set_xticks(np.arange(n + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(n + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    return _finish(figure, axes, title, "Predicted", "True", path)


def _draw_curves(axes: Any, data: dict[str, Any], x: str, y: str, value: str, name: str, step: bool) -> None:
    curves = data["curves"]
    chosen = curves if len(curves) <= _MANY else sorted(curves, key=lambda c: c[value])[: _MANY // 2]
    for i, curve in enumerate(chosen):
        colour = _CYCLE[i % len(_CYCLE)]
        label = f"{_short(curve['class'])} ({name} {curve[value]:.3f})"
        axes.plot(
            curve[x], curve[y], color=colour, linewidth=1.8, label=label, drawstyle="steps-post" if step else None
        )
    if len(curves) > len(chosen):
        axes.plot([], [], " ", label=f"the {len(chosen)} weakest of {data.get('of', len(curves))} classes")


def draw_roc(data: dict[str, Any], path: Path, title: str = "ROC curve") -> Path:
    """Draw ROC curves."""
    figure, axes = _axes(shares=True)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--", label="chance")
    _draw_curves(axes, data, "fpr", "tpr", "auc", "AUC", step=False)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02), aspect="equal")
    axes.legend(loc="lower right", fontsize=8, frameon=False)
    return _finish(figure, axes, title, "False positive rate", "True positive rate", path)


def draw_precision_recall(data: dict[str, Any], path: Path, title: str = "Precision and recall") -> Path:
    """Draw precision over recall."""
    figure, axes = _axes(shares=True)
    _draw_curves(axes, data, "recall", "precision", "average_precision", "AP", step=True)
    if len(data["curves"]) == 1:
        share = data["curves"][0]["share"]
        axes.axhline(share, color=GREY, linewidth=1, linestyle="--", label=f"share of positives ({share:.3f})")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02), aspect="equal")
    axes.legend(loc="lower left", fontsize=8, frameon=False)
    return _finish(figure, axes, title, "Recall", "Precision", path)


def draw_residuals(data: dict[str, Any], path: Path, title: str = "Residuals") -> Path:
    """Draw residuals over predictions, with their histogram beside."""
    figure = Figure(figsize=(6.6, 4.2), dpi=120, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(1, 2, width_ratios=(4, 1))
    axes = figure.add_subplot(grid[0])
    side = figure.add_subplot(grid[1], sharey=axes)
    for each in (axes, side):
        each.spines[["top", "right"]].set_visible(False)
        each.spines[["left", "bottom"]].set_color(GREY)
        each.tick_params(colors=INK, labelsize=9)
        each.axhline(0, color=INK, linewidth=1)
    n = len(data["residual"])
    axes.scatter(data["predicted"], data["residual"], s=14, color=BLUE, alpha=0.6 if n < 500 else 0.3, linewidths=0)
    edges = np.array(data["histogram"]["edges"])
    counts = data["histogram"]["counts"]
    side.barh((edges[:-1] + edges[1:]) / 2, counts, height=np.diff(edges), color=BLUE, alpha=0.6)
    side.tick_params(labelleft=False)
    side.set_xlabel("Rows", fontsize=9.5, color=INK)
    return _finish(figure, axes, title, "Predicted", "True minus predicted", path)


def draw_importance(
    data: dict[str, Any], path: Path, title: str = "Importance of columns", most: int = 15, metric: str | None = None
) -> Path:
    """Draw permutation importances, most important first; ``metric`` is its name for people."""
    columns = [row for row in data["columns"] if np.isfinite(row["mean"])][:most]
    figure, axes = _axes(6.0, 1.4 + 0.28 * max(1, len(columns)))
    places = np.arange(len(columns))[::-1]
    means = [row["mean"] for row in columns]
    colours = [BLUE if mean > 0 else GREY for mean in means]
    spread = [row["std"] for row in columns]
    axes.barh(places, means, xerr=spread, color=colours, height=0.7, error_kw={"ecolor": INK, "elinewidth": 0.8})
    axes.set_yticks(places, [_short(row["name"], 30) for row in columns])
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.tick_params(axis="y", length=0)
    label = f"Loss in {metric or data['metric']} when the column is shuffled"
    return _finish(figure, axes, title, label, "", path)


def draw_contributions(data: dict[str, Any], path: Path, title: str = "What columns add to predictions") -> Path:
    """Draw Shapley values: a dot for each row, coloured by the column's own value; for classes bars.

    Of more classes than there are colours those that columns move most.
    """
    columns = data["columns"][:15]
    figure, axes = _axes(6.6, 1.5 + 0.34 * max(1, len(columns)))
    places = np.arange(len(columns))[::-1]
    outputs = data["outputs"] or ["value"]
    if len(outputs) > 1:
        sizes, left = np.array([column["by_output"] for column in columns]), np.zeros(len(columns))
        moved = np.sort(np.argsort(-sizes.sum(axis=0), kind="stable")[: len(_CYCLE)])
        for i, colour in zip(moved, _CYCLE, strict=False):
            axes.barh(places, sizes[:, i], left=left, height=0.7, color=colour, label=_short(outputs[i]))
            left += sizes[:, i]
        if len(moved) < (of := data.get("of", len(outputs))):
            axes.plot([], [], " ", label=f"the {len(moved)} of {of} classes that columns move most")
        axes.legend(loc="lower right", fontsize=8, frameon=False)
        label = f"Mean size of the contribution, {data['unit']}"
    else:
        dots = None
        for place, column in zip(places, columns, strict=True):
            values, order = np.array(column["values"][0]), column["place"]
            shift = place + _swarm(values) * 0.36
            known = np.array([rank is not None for rank in order])
            axes.scatter(values[~known], shift[~known], s=9, color=GREY, linewidths=0, alpha=0.8)
            ranks = np.array([rank for rank in order if rank is not None])
            dots = axes.scatter(
                values[known], shift[known], s=9, c=ranks, cmap="coolwarm", vmin=0, vmax=1, linewidths=0, alpha=0.85
            )
        axes.axvline(0, color=INK, linewidth=0.8)
        if any(rank is None for column in columns for rank in column["place"]):
            axes.scatter([], [], s=16, color=GREY, linewidths=0, label="no value, or none that has an order")
            axes.legend(loc="lower right", fontsize=8, frameon=False)
        if dots is not None:
            bar = figure.colorbar(dots, ax=axes, ticks=[0, 1], aspect=30, pad=0.02)
            bar.ax.set_yticklabels(["low", "high"], fontsize=8)
            bar.set_label("Value of the column", fontsize=8.5, color=INK, labelpad=-12)
            bar.outline.set_visible(False)
        what = "prediction" if data["outputs"] is None else f"{data['unit']} of {_short(outputs[0])}"
        label = f"Contribution to the {what}"
    axes.set_yticks(places, [_short(column["name"], 30) for column in columns])
    axes.tick_params(axis="y", length=0)
    return _finish(figure, axes, title, label, "", path)


def _swarm(values: np.ndarray) -> np.ndarray:
    """Shifts from -1 to 1 so that points of about the same value stand above each other."""
    low, high = values.min(), values.max()
    bins = ((values - low) / (high - low) * 60).astype(int) if high > low else np.zeros(len(values), dtype=int)
    shifts, most = np.zeros(len(values)), max(8, int(np.bincount(bins).max()))
    for each in np.unique(bins):
        rows = np.flatnonzero(bins == each)
        order = np.arange(len(rows))
        shifts[rows] = np.where(order % 2, 1, -1) * ((order + 1) // 2) * 2 / most
    return shifts


def draw_history(
    curves: dict[str, list[tuple[int, float]]],
    path: Path,
    metric: str,
    title: str = "Training",
    kept: int | None = None,
) -> Path:
    """Draw scores over iterations; ``curves`` maps a split to points (iteration, value), ``kept`` is marked."""
    figure, axes = _axes()
    for (split, points), colour in zip(curves.items(), (GREY, BLUE, ORANGE), strict=False):
        axes.plot([p[0] for p in points], [p[1] for p in points], color=colour, linewidth=1.8, label=split)
    if kept is not None:
        axes.axvline(kept, color=INK, linewidth=1, linestyle="--", label=f"kept: {kept:,} iterations")
    axes.legend(fontsize=8, frameon=False)
    return _finish(figure, axes, title, "Iteration", metric, path)
