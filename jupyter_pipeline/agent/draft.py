"""An answer in the making: the plans as they will be when everything asked is done, and what is said about it."""

from typing import Any

import msgspec

from ..protocol.names import stage_name
from ..protocol.stages import StageId
from .base import Cancel, Change, ConfirmGate, Context, Reply, Restart
from .columns import Columns, columns_of
from .scan import Item, Named, scan, weigh
from .tokens import Token
from .vocabulary import NEGATORS

SEE_FIRST = "Confirm when you have seen what this comes to."
NOT_YET = 'Nothing is confirmed yet: say "go on", and nothing else, for that.'
_ENDS = frozenset({",", "but", "and", "then"})
_REASONS = frozenset({"because", "since", "it's", "that's", "they're"})
_ARE = frozenset({"is", "are", "has", "have", "was", "were", "gives", "gave", "got", "does", "did", "looks"})
Other = Restart | Cancel | ConfirmGate


class Said(msgspec.Struct):
    """A sentence of a chat: its tokens, the known phrases in it, and the tokens that a rule has taken.

    A clause was understood if one of ``understood`` is in it; ``taken`` has words beside those which mean nothing
    more to later rules.
    """

    text: str
    tokens: list[Token]
    items: list[Item]
    named: list[Named]
    low: list[str]
    words: frozenset[str]
    taken: set[int] = msgspec.field(default_factory=set)
    understood: set[int] = msgspec.field(default_factory=set)

    @classmethod
    def of(cls, text: str, tokens: list[Token], columns: Columns) -> "Said":
        """A sentence, scanned."""
        items = scan(tokens, columns)
        low = [t.low for t in tokens]
        return cls(text, tokens, items, weigh(tokens, items), low, frozenset(low))

    def take(self, *spans: range) -> None:
        """Mark tokens as understood."""
        for span in spans:
            self.taken.update(span)
            self.understood.update(span)

    def has(self, *words: str) -> bool:
        """Whether any of these words is in the sentence."""
        return not self.words.isdisjoint(words)

    def free(self, kind: str) -> list[Named]:
        """What is named of a kind and was not taken by a rule."""
        return [n for n in self.named if n.kind == kind and n.start not in self.taken]

    def denied(self, at: int) -> bool:
        """Whether a clause says not to take what stands at a token: ``don't use iris``."""
        for i in range(at - 1, max(-1, at - 7), -1):
            if self.low[i] in NEGATORS | {"stop", "avoid", "than"} or self.low[i : i + 2] == ["instead", "of"]:
                return True
            if self.low[i] in _ENDS:
                return False
        return False

    def reasons(self) -> set[int]:
        """The tokens of clauses that say why, beside one that was understood: ``keep X, it's easier to explain``."""
        found: set[int] = set()
        for i, low in enumerate(self.low[:-1]):
            begins = low in _REASONS or (low in ("it", "they", "that", "this") and self.low[i + 1] in _ARE)
            if begins and i and (low in ("because", "since") or self.low[i - 1] in (",", "as")):
                end = next((n for n in range(i, len(self.low)) if self.low[n] in (",", "but")), len(self.low))
                found.update(range(i, end))
        return found if self.understood - found else set()

    def rest(self) -> list[Item]:
        """The known phrases that no rule has taken."""
        return [i for i in self.items if i.start not in self.taken]

    def take_words(self, *words: str) -> None:
        """Leave these words to no later rule, wherever they are."""
        self.taken.update(i for i, w in enumerate(self.low) if w in words)

    def take_named(self, *words: str) -> None:
        """Mark these words as understood, wherever they are."""
        self.take(*(range(i, i + 1) for i, w in enumerate(self.low) if w in words))


def piece(text: str, tokens: list[Token]) -> str:
    """The part of a text that some tokens stand for, as it was written."""
    return text[tokens[0].at : tokens[-1].end].strip(" .,;:!?-")[:200]


def _plain(value: Any) -> Any:
    """A copy of a JSON value, with lists for tuples."""
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list | tuple) else value


