"""The agent that needs no model: rules that turn everyday sentences into changes of the plans.

It is what answers offline and by default. A sentence becomes a patch of the plan that owns the matter, at the
least far-back stage that has one, because everything after a changed stage runs again.
"""

from collections.abc import Callable

from . import (
    answers,
    change_columns,
    change_data,
    change_goals,
    change_kinds,
    change_models,
    change_parameters,
    change_results,
    change_split,
    control,
    known,
    model_count,
    sheets,
)
from .about_groups import asks_of_groups, of_groups
from .about_models import HOW_TO_ADD, of_models
from .base import Context, Reply
from .columns import by_pattern, with_lists, with_names
from .conditions import condition_of, not_later, without_courtesy
from .confirmation import confirm, is_courtesy, without
from .denial import meant_of
from .draft import Draft, Said, piece
from .last_run import last_run
from .questions import in_words, is_metric, is_question, is_report, names_measure, suggested
from .remaining import asks_time_left
from .replacing import replaced
from .request import parse_request
from .scan import ALL_OF_THEM
from .spelling import corrected
from .thoughts import called_off, is_kept, thought_over, with_questions
from .tokens import Token, sentences, tokenise
from .vocabulary import FILLER
from .words import words_of

__all__ = ["RuleAgent", "parse_request"]

Rule = Callable[[Said, Draft], None]
#: In this order; a rule takes the tokens that it understood, and later ones do not look at those.
RULES: tuple[Rule, ...] = (
    model_count.how_many,
    control.cancel,
    control.undo,
    known.wishes,
    change_results.threshold,
    change_results.bundle,
    change_data.positive_class,
    change_parameters.parameters,
    change_parameters.defaults,
    change_goals.trials,
    change_split.split,
    sheets.sheet,
    change_data.dataset,
    change_data.target,
    change_results.keep,
    change_parameters.unknown_parameters,
    change_models.models,
    change_data.inputs,
    change_kinds.kinds,
    change_columns.treated,
    change_columns.columns,
    change_goals.preference,
    change_goals.metric,
    change_goals.budget,
    change_data.task,
    control.restart,
)
_WORDS_OF_CHANGE = FILLER | words_of(
    """
    change set make try again instead retrain use using switch optimise optimize update metric target higher
    lower more less over rather actually maybe time matters important out keep predict
    oh hmm oops sorry wait rest fine tho though wrong stay stays same others
    """
)

