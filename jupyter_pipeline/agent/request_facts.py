"""What a request was understood to say so far."""

from .scan import Named
from .target import Target


class Facts:
    """What was found so far, over all sentences."""

    def __init__(self) -> None:
        self.target: Target | None = None
        self.task = "auto"
        self.metrics: list[tuple[str, bool]] = []
        self.prefer: str | None = None
        self.seconds: float | None = None
        self.patient = False
        self.notes: list[str] = []
        self.dataset: str | None = None
        self.sheet: str | None = None
        self.named: list[Named] = []
        self.missed: list[str] = []
        self.used: list[str] = []
        self.left_out: list[str] = []
        self.treatments: dict[str, str] = {}
        self.alone: set[str] = set()
        """Columns that are all that a sentence names."""
