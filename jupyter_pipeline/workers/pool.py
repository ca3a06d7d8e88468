"""Worker processes for all projects: some kept warm, each at one attempt at a time."""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from ..protocol.jobs import Done, Failed, Finish, Job, Predict, Predicted, Ready, Said
from ..protocol.names import stage_name
from ..tasks import Tasks
from ..traces import ProjectLog, places
from .process import WorkerProcess

log = logging.getLogger(__name__)


MOST_ASKED = 64
"""Predictions that may wait at once."""


class PredictionError(ValueError):
    """Rows that cannot be predicted; the message says why."""


class PredictorBusy(RuntimeError):
    """A prediction that was not made through no fault of its rows; the message says what happened."""


class Attempt:
    """An attempt at a stage: waits for a worker, runs in it, and can be ended at any time.

    Parameters
    ----------
    pool : WorkerPool
        Where the worker comes from.
    job : Job
        What to do.
    on_said : callable
        Called with what the attempt says: events in a row, a result, or a failure.
    on_death : callable
        Called with a sentence, and with what the worker said last, if its process ends without a result.
    """

    def __init__(
        self,
        pool: "WorkerPool",
        job: Job,
        on_said: Callable[[Said], None],
        on_death: Callable[[str, str], object],
    ) -> None:
        self.number = job.attempt
        self.stage_id = job.stage_id
        self._pool = pool
        self._job = job
        self._notes = ProjectLog(log, job.project_id, stage_id=job.stage_id.value, attempt=job.attempt)
        self._on_said = on_said
        self._on_death = on_death
        self._worker: WorkerProcess | None = None
        self._over = False
        self._ended = False
        self._wanted: Finish | None = None
        self._held = False
        self._starting = asyncio.get_running_loop().create_task(self._start())

    async def _start(self) -> None:
        try:
            worker = await self._pool.take(self)
        except Exception as error:  # no process, or no thread to listen to it
            self._is_over()
            self._pool.give_back(self, None)
            self._on_death(f"No worker process could be started ({error}).", "")
            return
        self._worker = worker
        worker.hold(self._held)
        try:
            await worker.send(self._job)
            if self._wanted is not None:
                await worker.send(self._wanted)
        except Exception as error:
            self._notes.error("the job could not be sent:\n%s", places(error))
            self._pool.end(worker)  # its death is told

    async def finish(self, last_run: int | None = None) -> None:
        """Ask the stage to end with the best so far, at once or after the run of this number."""
        self._wanted = Finish(attempt=self.number, last_run=last_run)
        if self._worker is not None and not self._over:
            await self._worker.send(self._wanted)

    def hold(self, held: bool) -> None:
        """Take nothing more of what the attempt says, until it may go on; it waits when its pipe is full."""
        self._held = held
        if self._worker is not None and not self._over:
            self._worker.hold(held)

    async def end(self, grace_s: float) -> None:
        """End the attempt; when this returns none of its processes is left.

        If it is cancelled meanwhile, calling it again ends the rest.
        """
        if self._ended:
            return
        self._over = True
        if self._worker is None:
            self._starting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._starting
        if self._worker is not None:
            await self._worker.end(grace_s)
            self._worker = None
        self._ended = True
        self._pool.give_back(self, None)

    def said(self, said: Said) -> None:
        """What the worker says while it is at this attempt."""
        if self._over:
            return
        if isinstance(said, Done | Failed):
            self.hold(False)
            self._is_over()
            self._pool.give_back(self, self._worker)
            if isinstance(said, Failed) and said.where:
                self._notes.info("failed:\n%s", said.where)
        self._on_said(said)

    def died(self, worker: WorkerProcess) -> None:
        """The worker's process ended while it was at this attempt."""
        if self._over:
            return
        self._is_over()
        self._pool.give_back(self, None)
        code = worker.returncode
        how = f"was ended by signal {-code}" if code is not None and code < 0 else f"ended with status {code}"
        hint = " (out of memory?)" if code == -9 else ""
        if worker.unreadable:
            how, hint = "said something that is no frame, or too long for one, so it was ended", ""
        self._notes.warning("the worker %s", how)
        what = f"The worker process of the stage {stage_name(self.stage_id)} {how}{hint}."
        self._on_death(what, worker.last_words())

    def _is_over(self) -> None:
        """By itself: there is nothing to end."""
        self._over = self._ended = True


