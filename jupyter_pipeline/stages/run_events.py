"""What a training run says while it works: progress, scores, diagnostics and what it uses, not too much of it."""

import threading
import time
from collections.abc import Callable
from typing import Any

import psutil

from ..automl.monitor import Step
from ..protocol.events import GdDiagnostic, MetricScalar, Payload, Phase, ResourceStats, TrainProgress

#: Events of a run: so many at once, then so many a second.
BURST, RATE = 400.0, 20.0
#: A fit shows about so many of its iterations, when they are quick.
_POINTS = 60
#: and all of its first ones.
_FIRST = 30
#: An iteration is shown at the latest after so many seconds without one.
_SLOW_S = 0.5
#: Share of a run's progress that the fit makes.
_FIT = 0.9


class RunEvents:
    """Speaks for one run. The first and the last iteration are always told; between them some are left out.

    Parameters
    ----------
    emit : callable
        Takes payloads; may be called from two threads.
    run_id : str
    clock : callable
        Seconds, rising.
    """

    def __init__(
        self, emit: Callable[[Payload], None], run_id: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._emit, self.run_id, self._clock = emit, run_id, clock
        self.history: list[Step] = []
        self._told = 0
        self._started = clock()
        self._step, self._pct, self._epoch, self._epochs = 0, 0.0, 0, 0
        self._tokens, self._refilled, self._last_told = BURST, self._started, 0.0
        self._resources: _Resources | None = None

    def start(self) -> None:
        """Begin to speak; TRAIN_RUN_STARTED has been sent."""
        self._resources = _Resources(self._emit, self.run_id, lambda: len(self.history) and self.history[-1].iteration)
        self._resources.start()
        self._progress("init", 0.0)

    def iteration(self, step: Step) -> None:
        """Take in an iteration."""
        self.history.append(step)
        now = self._clock()
        self._tokens = min(BURST, self._tokens + (now - self._refilled) * RATE)
        self._refilled = now
        stride = max(1, step.iterations // _POINTS)
        due = len(self.history) <= _FIRST or step.iteration % stride == 0
        if (due or now - self._last_told >= _SLOW_S) and self._tokens >= len(step.scores) + 2:
            self._tell(step, now)

    def evaluating(self) -> None:
        """The fit is over: tell its last iteration, then go on to the evaluation."""
        if self.history and self._told != len(self.history):
            self._tell(self.history[-1], self._clock())
        self._progress("eval", _FIT)

    def finalizing(self) -> None:
        """The evaluation is over."""
        self._progress("finalize", 1.0)

    def stop(self) -> None:
        """Fall silent; nothing of the run is said after this but TRAIN_RUN_FINISHED."""
        if self._resources is not None:
            self._resources.stop()
            self._resources = None

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return self._clock() - self._started

    def _tell(self, step: Step, now: float) -> None:
        self._told = len(self.history)
        self._last_told = now
        self._epoch, self._epochs = step.iteration, max(step.iterations, step.iteration)
        for (name, split), value in step.scores.items():
            self._emit(
                MetricScalar(
                    run_id=self.run_id,
                    name=name,
                    split=split,  # type: ignore[arg-type]
                    step=step.iteration,
                    value=_finite(value),
                )
            )
        if step.diagnostics:
            found = {name: _finite(value) for name, value in step.diagnostics.items()}
            self._emit(GdDiagnostic(run_id=self.run_id, step=step.iteration, diagnostics=found))
        self._tokens -= len(step.scores) + 1 + bool(step.diagnostics)
        self._progress("fit", _FIT * self._epoch / self._epochs)

    def _progress(self, phase: Phase, pct: float) -> None:
        self._step += 1
        self._pct = max(self._pct, min(1.0, pct))
        elapsed = self.seconds
        eta = elapsed * (1 - self._pct) / self._pct if self._pct > 0 else None
        left = {"init": 2 + _POINTS, "eval": 1, "finalize": 0}.get(phase)
        if left is None:  # how many more iterations will be told, and the two that end the run
            stride = max(1, self._epochs // _POINTS)
            left = 2 + -(-(self._epochs - self._epoch) // stride)
        self._emit(
            TrainProgress(
                run_id=self.run_id,
                epoch=self._epoch,
                epochs=max(1, self._epochs),
                step=self._step,
                steps=self._step + left,
                pct=self._pct,
                eta_s=None if eta is None else round(eta, 3),
                phase=phase,
            )
        )

    def curves(self) -> dict[str, Any]:
        """All iterations that were measured, told or not, as JSON."""
        names = sorted({key for step in self.history for key in step.scores})
        return {
            "iteration": [step.iteration for step in self.history],
            "curves": [
                {"name": n, "split": s, "value": [_finite(step.scores.get((n, s))) for step in self.history]}
                for n, s in names
            ],
        }


class _Resources(threading.Thread):
    """Tells once a second what the process and its children use."""

    def __init__(self, emit: Callable[[Payload], None], run_id: str, iteration: Callable[[], int]) -> None:
        super().__init__(name="resources", daemon=True)
        self._emit, self._run_id, self._iteration = emit, run_id, iteration
        self._end = threading.Event()
        self._process = psutil.Process()
        self._children: dict[int, psutil.Process] = {}
        self._cpu, self._time, self._seen = 0.0, time.monotonic(), 0
        self._measure()

    def run(self) -> None:
        """Once a second, until stopped."""
        while not self._end.wait(1.0):
            self._tell()

    def stop(self) -> None:
        """End, and tell a last time."""
        self._end.set()
        self.join()
        self._tell()

    def _measure(self) -> tuple[float, float]:
        """CPU seconds and bytes of memory of the process and its children."""
        seconds, memory = 0.0, 0.0
        try:
            everyone = [self._process, *self._process.children(recursive=True)]
        except psutil.Error:
            everyone = [self._process]
        for process in everyone:
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    seconds += times.user + times.system
                    memory += process.memory_info().rss
            except psutil.Error:
                continue
        before, self._cpu = self._cpu, seconds
        return max(0.0, seconds - before), memory

    def _tell(self) -> None:
        now = time.monotonic()
        passed, self._time = max(1e-6, now - self._time), now
        used, memory = self._measure()
        done = int(self._iteration())
        steps, self._seen = done - self._seen, done
        self._emit(
            ResourceStats(
                run_id=self._run_id,
                cpu_pct=round(100 * used / passed, 1),
                ram_mb=round(memory / 2**20, 1),
                step_per_sec=round(steps / passed, 2),
            )
        )


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and abs(value) < float("inf") else None
