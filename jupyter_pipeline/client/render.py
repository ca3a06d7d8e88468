"""The model as HTML: the pieces of the live display, and the page that stays in a saved notebook.

Everything that comes from data or people is escaped. Styles are inline, as sites that show notebooks strip the rest.
"""

from html import escape

from ..protocol.names import PHASE_NAMES, RUN_STATUS_NAMES, STAGE_NAMES, STATUS_NAMES, metric_name, named
from ..protocol.stages import STAGES, StageId, StageStatus
from . import curves, gates
from .model import Model, Run, StageView
from .style import BLUE, CELL, FAINT, GREEN, HEAD, LINE, MUTED, NUMBER, ORANGE, RED, ROOT, STATUS, STOPPED, TABLE, box

MAX_ROWS = 12
MAX_CHAT = 8
MAX_SAID = 1000
"""Characters of a line of the conversation: a snapshot goes into the notebook again and again."""
_GONE = "This project was deleted"
_AS_IT_STOOD = "Its data and results are gone; the rest of this shows how it stood at last."


def _standing(view: StageView) -> tuple[str, str, str]:
    """Sign, word and colour of how a stage stands."""
    sign, colour = STOPPED if view.stopped else STATUS[view.status]
    return sign, "stopped" if view.stopped else STATUS_NAMES[view.status], colour


def page(project_id: str, model: Model) -> str:
    """All pieces below each other: what a saved notebook shows."""
    with model.lock:
        pieces = [header(project_id, model), gate(model), results(model), training(model), chat(model)]
    return f'<div style="{ROOT}">{"".join(pieces)}</div>'


def text(project_id: str, model: Model) -> str:
    """The same in a few lines of plain text."""
    with model.lock:
        lines = [f"Pipeline {project_id}"]
        for stage in STAGES:
            view = model.stages[stage]
            sign, word, _ = _standing(view)
            open_ = view.status in (StageStatus.WAITING_CONFIRMATION, StageStatus.IN_PROGRESS)
            if view.status is not StageStatus.PENDING and not (model.deleted and open_):
                lines.append(f"  {sign} {STAGE_NAMES[stage]}: {word}")
            if view.status is StageStatus.FAILED and view.message:
                lines.append(f"    {view.message}")
        if model.deleted:
            lines.append(f"  {_GONE}. {_AS_IT_STOOD}")
        elif len(lines) == 1:
            lines.append("  Nothing was asked for yet: p.chat('Predict ...') says what you want.")
        elif model.gate is not None:
            lines += [f"  {line}" for line in model.gate.summary.splitlines()]
            lines += [f"    {label}: {value}" for label, value in gates.facts(model.gate, model)]
    return "\n".join(lines)


def header(project_id: str, model: Model) -> str:
    """The name, the connection where it is not as it should be, and the stages as a line."""
    steps = []
    for stage in STAGES:
        view = model.stages[stage]
        sign, word, colour = _standing(view)
        here = stage is model.current
        style = f"padding:2px 8px 3px;border-bottom:3px solid {colour if here else 'transparent'};white-space:nowrap"
        name = f"<b>{STAGE_NAMES[stage]}</b>" if here else STAGE_NAMES[stage]
        steps.append(
            f'<span style="{style}" title="{STAGE_NAMES[stage]}: {word}">'
            f'<span style="color:{colour}">{sign}</span> {name}</span>'
        )
    offline = ""
    if model.connection not in ("connected", "connecting") and not model.deleted:
        what = model.reason or "The connection is cut; trying again. Nothing is lost."
        offline = f'<div style="{box(RED)}">{escape(what)}</div>'
    return (
        f'<div style="font-size:15px;margin:2px 0 4px"><b>{escape(project_id)}</b></div>'
        f'<div style="display:flex;flex-wrap:wrap;gap:2px">{" ".join(steps)}</div>{offline}'
    )


def gate(model: Model) -> str:
    """What waits for the person; or what runs, what failed, what is done, or that all of it is gone."""
    if model.deleted:
        return f'<div style="{box(ORANGE)}"><b>{_GONE}</b><div>{_AS_IT_STOOD}</div></div>'
    stage, view = model.current, model.stages[model.current]
    name = STAGE_NAMES[stage]
    if model.gate is not None:
        lines = escape(model.gate.summary)
        summary = f'<div style="margin:2px 0;white-space:pre-line">{lines}</div>' if lines else ""
        return (
            f'<div style="{box(ORANGE)}"><b>{name} waits for you</b>{summary}'
            f"{gates.table(gates.facts(model.gate, model))}"
            f'<div style="{MUTED}">To go on, run the cell again, or call p.confirm(), or p.chat() with a change.</div>'
            "</div>"
        )
    if view.stopped:
        return f'<div style="{box(ORANGE)}"><b>{name} was stopped</b><div>{escape(view.message)}</div></div>'
    if view.status is StageStatus.FAILED:
        return (
            f'<div style="{box(RED)}"><b>{name} failed</b><div>{escape(view.message)}</div>'
            f'<div style="{MUTED}">Say in the chat what should change, or restart the stage.</div></div>'
        )
    if view.status is StageStatus.IN_PROGRESS:
        said = f"<div>{escape(view.message)}</div>{_progress(model)}"
        return f'<div style="{box(BLUE)}"><b>{name} is running</b>{said}</div>'
    if stage.next is None and view.status is StageStatus.COMPLETED:
        files = len((model.export or {}).get("contents", ()))
        return (
            f'<div style="{box(GREEN)}"><b>Everything is done.</b> The bundle has {files} files; '
            "<code>p.download()</code> saves it, <code>p.predict(rows)</code> uses the model.</div>"
        )
    return (
        f'<div style="{box(BLUE)}"><b>What should be predicted?</b> Attach data with <code>p.attach(...)</code> and '
        "say it in the chat, for example “Predict churn, optimise recall, take at most two minutes.”</div>"
    )