class WorkerPool:
    """Worker processes, at most ``max_workers`` at work at once.

    Parameters
    ----------
    max_workers : int
        Attempts that may run at once; further ones wait in order.
    warm_workers : int
        Idle processes that are kept ready once there was work.
    predict_s : float
        Seconds that a prediction may take.
    """

    def __init__(self, max_workers: int, warm_workers: int, predict_s: float) -> None:
        self._slots = asyncio.Semaphore(max_workers)
        self._warm = warm_workers
        self._idle: list[WorkerProcess] = []
        self._busy: dict[WorkerProcess, Attempt] = {}
        self._holding: set[Attempt] = set()
        self._tidying: set[asyncio.Task[None]] = set()
        self.predict_s = predict_s
        self._predictor: WorkerProcess | None = None
        self._asked: dict[str, tuple[WorkerProcess, asyncio.Future[Predicted]]] = {}
        self._tasks = Tasks(log)
        self._closed = False
        self._worked = False

    def warm(self) -> None:
        """Start idle processes, so that the next stage begins at once; where that cannot be, it waits for its own."""
        try:
            while not self._closed and len(self._idle) + len(self._tidying) < self._warm:
                self._idle.append(self._spawn())
        except (OSError, RuntimeError) as error:
            log.warning("No worker process could be started: %s", error)

    async def take(self, attempt: Attempt) -> WorkerProcess:
        """A worker for an attempt, once there is a free slot."""
        await self._slots.acquire()
        self._worked = True
        self._holding.add(attempt)
        if not self._idle and self._tidying:
            await asyncio.wait(self._tidying)
        worker = self._idle.pop(0) if self._idle else self._spawn()
        self._busy[worker] = attempt
        return worker

    def give_back(self, attempt: Attempt, worker: WorkerProcess | None) -> None:
        """An attempt is over; its worker, if it is still good, waits for the next."""
        if attempt in self._holding:
            self._holding.discard(attempt)
            self._slots.release()
        for busy in [w for w, a in self._busy.items() if a is attempt]:
            del self._busy[busy]
        if worker is not None:
            if len(self._idle) + len(self._tidying) < self._warm and not self._closed:
                self._tidying.add(tidying := asyncio.get_running_loop().create_task(self._tidy(worker)))
                tidying.add_done_callback(self._tidying.discard)
            else:
                self.end(worker)
        self.warm()

    def end(self, worker: WorkerProcess) -> None:
        """End a worker that is of no use any more."""
        self._tasks.start(worker.end(0.0))

    async def _tidy(self, worker: WorkerProcess) -> None:
        """Keep a worker for the next attempt, unless its job left processes behind: those end with it."""
        if await worker.left_behind():
            log.info("A stage left processes behind; they are ended.")
            self.end(worker)
        elif worker.returncode is None:
            self._idle.append(worker)

    async def predict(
        self, model_dir: str, threshold: float | None, rows: list[dict[str, Any]] | msgspec.Raw
    ) -> dict[str, Any]:
        """Predict rows, which may be JSON already, in a process of their own kind.

        Raises
        ------
        PredictionError
            If the rows cannot be predicted.
        PredictorBusy
            If too many wait, if it took too long, or if the process ended meanwhile.
        """
        if len(self._asked) >= MOST_ASKED:
            raise PredictorBusy(f"{len(self._asked)} predictions wait already; try again.")
        if self._predictor is None:
            try:
                self._predictor = self._idle.pop(0) if self._idle else self._spawn()
            except (OSError, RuntimeError) as error:
                raise PredictorBusy(f"No process could be started that predicts ({error}); try again.") from None
        predictor = self._predictor
        predictor.predicts = True
        text = bytes(rows) if isinstance(rows, msgspec.Raw) else msgspec.json.encode(rows)
        line = msgspec.Raw(text.replace(b"\n", b" ").replace(b"\r", b" "))  # in JSON only white space has them
        request = Predict(request_id=uuid.uuid4().hex, model_dir=model_dir, threshold=threshold, rows=line)
        future: asyncio.Future[Predicted] = asyncio.get_running_loop().create_future()
        self._asked[request.request_id] = predictor, future
        try:
            async with asyncio.timeout(self.predict_s):
                await predictor.send(request)
                answer = await future
        except TimeoutError:
            # Those that wait behind it hear of its end and can be sent again; none is sent to it any more.
            if self._predictor is predictor:
                self._predictor = None
            self.end(predictor)
            raise PredictorBusy(
                f"The prediction took longer than {self.predict_s:g} s and was stopped; send fewer rows at once."
            ) from None
        finally:
            self._asked.pop(request.request_id, None)
        if answer.result is None:
            raise PredictionError(answer.error or "The rows could not be predicted.")
        return answer.result

    async def close(self) -> None:
        """End all processes."""
        self._closed = True
        if self._tidying:
            await asyncio.wait(self._tidying)
        workers = [*self._idle, *self._busy, *([self._predictor] if self._predictor else [])]
        self._idle.clear()
        await asyncio.gather(*(w.end(0.0) for w in workers), self._tasks.ended(), return_exceptions=True)

    def _spawn(self) -> WorkerProcess:
        return WorkerProcess(self._said, self._exit, eager=self._worked)

    def _said(self, worker: WorkerProcess, said: Said | Predicted | Ready) -> None:
        if isinstance(said, Predicted):
            asked = self._asked.get(said.request_id)
            if asked is not None and not asked[1].done():
                asked[1].set_result(said)
        elif not isinstance(said, Ready) and (attempt := self._busy.get(worker)) is not None:
            attempt.said(said)

    def _exit(self, worker: WorkerProcess) -> None:
        if worker in self._idle:
            self._idle.remove(worker)
            log.warning("An idle worker process ended with status %s", worker.returncode)
        if worker is self._predictor:
            self._predictor = None
        for predictor, future in self._asked.values():
            if predictor is worker and not future.done():
                future.set_exception(PredictorBusy("The process that predicts ended meanwhile; try again."))
        attempt = self._busy.get(worker)
        if attempt is not None:
            attempt.died(worker)