MOST_SENTENCES = 200
"""Each takes up to 5 ms with thousands of columns; 20,000 characters can be 7,000 of them."""
_NOTHING = 'Then nothing is changed; "undo" takes back what was changed here.'
_WHAT = 'Say what shall be kept, by its name; "undo" takes back what was changed here.'
#: A clause that begins so says why, where another clause says what.
REASONS = words_of(
    "too it it's its because since as they they're that that's thats this which so my our i'm we're "
    "it'd that'd they'd there'd"
)


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
    'Models to train: Random forest (Random forest added; XGBoost left out).'
    """

    def respond(self, text: str, context: Context) -> Reply:
        """Read what was said and answer with what it changes, or with what can be asked."""
        draft = Draft(context)
        tokens = with_names(text, corrected(tokenise(text), draft.columns), context.columns)
        asked = with_questions(sentences(by_pattern(tokens, context.columns)))
        asked = with_lists(asked, draft.columns)
        asked = [part for part in asked if any(token.kind != "punct" for token in part)] or asked[:1]  # "gaps??"
        parts = thought_over(asked)
        if len(parts) > MOST_SENTENCES:
            draft.problem(f"Only the first {MOST_SENTENCES} sentences were read; say the rest in other messages.")
            parts = parts[:MOST_SENTENCES]
        if asked and not parts:
            return Reply(text=_WHAT if all(is_kept(p) and not called_off(p) for p in asked) else _NOTHING)
        if parts and all(is_courtesy(part, draft) for part in parts):
            return Reply(text=f"{answers.status(context)} {answers.help_text(context)}")
        for sentence in confirm(text, parts, draft):
            whole = Said.of(text, sentence, draft.columns)
            if asks_time_left(whole, context):
                draft.answers.append(answers.answer(whole, context))
                continue
            if last_run(whole, draft):
                continue
            wish = replaced(without(without_courtesy(sentence), draft), draft.columns)
            if not wish:
                continue
            said = Said.of(text, wish, draft.columns)
            if change_data.asks_to_predict(said, draft):
                self._change(text, wish, draft)
                continue
            if is_question(said) or asks_of_groups(said, context):
                draft.answers.append(self._answer(said, draft))
                draft.topic = [str(n.value) for n in said.free("column")]
                continue
            if is_report(said):
                draft.missed.append(piece(text, wish))
                continue
            if condition := condition_of(wish):
                draft.problem(not_later(piece(text, wish[slice(*condition)])))
                continue
            self._change(text, wish, draft)
        return draft.reply(answers.help_text(context))

    def _change(self, text: str, wish: list[Token], draft: Draft) -> None:
        """Do what a sentence orders, without what it says only to deny it."""
        tokens, left, denied = meant_of(wish, draft.columns)
        for clause in left:
            if not change_split.other_than(Said.of(text, clause, draft.columns), draft):
                draft.answers.append(f'That stays as it is ("{piece(text, clause)}").')
        if not tokens and left:
            return
        said, before = Said.of(text, tokens, draft.columns), draft.told
        for rule in RULES:
            rule(said, draft)
        if denied and draft.told == before:
            draft.problem(f'Say what it shall be instead of "{piece(text, wish)}".')
        else:
            self._missed(said, draft)

    def _answer(self, said: Said, draft: Draft) -> str:
        """What is known of what was asked; and of a change that the question suggests, what it would come to."""
        order, context = suggested(said), draft.context
        figures = names_measure(said) or (is_metric(said) and context.measured.scores)
        if not order or figures or asks_of_groups(said, context) or of_groups(said, context):
            return answers.answer(said, context)
        trial, wish = Draft(draft.context), Said.of(said.text, order, draft.columns)
        for rule in RULES:
            rule(wish, trial)
        told = of_models(said, draft.context)
        named = all(n.kind == "models" and n.polarity == "named" for n in wish.named)
        if told and (named or HOW_TO_ADD in told) and not any(n.replaces for n in wish.named):
            return told
        if trial.changes:
            comes_to = f'That would come to this: {" ".join(trial.said)} To do it, say "{in_words(said, order)}".'
            return f"{told} {comes_to}".strip()
        as_it_is = trial.said if not (told or trial.others or trial.restart) else []
        if known := [*as_it_is, *trial.problems, *trial.answers]:
            return " ".join(dict.fromkeys([told, *known])).strip()
        return answers.answer(said, draft.context)

    @staticmethod
    def _missed(said: Said, draft: Draft) -> None:
        """Clauses in which no rule knew a word."""
        clause: list[int] = []
        for i in range(len(said.tokens) + 1):
            token = said.tokens[i] if i < len(said.tokens) else None
            all_but = token is not None and token.low == "but" and i > 0 and said.low[i - 1] in ALL_OF_THEM
            ends = token is None or token.low == "," or token.low in ("and", "but", "then")
            if not ends or all_but:
                clause.append(i)
                continue
            content = [n for n in clause if said.tokens[n].kind != "punct" and said.low[n] not in _WORDS_OF_CHANGE]
            reason = bool(clause) and said.low[clause[0]] in REASONS | {"no", "nope"} and bool(said.understood)
            if content and not reason and not said.understood & set(clause) and len(draft.missed) < 10:
                draft.missed.append(piece(said.text, said.tokens[clause[0] : clause[-1] + 1]))
            clause = []
