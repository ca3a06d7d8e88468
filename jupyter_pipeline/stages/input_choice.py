"""Which columns of the data a request means with those that it wants used or left out."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ..agent.columns import Columns
from ..agent.inputs import nearly
from ..agent.treatments import OF_KIND
from ..agent.words import squash
from ..protocol.plans import IntentPlan, Treatment


class InputsMeant(NamedTuple):
    """Columns that alone are used (empty: all), those left out, and remarks about names that are not in the data."""

    used: tuple[str, ...]
    left_out: tuple[str, ...]
    remarks: tuple[str, ...]


def inputs_meant(plan: IntentPlan, names: Sequence[str], target: str | None) -> InputsMeant:
    """The columns that ``include_columns`` and ``exclude_columns`` mean.

    Parameters
    ----------
    plan : IntentPlan
    names : sequence of str
        The columns of the data.
    target : str or None
        What is predicted, which is no feature in any case.
    """
    remarks: list[str] = []
    left_out = tuple(name for name in _meant(plan.exclude_columns or (), names, remarks) if name != target)
    asked = plan.include_columns or ()
    used = tuple(name for name in _meant(asked, names, remarks) if name != target and name not in left_out)
    if asked and not used:
        remarks.append("No column is left of those to predict from, so all others are used.")
    return InputsMeant(used, left_out, tuple(remarks))


class TreatmentsMeant(NamedTuple):
    """How columns are to be treated, and remarks about names that are not in the data."""

    treatments: dict[str, Treatment]
    remarks: tuple[str, ...]


def treatments_meant(plan: IntentPlan, kinds: Mapping[str, str]) -> TreatmentsMeant:
    """How columns are to be treated by what the request says of them, or of all of a kind.

    Parameters
    ----------
    plan : IntentPlan
    kinds : mapping of str to str
        What the profile says that each column is, the target apart.
    """
    remarks: list[str] = []
    of_kinds: dict[str, Treatment] = {}
    of_columns: dict[str, Treatment] = {}
    columns = Columns(kinds)
    for text, treatment in (plan.treatments or {}).items():
        if text in OF_KIND and columns.find(text) is None:
            found = [name for name, kind in kinds.items() if kind in OF_KIND[text]]
            of_kinds |= dict.fromkeys(found, treatment)
            remarks += [] if found else [f"The data have no {text}."]
        else:
            of_columns |= dict.fromkeys(_meant([text], tuple(kinds), remarks), treatment)
    return TreatmentsMeant(of_kinds | of_columns, tuple(remarks))


def _meant(asked: Iterable[str], names: Sequence[str], remarks: list[str]) -> tuple[str, ...]:
    columns, found = Columns(names, by_place=True), []
    for text in asked:
        name = columns.find(text, loose=True)
        if name is None and (name := nearly(text, names)) is not None:
            remarks.append(f"There is no column {text!r}; {name!r} is taken for it.")
        if name is not None:
            found.append(name)
            continue
        close = difflib.get_close_matches(squash(text), [squash(name) for name in names], 3, 0.6)
        near = [name for name in names if squash(name) in close]
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"the columns are {_some(names)}."
        remarks.append(f"There is no column {text!r}, so it is passed over; {hint}")
    return tuple(dict.fromkeys(found))


def _some(names: Sequence[str], limit: int = 20) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
