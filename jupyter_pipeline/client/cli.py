"""``jupyter pipeline``: a whole job from a shell, the check of a server, and the check of what was exported."""

import argparse
import functools
import itertools
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

from ..digests import sha256
from ..protocol.names import PHASE_NAMES, RUN_STATUS_NAMES, metric_name, metric_words, named, stage_name
from ..protocol.stages import StageId, StageStatus
from . import gates, words
from .curves import number
from .errors import PipelineError
from .model import Gate
from .pipeline import Pipeline

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of ``jupyter pipeline``.

    Parameters
    ----------
    argv : sequence of str or None, default=None
        Arguments; by default those of the process.

    Returns
    -------
    int
        The exit code: 0, or 1 where the job could not be done, 2 where the arguments were wrong.
    """
    words.tolerate_encodings()
    args = _parser().parse_args(argv)
    try:
        if args.action == "check":
            from ..check import check

            return check(args.url, args.token)
        if args.action == "verify":
            return _verify(args.place, args.head, args.bundle)
        return _run(args)
    except (PipelineError, OSError) as error:
        print(f"jupyter pipeline: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        print(f"\njupyter pipeline: interrupted{_how_to_go_on(args)}.", file=sys.stderr)
        return EXIT_INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jupyter pipeline", description="From a sentence and a data set to a reviewed, exported model."
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    run = actions.add_parser("run", help="do a whole job", description="Do a whole job, from data to the bundle.")
    run.add_argument("data", help="data file, or a link to one: CSV, TSV, Parquet, Feather, JSON, NDJSON, Excel")
    run.add_argument("request", help='what to predict, in plain words: "predict churn, optimise recall"')
    run.add_argument("--yes", "-y", action="store_true", help="confirm every gate without asking")
    which = run.add_mutually_exclusive_group()
    which.add_argument(
        "--project",
        help="the project's name; one that exists goes on where it stands, and another request is a chat in it. "
        "Default: made from the file's name; the same request with the same data goes on, anything else gets a project "
        "of its own, NAME-2 and so on",
    )
    which.add_argument("--new", action="store_true", help="begin a new project, also with the same request and data")
    run.add_argument("--out", type=Path, help="where to save the bundle (default: PROJECT.zip)")
    run.add_argument("--budget", type=seconds, help="time for training: seconds, or 90s, 5m, 1h")
    run.add_argument("--workspace", type=Path, default=Path(), help="folder that holds pipelines/ (default: this one)")
    check = actions.add_parser("check", help="check a live server", description="Run the wire's test sequence.")
    check.add_argument("url", help="the server's address, such as http://localhost:8888/")
    check.add_argument("--token", help="the server's token")
    verify = actions.add_parser(
        "verify",
        help="check that a bundle or a project is as it was",
        description="Check every file by the manifest and every event by the chain of hashes, and derive state and "
        "leaderboard anew. Fails on any changed byte.",
    )
    verify.add_argument("place", type=Path, help="an exported zip, an unpacked one, or a project's folder")
    verify.add_argument(
        "--head",
        action="append",
        default=[],
        metavar="SEQ:HASH",
        help="an event's number and hash that an earlier check printed and that was kept elsewhere: up to there the "
        "log must be the same",
    )
    verify.add_argument(
        "--bundle",
        action="append",
        default=[],
        type=Path,
        help="an export that was kept elsewhere: the log must go on from the one in it",
    )
    return parser


def seconds(text: str) -> float:
    """A time span as people type it, in seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    if match is None or match[2] not in _UNITS or float(match[1]) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no time span; it would look like 90s, 5m or 1h")
    return float(match[1]) * _UNITS[match[2]]


def _verify(place: Path, heads: list[str], bundles: list[Path]) -> int:
    from ..verify import Anchor, VerificationError, anchor_of, verify

    for one in (place, *bundles):
        if not one.exists():
            raise PipelineError(f"There is nothing at {str(one)!r}.")
    try:
        kept = [Anchor.read(head) for head in heads]
    except ValueError as error:
        raise PipelineError(str(error)) from None
    try:
        for line in verify(place, (*kept, *map(anchor_of, bundles))):
            print(f"✓ {line}")
    except VerificationError as error:
        print(f"✗ {error}")
        return EXIT_FAILED
    return 0


