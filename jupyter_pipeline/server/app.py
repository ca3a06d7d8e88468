"""The server extension: its settings and its routes."""

import logging
import os
from datetime import UTC, datetime
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from tornado.ioloop import PeriodicCallback
from traitlets import Bool, Dict, Enum, Float, Int, Unicode

from ..project.settings import Settings
from ..protocol.connecting import TICKET_VARIABLE, URL_VARIABLE
from . import modules, rest, websocket
from .access import new_ticket
from .limits import DEFAULT_AT_ONCE, DEFAULT_RATES, Crowd, RateLimiter
from .service import Limits, Service

_MIB = 1 << 20
_ACTIVITY_MS = 5000


class PipelineApp(ExtensionApp):
    """Machine learning pipelines in the Jupyter server."""

    name = "jupyter_pipeline"
    description = "From a sentence and a data set to an exported model, with a person deciding at every gate."
    extension_url = "/"
    load_other_extensions = True

    workspace_dir = Unicode(
        None,
        allow_none=True,
        config=True,
        help="Folder whose files can be used as data. None: the folder that the server shows (its root_dir).",
    )
    pipelines_dir = Unicode(
        "pipelines",
        config=True,
        help="Folder of the projects, below workspace_dir unless absolute. The event log is in a hidden folder in it.",
    )
    executor = Enum(
        ("local",),
        default_value="local",
        config=True,
        help="Where stages run. local: worker processes on this machine.",
    )
    threads = Int(
        None,
        allow_none=True,
        min=1,
        config=True,
        help="Cores that one training may use. None: all that the server may use.",
    )
    max_workers = Int(
        2, min=1, config=True, help="Stages of different projects that may run at once, in processes; more wait."
    )
    warm_workers = Int(
        1,
        min=0,
        config=True,
        help="Idle worker processes that are kept ready while somebody is connected, so that a stage begins at once. "
        "0: none, which saves their memory and costs some seconds at the start of each stage.",
    )
    cancel_grace_s = Float(
        Settings(workspace_dir="").cancel_grace_s,
        min=0.0,
        config=True,
        help="Seconds between asking a worker's process group to end and killing it.",
    )
    finish_grace_s = Float(
        Settings(workspace_dir="").finish_grace_s,
        min=0.0,
        config=True,
        help="Seconds that a training has to end after 'finish', before it is killed and its finished trials are used.",
    )
    command_timeout_s = Float(
        Settings(workspace_dir="").command_timeout_s,
        min=0.1,
        config=True,
        help="Seconds that a custom command may take before its process is ended.",
    )
    predict_s = Float(
        Settings(workspace_dir="").predict_s,
        min=0.1,
        config=True,
        help="Seconds that a prediction may take, the loading of the model included, before it is stopped.",
    )
    message_limit = Int(
        1 * _MIB, min=1024, config=True, help="Bytes of a client's message; more closes the socket with 1009."
    )
    predict_limit = Int(32 * _MIB, min=1024, config=True, help="Bytes of the body of a predict request.")
    upload_limit = Int(
        10 * 1024 * _MIB,
        allow_none=True,
        min=1,
        config=True,
        help="Bytes of an uploaded data file. None: no limit but the disk.",
    )
    project_files_limit = Int(
        500,
        allow_none=True,
        min=1,
        config=True,
        help="Data files that may be uploaded to a project: each upload tells all of them anew. None: no limit.",
    )
    upload_stall_s = Float(
        60.0,
        min=0.1,
        config=True,
        help="Seconds in which at least 1 KiB of an uploaded file must come, or else the upload is given up.",
    )
    body_s = Float(
        120.0,
        min=0.1,
        config=True,
        help="Seconds in which a message or the body of a request, data files excepted, must have come whole.",
    )
    project_disk_limit = Int(
        Settings(workspace_dir="").project_bytes,
        allow_none=True,
        min=1,
        config=True,
        help="Bytes that a project's folder and its log may have: more is neither uploaded nor fetched, no stage "
        "begins with more, and one that runs is ended; the log alone may not have more either. Beside an upload of the "
        "largest size the default has room for its parsed copy, models and bundles. None: no limit but the disk.",
    )
    project_log_limit = Int(
        Settings(workspace_dir="").log_bytes,
        allow_none=True,
        min=100_000,
        config=True,
        help="Bytes that a project's events may have in the log, which is never cut: at the limit chats, confirms and "
        "commands are refused, cancelling excepted, and a stage that goes on to report is ended; reading, downloads "
        "and EXPORT go on. A training of an hour takes some megabytes. None: no limit but the disk.",
    )
    long_poll_limit_s = Float(60.0, min=0.0, config=True, help="Seconds that a request for events may wait at most.")
    rate_limits = Dict(
        key_trait=Enum(tuple(DEFAULT_RATES)),
        value_trait=Float(min=0.001, allow_none=True),
        config=True,
        help="Messages and requests per minute and user, by kind; None: no limit. 'read' is every GET and HEAD, "
        "'connect' the opening of a socket. Kinds that are not named keep their default: "
        + ", ".join(f"{kind} {rate:g}" for kind, rate in DEFAULT_RATES.items())
        + ".",
    )
    rate_burst_s = Float(10.0, min=0.0, config=True, help="Seconds' worth of a rate limit that may come at once.")
    at_once_limits = Dict(
        key_trait=Enum(tuple(DEFAULT_AT_ONCE)),
        value_trait=Int(min=1, allow_none=True),
        config=True,
        help="How many a user may have open at once, by kind; None: no limit. 'sockets' are sockets and requests that "
        "wait for events, 'requests' are other GETs whose answer is on its way, 'bytes' are those of messages and "
        "bodies, data files excepted, that are on their way or being answered. Kinds that are not named keep their "
        "default: " + ", ".join(f"{kind} {most}" for kind, most in DEFAULT_AT_ONCE.items()) + ".",
    )
    flood_limit = Float(
        120.0,
        min=1.0,
        config=True,
        help="Messages per minute that a connection may send over its rate limits, each refused, before it is closed.",
    )
    compression = Bool(
        False, config=True, help="Whether sockets compress: fewer bytes, more work for the server's event loop."
    )

    def initialize_handlers(self) -> None:
        """Register the routes."""
        assert self.serverapp is not None
        self.service = Service(
            settings=Settings(
                workspace_dir=self.workspace_dir or self.serverapp.root_dir,
                pipelines_dir=self.pipelines_dir,
                base_url=self.serverapp.base_url,
                threads=self.threads,
                max_workers=self.max_workers,
                warm_workers=self.warm_workers,
                cancel_grace_s=self.cancel_grace_s,
                finish_grace_s=self.finish_grace_s,
                command_timeout_s=self.command_timeout_s,
                predict_s=self.predict_s,
                project_bytes=self.project_disk_limit,
                log_bytes=self.project_log_limit,
            ),
            limits=Limits(
                message_bytes=self.message_limit,
                predict_bytes=self.predict_limit,
                upload_bytes=self.upload_limit,
                upload_stall_s=self.upload_stall_s,
                body_s=self.body_s,
                project_files=self.project_files_limit,
                long_poll_s=self.long_poll_limit_s,
                flood_per_minute=self.flood_limit,
            ),
            limiter=RateLimiter(self.rate_limits, self.rate_burst_s),
            crowd=Crowd(self.at_once_limits),
            ticket=new_ticket(),
            compression=self.compression,
        )
        for pattern, handler in [*websocket.default_handlers, *modules.default_handlers, *rest.default_handlers]:
            self.handlers.append((pattern, handler, {"service": self.service}))

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Open the projects; kernels that start from now on find this server by two variables."""
        if not serverapp.sock:  # else whoever has that port would be sent the ticket
            os.environ[URL_VARIABLE] = server_url(serverapp)
            os.environ[TICKET_VARIABLE] = self.service.ticket
        # As Jupyter does with Tornado's: what this package says goes to Jupyter's handlers, with time and level.
        logging.getLogger(__package__.partition(".")[0]).parent = serverapp.log
        self.service.watch.start(self.service, serverapp.event_logger)
        await self.service.start()
        self._watching = PeriodicCallback(self._note_activity, _ACTIVITY_MS)
        self._watching.start()

    def current_activity(self) -> dict[str, Any] | None:
        """What runs, for a server that shuts itself down when nothing does."""
        at_work = self.service.at_work if hasattr(self, "service") else ()
        return {"projects": list(at_work)} if at_work else None

    def _note_activity(self) -> None:
        """While a stage runs the server is active, also if nobody is connected: idle cullers look at this."""
        if self.service.at_work and self.serverapp is not None:
            self.serverapp.web_app.settings["jupyter_pipeline_last_activity"] = datetime.now(UTC)

    async def stop_extension(self) -> None:
        """End the work and close the log."""
        service: Service | None = getattr(self, "service", None)
        if service is None:
            return
        if os.environ.get(TICKET_VARIABLE) == service.ticket:
            os.environ.pop(TICKET_VARIABLE)
            os.environ.pop(URL_VARIABLE, None)
        watching: PeriodicCallback | None = getattr(self, "_watching", None)
        if watching is not None:
            watching.stop()
        await service.stop()


def server_url(serverapp: Any) -> str:
    """The address at which a kernel of this machine reaches the server."""
    host = serverapp.ip
    if host in ("", "*", "0.0.0.0"):  # noqa: S104 - compared with, not bound to
        host = "127.0.0.1"
    elif host == "::":
        host = "::1"
    host = f"[{host}]" if ":" in host else host
    return f"{'https' if serverapp.certfile else 'http'}://{host}:{serverapp.port}{serverapp.base_url}"