class Draft:
    """Collects changes; later rules see the plans as earlier ones left them.

    Parameters
    ----------
    context : Context
        How the project stands.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.columns = columns_of(context.columns, by_place=True)
        self.said: list[str] = []
        self.problems: list[str] = []
        self.missed: list[str] = []
        self.answers: list[str] = []
        self.others: list[Other] = []
        self.restart: StageId | None = None
        self.topic: list[str] = []
        """Columns that were named last, which is what ``it`` stands for."""
        self.confirmed = False
        """Whether something confirms, beside what else was said."""
        self._ops: dict[StageId, dict[str, dict[str, Any]]] = {}
        self._plans: dict[StageId, dict[str, Any]] = {
            stage: _plain(plan) for stage, plan in context.plans.items() if stage.order <= context.current_stage.order
        }

    def plan(self, stage_id: StageId) -> dict[str, Any] | None:
        """A stage's plan with the changes so far; None if it has none that could be changed now."""
        return self._plans.get(stage_id)

    def first(self, *stages: StageId) -> StageId | None:
        """The first of these stages that has a plan to change."""
        return next((s for s in stages if s in self._plans), None)

    def set(self, stage_id: StageId, value: Any, *path: str) -> bool:
        """Set a member of a plan; whether that changes anything."""
        at = self._plans[stage_id]
        for name in path[:-1]:
            at = at[name]
        exists = path[-1] in at
        if exists and at[path[-1]] == value:
            return False
        at[path[-1]] = _plain(value)
        pointer = "/" + "/".join(name.replace("~", "~0").replace("/", "~1") for name in path)
        value = _plain(value)
        operations = self._ops.setdefault(stage_id, {})
        if (operation := operations.get(pointer)) is not None:
            operation["value"] = value
            if operation["op"] == "replace" and value == self._before(stage_id, path):
                del operations[pointer]  # it was changed and is changed back: nothing runs again for that
                if not operations:
                    del self._ops[stage_id]
            return True
        operations[pointer] = {"op": "replace" if exists else "add", "path": pointer, "value": value}
        return True

    def _before(self, stage_id: StageId, path: tuple[str, ...]) -> Any:
        value: Any = self.context.plans[stage_id]
        for name in path:
            value = value[name]
        return _plain(value)

    def keep(self, stage_id: StageId) -> None:
        """A stage's plan stays as it was, whatever the attempt at it that runs or failed was asked."""
        self._ops.setdefault(stage_id, {})

    def say(self, text: str, changed: bool = True) -> None:
        """Say what was understood; where nothing changes, say that it is so already."""
        self.said.append(f"{text}." if changed else f"{text}: that is so already.")

    def problem(self, text: str) -> None:
        """Say what cannot be done, and what would be right."""
        if text not in self.problems:
            self.problems.append(text)

    @property
    def told(self) -> int:
        """How much was said so far."""
        return len(self.said) + len(self.problems) + len(self.answers) + len(self.others) + (self.restart is not None)

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes, in the order of the stages."""
        return tuple(
            Change(stage_id=stage, patch=tuple(self._ops[stage].values()))
            for stage in sorted(self._ops, key=lambda s: s.order)
        )

    def reply(self, help_text: str) -> Reply:
        """The answer; with what can be asked where nothing was understood."""
        actions: tuple[Change | Other, ...] = (*self.changes, *self.others)
        if self.restart is not None and not self.changes:
            self.said.append(f"The stage {stage_name(self.restart)} is to run again.")
            actions = (*actions, Restart(stage_id=self.restart))
        if self.confirmed:
            self.said.append(SEE_FIRST if actions else NOT_YET)
        parts = list(dict.fromkeys([*self.said, *self.problems, *self.answers]))
        if self.missed:
            missed = ", ".join(f'"{m}"' for m in dict.fromkeys(self.missed))
            parts.append(f"I did not understand {missed}.")
        elif not parts:
            parts.append("I did not understand that.")
        if not actions and (self.missed or not (self.said or self.problems or self.answers)):
            parts.append(help_text)
        return Reply(text=" ".join(parts), actions=actions)
