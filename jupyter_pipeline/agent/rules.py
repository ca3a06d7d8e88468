"""The agent that needs no model: rules that turn everyday sentences into changes of the plans.

It is what answers offline and by default. A sentence becomes a patch of the plan that owns the matter, at the
least far-back stage that has one, because everything after a changed stage runs again.
"""

from collections.abc import Callable

import msgspec

from . import answers, change_data, change_models, change_results, change_split, control, known, sheets
from .base import Context, Reply
from .draft import Draft, Said
from .request import parse_request
from .spelling import corrected
from .vocabulary import FILLER
from .words import Token, sentences, tokenise, words_of

__all__ = ["RuleAgent", "parse_request"]

Rule = Callable[[Said, Draft], None]
#: In this order; a rule takes the tokens that it understood, and later ones do not look at those.
RULES: tuple[Rule, ...] = (
    control.cancel,
    control.undo,
    known.wishes,
    change_results.threshold,
    change_results.bundle,
    change_data.positive_class,
    change_models.parameters,
    change_models.trials,
    change_split.split,
    sheets.sheet,
    change_data.dataset,
    change_data.target,
    change_results.keep,
    change_models.models,
    change_data.columns,
    change_models.preference,
    change_models.metric,
    change_models.budget,
    change_data.task,
    control.restart,
)
_WORDS_OF_CHANGE = FILLER | words_of(
    """
    change set make try again instead retrain use using switch optimise optimize update metric target higher
    lower more less over rather actually maybe time matters important out keep predict
    """
)

_VERBS = words_of("use try add take drop train keep set split treat make switch go retrain optimise optimize")

#: A clause that begins so says why, where another clause says what.
REASONS = words_of("it it's because since as they they're that that's this which so")


_SUGGESTING = (("why", "not"), ("why", "don't", "you"), ("why", "don't", "we"))


def _plainly(tokens: list[Token]) -> list[Token]:
    """``why not use catboost?`` as ``use catboost?``, and ``why not catboost?`` as ``add catboost?``."""
    for words in _SUGGESTING:
        rest = tokens[len(words) :]
        if tuple(t.low for t in tokens[: len(words)]) == words and rest and rest[0].kind != "punct":
            verb = [] if rest[0].low in _VERBS else [msgspec.structs.replace(tokens[0], text="add", low="add")]
            return [*verb, *rest]
    return tokens


class RuleAgent:
    """Answers chats by rules: pure, quick, and the same every time.

    Examples
    --------
    >>> from jupyter_pipeline.protocol.stages import StageId, StageStatus
    >>> plan = {"models": [{"id": "xgboost", "params": {}}], "time_budget_s": 60.0, "metric": "auto", "trials": 1}
    >>> context = Context(
    ...     current_stage=StageId.MODEL_SELECT,
    ...     status=StageStatus.WAITING_CONFIRMATION,
    ...     plans={StageId.MODEL_SELECT: plan},
    ... )
    >>> RuleAgent().respond("Please use Random Forest instead of XGBoost", context).text
    'Models to train: random_forest (random_forest added; xgboost left out).'
    """

    def respond(self, text: str, context: Context) -> Reply:
        """Read what was said and answer with what it changes, or with what can be asked."""
        draft = Draft(context)
        tokens = corrected(tokenise(text), draft.columns)
        parts = [Said.of(text, _plainly(sentence), draft.columns) for sentence in sentences(tokens)]
        for said in parts:
            if answers.is_question(said):
                draft.answers.append(answers.answer(said, context))
                continue
            control.confirm(said, draft, alone=len(parts) == 1)
            if len(said.taken) == len(said.tokens):
                continue
            for rule in RULES:
                rule(said, draft)
            self._missed(said, draft)
        return draft.reply(answers.help_text(context))

    @staticmethod
    def _missed(said: Said, draft: Draft) -> None:
        """Clauses in which no rule knew a word."""
        clause: list[int] = []
        for i in range(len(said.tokens) + 1):
            token = said.tokens[i] if i < len(said.tokens) else None
            if token is not None and not (token.text in ",:" or token.low in ("and", "but", "then")):
                clause.append(i)
                continue
            content = [n for n in clause if said.tokens[n].kind != "punct" and said.low[n] not in _WORDS_OF_CHANGE]
            reason = bool(clause) and said.low[clause[0]] in REASONS and bool(said.understood)
            if content and not reason and not said.understood & set(clause) and len(draft.missed) < 10:
                piece = said.text[said.tokens[clause[0]].at : said.tokens[clause[-1]].end]
                draft.missed.append(piece.strip(" .,;:!?-")[:200])
            clause = []
