"""What a client and a server must agree on before and around the frames: names, how kernels are let in, close codes."""

import re

PROJECT_ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""What names a project, as a regular expression."""
ADDRESSES = frozenset({"openapi.json", "client.js", "view.js", "widget.js"})
"""What the server has where a project of that name would be; no project is begun with such a name."""

URL_VARIABLE = "JUPYTER_PIPELINE_URL"
"""The environment variable by which a server tells its kernels its address."""
TICKET_VARIABLE = "JUPYTER_PIPELINE_TICKET"
"""And the one with the ticket that lets them in."""
TICKET_HEADER = "X-Jupyter-Pipeline-Ticket"
"""Where they send it."""

# Codes with which a socket is closed.
GOING_DOWN = 1001
FLOODING = NOT_ALLOWED = 1008
TOO_LARGE = 1009
INTERNAL_ERROR = 1011
DELETED = 4404

OVERTAKEN = frozenset({"TRAIN_PROGRESS", "RESOURCE_STATS"})
"""Events of which the latest of each run is enough for a reader that is slow and says so."""


def is_project_id(text: str) -> bool:
    """Whether a text can name a project."""
    return re.fullmatch(PROJECT_ID, text) is not None
