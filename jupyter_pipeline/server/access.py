"""Who sends a request, and what they may do: Jupyter's identity and Jupyter's authorizer, plus a kernel's ticket."""

import hmac
import ipaddress
import re
import secrets
from typing import Any, Literal

from jupyter_core.utils import ensure_async
from jupyter_server.auth.identity import IdentityProvider
from jupyter_server.auth.identity import User as JupyterUser
from jupyter_server.base.handlers import JupyterHandler

from ..protocol.connecting import TICKET_HEADER
from ..protocol.errors import ErrorCode, Refusal
from ..protocol.events import User
from ..protocol.messages import AnyMessage, Chat, Command, Confirm
from .service import Service

RESOURCE = "pipeline"
RIGHTS_S = 0.1
"""So old may the permission to read be when events, or a piece of an answer, are sent. An authorizer may have to ask
somebody else, so it is not asked for each of a stream; after a quiet time it is."""
_MADE_UP = re.compile(r"[0-9a-f]{32}")
Action = Literal["read", "write", "execute"]


def new_ticket() -> str:
    """A random ticket for the kernels of this server process."""
    return secrets.token_urlsafe(32)


class TicketIdentity(IdentityProvider):
    """The identity of a request that carries this process's ticket: the user ``kernel``.

    A kernel runs as the server's own user, and what the authorizer lets ``kernel`` do is still its decision.
    A ticket counts as a token does: a script sends it in a header, so neither its origin nor XSRF is in question.
    """

    def get_user(self, handler: Any) -> JupyterUser | None:
        """The kernel."""
        return JupyterUser(username="kernel", name="Notebook kernel", display_name="Notebook kernel")

    def is_token_authenticated(self, handler: Any) -> bool:
        """Always: the ticket is a token."""
        return True


class AccessMixin(JupyterHandler):
    """A handler that takes the ticket too, and asks the authorizer about messages."""

    def initialize(self, service: Service) -> None:
        """Take the service that all handlers share."""
        self.service = service
        self._ticket_identity: TicketIdentity | None = None
        sent = self.request.headers.get(TICKET_HEADER)
        # Bytes, because compare_digest refuses text that is not ASCII.
        if sent is not None and hmac.compare_digest(sent.encode(), service.ticket.encode()):
            self._ticket_identity = TicketIdentity(token="")

    @property
    def identity_provider(self) -> IdentityProvider:
        """Jupyter's own, except for a request with the ticket."""
        return self._ticket_identity or super().identity_provider

    @property
    def user(self) -> User:
        """Who sends this request, as events name them."""
        user = self.current_user
        return User(user.username, user.display_name or user.name or user.username)

    @property
    def rate_key(self) -> str:
        """Whose messages are counted together.

        Whoever has the server's token and no account gets a made-up user from Jupyter, another one for each request
        or, with a cookie, for each login. These count as one for each place that they come from.
        """
        username: str = self.current_user.username
        return f"token from {place_of(self.request.remote_ip)}" if _MADE_UP.fullmatch(username) else username

    async def is_allowed(self, action: Action) -> bool:
        """Ask Jupyter's authorizer."""
        return bool(await ensure_async(self.authorizer.is_authorized(self, self.current_user, action, RESOURCE)))

    async def require(self, action: Action) -> None:
        """Ask Jupyter's authorizer; Refusal (FORBIDDEN) if it says no."""
        if not await self.is_allowed(action):
            raise Refusal(
                ErrorCode.FORBIDDEN,
                f"You ({self.current_user.username}) may not {action} here; it takes the permission to "
                f"{action} the resource {RESOURCE!r}.",
            )


def place_of(ip: str | None) -> str:
    """An address without what its owner can choose freely: all of the machine's own are one, and an IPv6 network is."""
    try:
        address = ipaddress.ip_address(ip or "")
    except ValueError:
        return ip or "nowhere"
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback:
        return "this machine"
    return str(address if address.version == 4 else ipaddress.ip_network((address, 64), strict=False))


def action_of(message: AnyMessage) -> Action:
    """The permission that a message needs."""
    match message:
        case Chat():
            return "write"
        case Confirm() | Command():
            return "execute"
        case _:
            return "read"