def _run(args: argparse.Namespace) -> int:
    link = "://" in args.data
    data = None if link else Path(args.data).expanduser()
    if data is not None and data.is_dir():
        raise PipelineError(f"{args.data!r} is a folder; name a data file.")
    if data is not None and not data.is_file():
        raise PipelineError(f"There is no file {args.data!r}.")
    request = f"{args.request.rstrip('. ')}. Data: {args.data}" if link else args.request
    stem = Path(urlsplit(args.data).path if link else args.data).name.split(".")[0]
    base = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:60] or "project"
    if args.out is not None and not (args.out.is_dir() or args.out.absolute().parent.is_dir()):
        raise PipelineError(f"The folder of {str(args.out)!r} does not exist.")
    file = None if data is None else DataFile(data)
    with _project(args, base, request, file) as pipeline:
        args.project = pipeline.project_id
        out = args.out or Path(f"{args.project}.zip")
        with Progress(pipeline, sys.stderr):
            _begin(pipeline, file, request)
            while pipeline.model.stages[StageId.EXPORT].status is not StageStatus.COMPLETED:
                pipeline.wait()
                gate = pipeline.gate
                if gate is not None:
                    _pass(pipeline, gate, args)
        saved = pipeline.download(out)
        _summary(pipeline, saved)
    return 0


def _project(args: argparse.Namespace, base: str, request: str, data: "DataFile | None") -> Pipeline:
    """The project that is meant: the one that was named, one that was asked the same of the same data, or a new one.

    Others are read, not opened: what was interrupted in them would go on.
    """
    if args.project:
        return Pipeline(args.project, embedded=True, workspace=args.workspace)
    from .embedded import Host

    host, others = Host.of(args.workspace), []
    try:
        for n in itertools.count(1):
            name = base if n == 1 else f"{base}-{n}"
            try:
                found = host.beginning(name)
            except PipelineError as error:
                print(f"{error} It is left as it is.", file=sys.stderr)
                others.append((name, "a log that cannot be read"))
                continue
            if found is None:
                if others:
                    _say_others(name, others, args.new)
                break
            # Without a request the command was killed before it asked. Data that a link names are not compared.
            same = found.request in (None, request)
            if same and not args.new and (data is None or data.digest in found.digests):
                break
            others.append((name, "other data" if same else "another request"))
        return Pipeline(name, embedded=True, workspace=args.workspace)
    finally:
        host.release()


def _say_others(name: str, others: list[tuple[str, str]], new: bool) -> None:
    first, why = others[0]
    there = f"The project {first!r} is there already" + (f", with {why}" if len(others) == 1 and not new else "")
    print(f"{there}; this one is {name!r}. To go on with that one: --project {first}", file=sys.stderr)


def _asked(pipeline: Pipeline) -> str | None:
    """A project's request."""
    return next((line.text for line in pipeline.model.chat if line.source == "user"), None)


