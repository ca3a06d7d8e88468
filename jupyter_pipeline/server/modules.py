"""The front end's ES modules, for pages of any origin that may speak to this server.

A module holds nothing of the user's, but like everything here it is given only to who is let in: a page of another
origin imports it with ``?token=…``, and Jupyter answers that with the CORS header that an import needs. Without the
token such a page gets 403, and 404 where the user's cookie comes along, so it cannot tell what runs here.
"""

import asyncio
from pathlib import Path

from .base import PROJECTS, guarded
from .errors import NotFound
from .rest import OneProjectHandler

STATIC = Path(__file__).parents[1] / "static"
MODULES = ("client", "view", "widget")


class ModuleHandler(OneProjectHandler):
    """``api/projects/client.js``, ``view.js`` and ``widget.js``."""

    @guarded("read")
    async def get(self, project_id: str) -> None:
        """The module; its ETag, of the content, is Tornado's."""
        try:
            content = await asyncio.to_thread((STATIC / project_id).read_bytes)
        except FileNotFoundError:
            raise NotFound(
                "The front end is not built in this installation of jupyter_pipeline; in its clone, run: pip install ."
            ) from None
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "private, no-cache")
        self.finish(content, set_content_type="text/javascript; charset=utf-8")

    head = get


default_handlers = [(rf"{PROJECTS}/((?:{'|'.join(MODULES)})\.js)", ModuleHandler)]
