"""The front end's ES modules, for pages of any origin that may speak to this server.

A module holds nothing of the user's, but like everything here it is given only to who is let in: a page of another
origin imports it with ``?token=…``, and Jupyter answers that with the CORS header that an import needs. Without the
token such a page gets 403, and 404 where the user's cookie comes along, so it cannot tell what runs here.
"""

import asyncio
from pathlib import Path

from tornado import web

from .access import RESOURCE
from .base import PROJECTS, JsonErrors, guarded
from .errors import NotFound

STATIC = Path(__file__).parents[1] / "static"
MODULES = ("client", "view", "widget")


class ModuleHandler(JsonErrors):
    """``api/projects/client.js``, ``view.js`` and ``widget.js``."""

    auth_resource = RESOURCE

    async def prepare(self, **kwargs: object) -> None:
        """Refuse what a page of another origin asks in the user's name."""
        await super().prepare(_redirect_to_login=False)
        if not self.check_origin():
            raise web.HTTPError(404)

    @guarded("read")
    async def get(self, name: str) -> None:
        """The module; its ETag, of the content, is Tornado's."""
        try:
            content = await asyncio.to_thread((STATIC / f"{name}.js").read_bytes)
        except FileNotFoundError:
            raise NotFound(
                "The front end is not built in this installation of jupyter_pipeline; in its clone, run: pip install ."
            ) from None
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "private, no-cache")
        self.finish(content)

    head = get


default_handlers = [(rf"{PROJECTS}/({'|'.join(MODULES)})\.js", ModuleHandler)]
