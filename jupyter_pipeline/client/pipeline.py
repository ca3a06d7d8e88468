"""The Pipeline object: one project, from a notebook or a script."""

import contextlib
import hashlib
import itertools
import warnings
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..protocol.connecting import is_project_id
from ..protocol.errors import ErrorCode
from ..protocol.names import stage_name
from ..protocol.stages import StageId, StageStatus
from . import discovery, words
from .errors import PipelineError, project_deleted
from .model import Gate
from .session import Session
from .transport import Transport, stage_of
from .waiting import Deadline

if TYPE_CHECKING:
    import pandas

    from .display import Display

PREDICT_ROWS = 1000
"""Rows in one prediction request."""

_made = itertools.count()
_alive: "weakref.WeakValueDictionary[int, Pipeline]" = weakref.WeakValueDictionary()
"""The Pipelines of this process in the order in which they were made; two may be of one project."""


class Pipeline(Session):
    """A project: from a sentence and a data set to an exported model.

    Projects outlive this object: ``Pipeline("churn")`` in another kernel, tomorrow, is the same project.

    Parameters
    ----------
    project_id : str
        The project's name: up to 64 letters, digits, dots, underscores and hyphens, a letter or digit first.
    url, token : str or None, default=None
        The Jupyter server; by default the one that this kernel belongs to.
    embedded : bool, default=False
        Run the conductor in this process, without a Jupyter server.
    workspace : path or None, default=None
        With ``embedded``: the folder in which ``pipelines/<project_id>`` is kept; by default the current one.
    fresh : bool, default=False
        Begin anew: a project that is there under this name is deleted first, with its files.
    timeout : float, default=30.0
        Seconds to wait for the connection.

    Raises
    ------
    PipelineError
        If there is no server, or it does not let us in.

    Examples
    --------
    >>> from jupyter_pipeline import Pipeline
    >>> p = Pipeline("churn", embedded=True)              # doctest: +SKIP
    >>> p.attach("customers.csv")                         # doctest: +SKIP
    >>> p.chat("Predict churn. Optimise recall.")         # doctest: +SKIP
    >>> p.run()                                           # doctest: +SKIP
    """

    def __init__(
        self,
        project_id: str,
        *,
        url: str | None = None,
        token: str | None = None,
        embedded: bool = False,
        workspace: str | Path | None = None,
        fresh: bool = False,
        timeout: float = 30.0,
    ) -> None:
        if not isinstance(project_id, str) or not is_project_id(project_id):
            raise PipelineError(
                f"{project_id!r} cannot name a project: use up to 64 letters, digits, dots, underscores and hyphens, "
                "a letter or digit first."
            )
        if embedded and url is not None:
            raise PipelineError("Give either a server (url) or embedded=True, not both.")

        def connect() -> Transport:
            return self._make_transport(url, token, embedded, workspace)

        super().__init__(project_id, connect, fresh=fresh, timeout=timeout)
        _alive[next(_made)] = self

    def _make_transport(self, url: str | None, token: str | None, embedded: bool, workspace: Any) -> Transport:
        if embedded:
            from .embedded import EmbeddedTransport

            return EmbeddedTransport(Path(workspace or "."), self.project_id)
        server = discovery.find_server(url, token)
        if server is None:
            raise discovery.no_server(self.project_id)
        from .websocket import WebSocketTransport

        return WebSocketTransport(server, self.project_id)

    # -- saying what is wanted ---------------------------------------------------------------------------------

    def attach(self, data: Any, name: str | None = None) -> dict[str, Any]:
        """Give the project data.

        Parameters
        ----------
        data : pandas.DataFrame, polars.DataFrame, polars.LazyFrame or path
            A frame, or the path of a data file.
        name : str or None, default=None
            The name of the data set; by default that of the file.

        Returns
        -------
        dict
            The data set: id, name, source, desc, meta.
        """
        from .frames import as_file

        self._check_not_deleted()
        with as_file(data) as file:
            dataset = self._transport.upload(file, words.file_name(name, file))
        self._until(lambda: dataset["id"] in self.model.datasets, 30.0, "the event of the new data set")
        gate = self.model.gate
        if gate is not None and gate.stage_id is StageId.DATA_SOURCE:
            self.command("select_dataset", dataset_id=dataset["id"])
        return dataset

    def chat(self, text: str, timeout: float | None = 120.0) -> str:
        """Say what you want, or what should change.

        Parameters
        ----------
        text : str
            The request, in plain words.
        timeout : float or None, default=120.0
            Seconds to wait for the answer.

        Returns
        -------
        str
            The assistant's answer; a notebook shows it as a paragraph.
        """
        if not isinstance(text, str):
            raise PipelineError(f"A message is a text, not of type {type(text).__name__}.")
        if not text.strip():
            raise PipelineError("The message is empty; say what you want, as in p.chat('Predict churn').")
        with self.model.lock:
            before, gates = self.model.seq, self.model.gates_opened
            status = self.model.stages[StageId.PARSE_INTENT].status
        is_request = status in (StageStatus.PENDING, StageStatus.FAILED)
        deadline = Deadline(timeout)
        self._send({"type": "chat", "text": text}, timeout)

        def answer() -> str | None:
            lines = [line for line in self.model.chat if line.seq > before]
            asked = next((line.seq for line in lines if line.source == "user" and line.text == text), before)
            said = next((line.text for line in lines if line.source == "assistant" and line.seq > asked), None)
            if not is_request:
                return said
            self._arrived(StageId.PARSE_INTENT)  # raises if the request could not be read
            opened = self.model.gate if self.model.gates_opened > gates else None
            return None if opened is None else said or opened.summary or stage_name(opened.stage_id)

        return words.Answer(self._until(answer, deadline, "an answer"))

    def confirm(self, stage_id: str | None = None) -> None:
        """Approve what the open gate proposes, as this client has seen it.

        Parameters
        ----------
        stage_id : str or None, default=None
            The stage that is meant; by default the one that waits.

        Raises
        ------
        PipelineError
            If no stage waits, or if the proposal was changed meanwhile (code GATE_STALE).
        """
        self._check_alive()
        gate = self.model.gate
        wanted = None if stage_id is None else stage_of(stage_id)
        if gate is None or wanted not in (None, gate.stage_id):
            raise PipelineError(words.nothing_to_confirm(self.model, wanted), "NOT_WAITING")
        self.confirm_gate(gate)

    def confirm_gate(self, gate: Gate) -> None:
        """Approve exactly this proposal; another one that took its place is not approved."""
        self._send({"type": "confirm", "stage_id": gate.stage_id.value, "gate_id": gate.gate_id})

    def command(self, name: str, /, **args: Any) -> None:
        """Run a command by its name.

        Parameters
        ----------
        name : str
            One of :attr:`commands`.
        **args
            Its arguments.
        """
        self._send({"type": "command", "command": name, "args": words.plain(args)})

    def restart_stage(self, stage_id: str, **params: Any) -> None:
        """Stop what runs and run a stage again.

        Parameters
        ----------
        stage_id : str
            The current stage or an earlier one, by its id or name: ``TRAIN``, ``Training``.
        **params
            Members of its plan that shall be different this time; what else was changed of it stays. Without any the
            stage proposes anew.
        """
        args: dict[str, Any] = {"stage_id": stage_of(stage_id).value}
        self.command("restart_stage", **(args | {"params": params} if params else args))

    restart = restart_stage

    def cancel_run(
        self, mode: Literal["stop", "finish", "after_run", "now"] = "stop", run_id: str | None = None
    ) -> None:
        """End what runs.

        Parameters
        ----------
        mode : {'stop', 'finish', 'after_run', 'now'}, default='stop'
            End it as cancelled; or keep the best model so far and go on, at once or when the run at work has come to
            its own end; or end it without a grace period.
        run_id : str or None, default=None
            The run that is meant; by default whatever runs.
        """
        self.command("cancel_run", mode=mode, **({} if run_id is None else {"run_id": run_id}))

    def select_dataset(self, dataset_id: str) -> None:
        """Use this one of the data set candidates."""
        self.command("select_dataset", dataset_id=dataset_id)

    def update_plan(self, patch: Sequence[dict[str, Any]] | None = None, /, **members: Any) -> None:
        """Change what the open gate proposes.

        Parameters
        ----------
        patch : list of dict or None, default=None
            A JSON Patch (RFC 6902) of :attr:`plan`.
        **members
            Or members of the plan with their new values; those of a nested member are merged into it. Models can be
            given by their ids.

        Notes
        -----
        Some changes, as of the target or the treatment of a column, make the stage work again: then no gate is open
        until it has another proposal, for which :meth:`wait` waits. So give what belongs together in one call.

        Examples
        --------
        >>> p.update_plan(time_budget_s=60, metric="recall")      # doctest: +SKIP
        >>> p.update_plan(columns={"zip": "drop"})                # doctest: +SKIP
        >>> p.update_plan(models=["linear", "lightgbm"])          # doctest: +SKIP
        """
        self._check_alive()
        gate = self.model.gate
        if gate is None:
            raise PipelineError(words.nothing_to_confirm(self.model), "NOT_WAITING")
        if not all(isinstance(step, dict) for step in patch or ()):
            raise PipelineError(
                "A patch is a list of operations; plan members are named: update_plan(metric='recall')."
            )
        if "models" in members and not isinstance(members["models"], str):
            members["models"] = [{"id": m} if isinstance(m, str) else m for m in members["models"]]
        operations = [*(patch or ()), *words.operations(members)]
        if not operations:
            raise PipelineError("Say what to change: update_plan(time_budget_s=60), or a JSON Patch.")
        self.command("update_plan", stage_id=gate.stage_id.value, patch=operations)

    def run(
        self,
        until: str = "EXPORT",
        confirm: bool | Callable[[Gate], bool] = True,
        timeout: float | None = None,
        quiet: bool = False,
    ) -> None:
        """Go on until a stage has something to confirm (EXPORT: until it is completed).

        Parameters
        ----------
        until : str, default="EXPORT"
            The stage, by its id or name; its own gate is left open.
        confirm : bool or callable, default=True
            Whether to confirm the gates on the way; a callable is asked at each, with the gate. When it says no,
            this returns with that gate open.
        timeout : float or None, default=None
            Seconds to wait in all.
        quiet : bool, default=False
            Print nothing on the way.

        Raises
        ------
        PipelineError
            If a stage failed; with its message.
        """
        self._check_not_deleted()
        goal = stage_of(until)
        deadline = Deadline(timeout)
        hint = words.Hint(self.model)
        with self._cell_waits():
            while True:
                gate, arrived = self._until(lambda: hint.watch(self._open_or_at(goal)), deadline, self._awaited(until))
                if gate is not None and not quiet:
                    print(f"{stage_name(gate.stage_id)}: {gate.summary}")
                if arrived or gate is None:
                    break
                if not (confirm(gate) if callable(confirm) else confirm):
                    return
                self._confirm_or_follow(gate, deadline)
        if not quiet and gate is None:
            print(f"{stage_name(goal)}: {self.model.stages[goal].message or 'completed'}")

    def _open_or_at(self, goal: StageId) -> tuple[Gate | None, bool] | None:
        """The gate that is open, or None at the end, and whether the goal has been reached; None while work goes on."""
        arrived = self._arrived(goal)
        return (self.model.gate, arrived) if arrived or self._arrived(None) else None

    def _confirm_or_follow(self, gate: Gate, deadline: Deadline) -> None:
        """Confirm a gate, unless somebody else was faster, at a button perhaps: what came of that is on its way."""
        try:
            self.confirm_gate(gate)
        except PipelineError as error:
            if error.code != ErrorCode.GATE_STALE:
                raise
            self._until(lambda: self.model.gate != gate, deadline, "what another client did")

    # -- using the model ---------------------------------------------------------------------------------------

    def predict(self, data: Any) -> "pandas.DataFrame":
        """Predict rows with the project's model.

        Parameters
        ----------
        data : pandas.DataFrame, polars.DataFrame or path
            Rows with the columns of the training data; the target may be missing.

        Returns
        -------
        pandas.DataFrame
            ``prediction`` and, for classification, ``proba_<class>`` for each class; indexed as ``data``.

        Warns
        -----
        UserWarning
            Of columns with values that the model can make nothing of, such as texts where there were numbers.
        """
        from .frames import prediction_frame, read_file, rows_of

        self._check_not_deleted()
        if isinstance(data, str | Path):
            data = read_file(Path(data).expanduser())
        rows = rows_of(data)
        if not rows:
            raise PipelineError("There are no rows to predict.")
        answers = [self._transport.predict(rows[i : i + PREDICT_ROWS]) for i in range(0, len(rows), PREDICT_ROWS)]
        notes = {column: note for answer in reversed(answers) for column, note in answer.get("notes", {}).items()}
        for note in notes.values():
            warnings.warn(note, stacklevel=2)
        joined: dict[str, Any] = {"predictions": [value for answer in answers for value in answer["predictions"]]}
        if answers[0].get("probabilities"):
            values = [row for answer in answers for row in answer["probabilities"]["values"]]
            joined["probabilities"] = {"classes": answers[0]["probabilities"]["classes"], "values": values}
        return prediction_frame(joined, getattr(data, "index", None))

    def download(self, path: str | Path | None = None, asset: str | None = None) -> Path:
        """Save the exported bundle, or another asset of the project.

        Parameters
        ----------
        path : path or None, default=None
            File or folder; by default the asset's own name in the current folder.
        asset : str or None, default=None
            The id or the name of the asset; by default the exported bundle.

        Returns
        -------
        Path
            The file written. The bundle's checksum was verified.
        """
        self._check_not_deleted()
        asset_id, name, checksum = words.find_asset(self.project_id, self.model, asset)
        target = Path(path).expanduser() if path is not None else Path(name)
        if target.is_dir():
            target = target / name
        if not target.absolute().parent.is_dir():
            raise PipelineError(f"{target} could not be written: there is no folder {target.parent}.")
        partial = target.with_name(f".{target.name}.part")
        digest = hashlib.sha256()
        try:
            with partial.open("wb") as file:

                def write(piece: bytes) -> None:
                    digest.update(piece)
                    try:
                        file.write(piece)
                    except OSError as error:  # not to be taken for one of the connection
                        raise PipelineError(f"{target} could not be written: {error}.") from error

                self._transport.download(asset_id, write)
            if checksum and checksum != f"sha256:{digest.hexdigest()}":
                raise PipelineError(f"{name} did not arrive whole: its checksum differs. Download it again.")
            partial.replace(target)
        except OSError as error:
            raise PipelineError(f"{target} could not be written: {error}.") from error
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
        return target

    def delete(self) -> None:
        """Remove the project with its log and its files, for everybody, and close this."""
        self._check_not_deleted()
        self._transport.delete()
        gone = project_deleted(self.project_id)
        self.model.status("closed", str(gone), gone.code)  # not "closed by you", whatever is heard first
        if self._display is not None:
            self._display.refresh_snapshot()
        self.close()

    # -- display -----------------------------------------------------------------------------------------------

    @property
    def display(self) -> "Display":
        """The inline display; made when first used."""
        if self._display is None:
            from .display import Display

            self._display = Display(self)
        return self._display

    def _ipython_display_(self) -> None:
        self.display.show()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self.display.bundle()

    def _repr_html_(self) -> str:
        from .render import page

        return page(self.project_id, self.model)


def alive(project_id: str | None = None) -> Pipeline | None:
    """The Pipeline of this process for a project, or without a name the latest one; None if it is closed."""
    found = [one for one in _alive.values() if not one.closed and project_id in (None, one.project_id)]
    return found[-1] if found else None