def training(model: Model) -> str:
    """Curves and leaderboard."""
    # A new attempt uses finished runs of an earlier one again: those are known by the leaderboard alone.
    wanted = {*model.shown_runs, *(row["run_id"] for row in model.leaderboard)}
    runs = [run for run_id, run in model.runs.items() if run_id in wanted]
    return curves.panels(runs, model.best, model.name_of) + leaderboard(model)


def results(model: Model) -> str:
    """What the kept model came to on the test rows, the metric it was chosen by first; empty before that is known."""
    run = model.runs.get(model.tested or "")
    if run is None:
        return ""
    found = {name: value for (name, split), value in run.final.items() if split == "test"}
    names = sorted(found, key=lambda name: name != run.metric)
    rows = [(metric_name(name), curves.number(found[name])) for name in names]
    return f'<div style="margin:8px 0 2px"><b>Results on the test rows</b></div>{gates.table(rows)}'


def leaderboard(model: Model) -> str:
    """The leaderboard as a table; empty while there is none."""
    if not model.leaderboard:
        return ""
    head = "".join(
        f'<th style="{HEAD if i < 1 else HEAD + ";text-align:right" if i < 3 else HEAD}">{escape(title)}</th>'
        for i, title in enumerate(("Model", f"{metric_name(model.metric)} (validation)", "Time", "Status", "Run"))
    )
    body = []
    for row in model.leaderboard[:MAX_ROWS]:
        best = row["run_id"] == model.best
        weight = "font-weight:600" if best else ""
        name = model.name_of(row["model"])
        status = named(RUN_STATUS_NAMES, row["status"]) + (f": {row['reason']}" if row.get("reason") else "")
        body.append(
            f'<tr style="{weight}"><td style="{CELL}">{"★ " if best else ""}{escape(name)}</td>'
            f'<td style="{NUMBER}">{curves.number(row["metric"])}</td>'
            f'<td style="{NUMBER}">{gates.duration(row["runtime_s"])}</td>'
            f'<td style="{CELL}">{escape(status)}</td><td style="{CELL};{MUTED}">{escape(row["run_id"])}</td></tr>'
        )
    more = len(model.leaderboard) - MAX_ROWS
    rest = f'<div style="{MUTED}">and {more} more: p.leaderboard</div>' if more > 0 else ""
    rows = f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody>"
    return f'<table style="{TABLE};margin-top:8px">{rows}</table>{rest}'


def chat(model: Model) -> str:
    """The last lines of the conversation."""
    lines = []
    for line in model.chat[-MAX_CHAT:]:
        mine = line.source == "user"
        who = "You" if mine else "Pipeline"
        background = f"background:{FAINT};" if mine else ""
        text = line.text if len(line.text) <= MAX_SAID else f"{line.text[:MAX_SAID]}…"
        lines.append(
            f'<div style="{background}padding:3px 8px;border-radius:4px;margin:2px 0">'
            f"<b>{who}:</b> {'<br>'.join(escape(text).splitlines())}</div>"
        )
    return f'<div style="margin:6px 0">{"".join(lines)}</div>' if lines else ""


def _progress(model: Model) -> str:
    running = [model.runs[i] for i in model.shown_runs if i in model.runs and model.runs[i].status == "running"]
    if model.current is StageId.TRAIN and running:
        return "".join(_bar(run.pct, _run_words(run, model)) for run in running)
    if model.progress is not None:
        return _bar(model.progress[1], model.progress[0])
    return f"<div>{escape(model.doing)}</div>" if model.doing else ""


def _run_words(run: Run, model: Model) -> str:
    eta = f", about {gates.duration(max(1, round(run.eta_s)))} to go" if run.eta_s is not None else ""
    return f"{model.name_of(run.model_id)}: {named(PHASE_NAMES, run.phase)}, {run.pct:.0%}{eta}"


def _bar(pct: float, words: str) -> str:
    return (
        f'<div style="display:flex;align-items:center;gap:8px;margin:3px 0"><div style="width:180px;height:6px;'
        f'border-radius:3px;background:{LINE}"><div style="width:{100 * pct:.0f}%;height:6px;border-radius:3px;'
        f'background:{BLUE}"></div></div><span>{escape(words)}</span></div>'
    )
