"""Colours and style of the display. They hold in light and dark themes, and for colour-blind eyes.

Text takes the colour of the page and lines are half-transparent grey, so both themes are right without knowing which
one there is. Blue and orange of middle lightness (Okabe and Ito) stand out on white and on black.
"""

from ..protocol.stages import StageStatus

BLUE = "#0d7fc4"
ORANGE = "#d9730d"
GREEN = "#12875c"
RED = "#d0412f"
GREY = "#808890"
LINE = "rgba(128,136,144,.35)"
FAINT = "rgba(128,136,144,.10)"

#: Sign, word and colour for each state. The sign and the word say it without the colour.
STATUS: dict[StageStatus, tuple[str, str]] = {
    StageStatus.PENDING: ("○", GREY),
    StageStatus.IN_PROGRESS: ("◐", BLUE),
    StageStatus.WAITING_CONFIRMATION: ("◆", ORANGE),
    StageStatus.COMPLETED: ("●", GREEN),
    StageStatus.FAILED: ("✕", RED),
    StageStatus.SKIPPED: ("·", GREY),
}

#: The same for a stage that somebody ended.
STOPPED = ("■", ORANGE)

#: The root of every piece. It inherits the page's text colour: Jupyter's variable is black in VS Code's dark themes.
ROOT = "font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px;line-height:1.45;max-width:960px"
TABLE = "border-collapse:collapse;margin:4px 0;font-size:12.5px;color:inherit;background:transparent"
CELL = (
    f"padding:3px 12px 3px 0;border:0;border-bottom:1px solid {LINE};text-align:left;vertical-align:top;color:inherit"
)
NUMBER = CELL.replace("text-align:left", "text-align:right") + ";font-variant-numeric:tabular-nums"
HEAD = CELL + ";font-weight:600;opacity:.75;background:transparent"
MUTED = "opacity:.7"


def box(colour: str) -> str:
    """A box with a coloured edge."""
    return f"border:1px solid {LINE};border-left:4px solid {colour};border-radius:4px;padding:8px 12px;margin:6px 0"
