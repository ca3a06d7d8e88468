"""How the pipeline is watched: figures on Jupyter's ``/metrics``, and transitions through Jupyter's event logger."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import UNSET
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..protocol.errors import ErrorCode
from ..protocol.events import StageStatusEvent, TrainRunFinished, TrainRunStarted
from ..protocol.frames import Event
from ..traces import places

if TYPE_CHECKING:
    from .service import Service

log = logging.getLogger(__name__)
SCHEMAS = Path(__file__).parent / "event_schemas"
_ID = "https://schema.jupyter.org/jupyter_pipeline/"


class Watch(Collector):
    """Counts what happens. The counters are plain numbers, so counting costs next to nothing; a scrape reads them.

    Attributes
    ----------
    sent : int
        Events that were sent to clients.
    """

    def __init__(self) -> None:
        self.sent = 0
        self._appended = 0
        self._stages: Counter[tuple[str, str]] = Counter()
        self._runs: Counter[str] = Counter()
        self._refusals: Counter[str] = Counter()
        self._service: Service | None = None
        self._events: Any = None

    def start(self, service: "Service", event_logger: Any) -> None:
        """Be scraped, and tell Jupyter's event logger from now on."""
        self._service = service
        REGISTRY.register(self)
        try:
            for schema in sorted(SCHEMAS.glob("*.yaml")):
                event_logger.register_event_schema(schema)
        except Exception as error:  # another version of the schema, or an event logger that takes none
            log.warning("Transitions do not go to Jupyter's event logger: %s", error)
        else:
            self._events = event_logger

    def stop(self) -> None:
        """Be scraped no more."""
        if self._service is not None:
            self._service, self._events = None, None
            REGISTRY.unregister(self)

    def refused(self, code: ErrorCode) -> None:
        """A message or a request was refused."""
        self._refusals[code.value] += 1

    def committed(self, project_id: str, count: int, events: Sequence[Event]) -> None:
        """So many events of a project are durable, and its state follows from these."""
        self._appended += count
        for event in events:
            said = event.payload
            if isinstance(said, StageStatusEvent):
                self._stages[said.stage_id.value, said.status.value] += 1
                self._emit("stage", project_id, event, stage_id=said.stage_id.value, status=said.status.value,
                           attempt=said.attempt, username=UNSET if said.by is UNSET else said.by.username)  # fmt: skip
            elif isinstance(said, TrainRunStarted):
                self._runs["started"] += 1
                self._emit("run", project_id, event, run_id=said.run_id, model_id=said.model_id, status="started")
            elif isinstance(said, TrainRunFinished):
                self._runs[said.status] += 1
                self._emit("run", project_id, event, run_id=said.run_id, status=said.status)

    def _emit(self, schema: str, project_id: str, event: Event, **members: Any) -> None:
        if self._events is None:
            return
        data = {key: value for key, value in members.items() if value is not UNSET}
        try:
            self._events.emit(schema_id=_ID + schema, data={"project_id": project_id, "seq": event.seq, **data})
        except Exception as error:  # a handler's trouble is not the pipeline's
            log.error("An event could not be given to Jupyter's event logger:\n%s", places(error))

    def collect(self) -> Iterator[Metric]:
        """The figures, as prometheus_client asks for them."""
        if self._service is None:
            return
        lags = self._service.lags()
        yield GaugeMetricFamily("jupyter_pipeline_clients", "Open connections.", len(self._service.connections))
        yield GaugeMetricFamily(
            "jupyter_pipeline_reader_lag_events", "Events that the slowest reader is behind.", max(lags, default=0)
        )
        yield GaugeMetricFamily(
            "jupyter_pipeline_projects", "Projects that are open in this server.", self._service.open_projects
        )
        yield GaugeMetricFamily(
            "jupyter_pipeline_projects_at_work", "Projects in which a stage runs.", len(self._service.at_work)
        )
        yield CounterMetricFamily("jupyter_pipeline_events_appended", "Events made durable.", self._appended)
        yield CounterMetricFamily("jupyter_pipeline_events_sent", "Events sent to clients.", self.sent)
        yield _labelled("stages", "Stages that came to stand so.", ("stage", "status"), self._stages.items())
        yield _labelled("runs", "Training runs that began or ended so.", ("status",), _keys(self._runs))
        yield _labelled("refusals", "Messages and requests refused.", ("code",), _keys(self._refusals))


def _keys(counter: Counter[str]) -> list[tuple[tuple[str, ...], int]]:
    return [((key,), value) for key, value in counter.items()]


def _labelled(
    name: str, text: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], int]]
) -> CounterMetricFamily:
    family = CounterMetricFamily(f"jupyter_pipeline_{name}", text, labels=labels)
    for key, value in list(values):
        family.add_metric(key, value)
    return family