class DataFile:
    """A data file, and its SHA-256 once it was asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @functools.cached_property
    def digest(self) -> str:
        """It takes a second for some hundred megabytes."""
        return sha256(self.path)


def _how_to_go_on(args: argparse.Namespace) -> str:
    return (
        f"; the same command with --project {args.project} goes on from here" if getattr(args, "project", None) else ""
    )


def _begin(pipeline: Pipeline, data: DataFile | None, request: str) -> None:
    """Hand over data (None: the request names them) and request; a project that has them goes on where it stands."""
    before = _asked(pipeline)
    if before != request:
        if data is not None:
            pipeline.attach(data.path)
        answer = pipeline.chat(request, timeout=None)
        if before:  # another sentence than before: what it changes, and what was not understood
            print(answer, file=sys.stderr)
        return
    with pipeline.model.lock:
        attached = {dataset["meta"].get("sha256") for dataset in pipeline.model.datasets.values()}
    if data is not None and data.digest not in attached:
        raise PipelineError(
            f"The project {pipeline.project_id!r} was begun with other data than {str(data.path)!r}; without --project "
            "they get a project of their own."
        )
    stage = pipeline.model.current
    status = pipeline.model.stages[stage].status
    if pipeline.model.stages[StageId.EXPORT].status is StageStatus.COMPLETED:
        done = f"The project {pipeline.project_id!r} has done this already, so its bundle is saved"
        print(f"{done}; --new does it again in a new project.", file=sys.stderr)
        return
    print(f"The project {pipeline.project_id!r} goes on at the stage {stage_name(stage)}.", file=sys.stderr)
    if status is StageStatus.FAILED:
        pipeline.restart_stage(stage.value)


def _pass(pipeline: Pipeline, gate: Gate, args: argparse.Namespace) -> None:
    """Confirm a gate: at once, or when the person says so."""
    budget = gate.plan.get("time_budget_s")
    if args.budget is not None and budget is not None and budget != args.budget:
        pipeline.update_plan(time_budget_s=args.budget)
        return
    with pipeline.model.lock:
        rows = gates.facts(gate, pipeline.model)
    print(f"\n{stage_name(gate.stage_id)}: {gate.summary}", file=sys.stderr)
    width = max((len(label) for label, _ in rows), default=0)
    for label, value in rows:
        print(f"    {label:<{width}}  {value}", file=sys.stderr)
    if args.yes:
        pipeline.confirm_gate(gate)
        return
    if not sys.stdin.isatty():
        raise PipelineError("There is no terminal to ask for confirmation on; --yes confirms every gate.")
    try:
        answer = input("Confirm? [Enter: yes, q: stop, or say what should be different] ").strip()
    except EOFError:  # Ctrl-D
        answer = "q"
    if answer.lower() in ("", "y", "yes"):
        pipeline.confirm_gate(gate)
    elif answer.lower() in ("q", "quit", "n", "no"):
        raise PipelineError(f"Stopped at your wish; --project {pipeline.project_id} goes on from here.")
    else:
        print(pipeline.chat(answer), file=sys.stderr)


def _summary(pipeline: Pipeline, saved: Path) -> None:
    model = pipeline.model
    print(f"\n{metric_name(model.metric)} on validation rows:", file=sys.stderr)
    for rank, row in enumerate(model.leaderboard[:5], 1):
        name, status = model.name_of(row["model"]), named(RUN_STATUS_NAMES, row["status"])
        print(f"{rank}. {name}: {number(row['metric'])} ({status})", file=sys.stderr)
    print(saved)


class Progress:
    """One line on a terminal that says what runs; on anything else a line for each stage and run.

    Parameters
    ----------
    pipeline : Pipeline
        What is watched.
    stream : text file
        Where it is written.
    """

    def __init__(self, pipeline: Pipeline, stream: TextIO) -> None:
        self._model = pipeline.model
        self._stream = stream
        self._live = stream.isatty()
        self._said: set[str] = set()
        self._last = ""

    def __enter__(self) -> "Progress":
        self._stop = self._model.observe(self._show)
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop()
        self._write("")

    def _show(self) -> None:
        model = self._model
        with model.lock:
            stage, view = model.current, model.stages[model.current]
            runs = [model.runs[run_id] for run_id in model.shown_runs if run_id in model.runs]
        if view.status is not StageStatus.IN_PROGRESS:
            self._write("")
            return
        for run in runs:
            if run.status != "running":
                value = run.final.get((run.metric, "val"))
                name, status = model.name_of(run.model_id), named(RUN_STATUS_NAMES, run.status)
                how = f"{metric_words(run.metric)} {number(value)} on validation rows"
                self._line(run.run_id, f"  {name}: {status}, {how}")
        running = [run for run in runs if run.status == "running"]
        if stage is StageId.TRAIN and running:
            self._write(
                f"{stage_name(stage)}: {model.name_of(running[-1].model_id)} {running[-1].pct:.0%} "
                f"({named(PHASE_NAMES, running[-1].phase)})"
            )
        elif model.progress is not None:
            self._write(f"{stage_name(stage)}: {model.progress[0]} {model.progress[1]:.0%}")
        else:
            self._write(f"{stage_name(stage)}: {model.doing or view.message}")
        if not self._live:
            self._line(stage.value, f"{stage_name(stage)} ...")

    def _line(self, key: str, text: str) -> None:
        if key not in self._said:
            self._said.add(key)
            self._write("")
            print(text, file=self._stream)

    def _write(self, text: str) -> None:
        if self._live and text != self._last:
            self._last = text
            self._stream.write(f"\r\x1b[2K{text[:110]}")
            self._stream.flush()


if __name__ == "__main__":
    sys.exit(main())
