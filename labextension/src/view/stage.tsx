/** One stage in full: what it shows, what it proposes, and what can be done about it. */

import type { ComponentChildren, RefObject } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { stageName } from '../protocol/names';
import { english } from '../translation';
import { useView } from './context';
import { Curves } from './curves';
import type { PlanForm } from './gates/form';
import { PreparationForm, ProfileForm } from './gates/columns';
import { ModelsForm, ThresholdForm } from './gates/models';
import { BundleForm, DataForm, IntentForm } from './gates/request';
import { GateBar } from './gatebar';
import { Leaderboard } from './leaderboard';
import { Section } from './parts';
import { PredictForm } from './predict';
import { ProblemNote } from './problem';
import { useProposal } from './proposal';
import { RestartStrip } from './restart';
import { BundleView, Documents, EvaluationView, ModelOf, Suggestions } from './results';
import { RunControls, StageProgress } from './running';
import type { StageId } from './stages';
import { TrainingProgress } from './training';
import { Attached } from './uploads';

export function StagePanel({ stageId, heading }: { stageId: StageId; heading: RefObject<HTMLHeadingElement> }) {
  const view = useView();
  const { model, trans } = view;
  const stage = model.stages[stageId];
  const proposal = useProposal(stageId);
  const { gate, plan, form } = proposal;
  const [pointed, setPointed] = useState<string | null>(null);
  const fields = useRef<HTMLFieldSetElement>(null);
  const name = stageName(stageId, trans);
  const running = stage.status === 'IN_PROGRESS';
  const finished = stageId === 'EXPORT' && stage.status === 'COMPLETED';

  return (
    <article class={`jppl-stage jppl-stage-${stage.status}`} aria-labelledby={`${view.uid}-${stageId}`}>
      <header class="jppl-stage-head">
        <h3 ref={heading} tabIndex={-1} id={`${view.uid}-${stageId}`} title={stageId}>
          {title()}
        </h3>
        {running ? <RunControls stageId={stageId} /> : null}
      </header>
      <ProblemNote />
      <DraftNote stageId={stageId} changes={proposal.changes} />
      {messages().map(text => (
        <p key={text} class={noteClass()}>
          {text}
        </p>
      ))}
      {running && stageId !== 'TRAIN' ? <StageProgress /> : null}
      {body()}
      {gate ? <GateBar stageId={stageId} proposal={proposal} valid={valid} onSend={toTop} /> : null}
      <RestartStrip
        stageId={stageId}
        strong={stage.status === 'FAILED'}
        params={proposal.params()}
        valid={valid}
        onSend={toTop}
        onUndo={!gate && proposal.changes ? proposal.undo : undefined}
      />
    </article>
  );

  /** The browser says at the first box what is wrong there, in its language. */
  function valid(): boolean {
    return fields.current?.querySelector<HTMLInputElement>('input:invalid')?.reportValidity() ?? true;
  }

  /** What comes next is read from its beginning. */
  function toTop(): void {
    heading.current?.scrollIntoView({ block: 'nearest' });
  }

  function title(): string {
    if (finished) {
      return trans.__('Everything is done');
    }
    switch (stage.status) {
      case 'WAITING_CONFIRMATION':
        return trans.__('%1: your decision', name);
      case 'IN_PROGRESS':
        return stage.finishing ? trans.__('%1 is finishing', name) : trans.__('%1 is running', name);
      case 'FAILED':
        return stage.endedBy ? trans.__('%1 was stopped', name) : trans.__('%1 failed', name);
      default:
        return name;
    }
  }

  function noteClass(): string {
    if (stage.status !== 'FAILED') {
      return 'jppl-lead';
    }
    return stage.endedBy ? 'jppl-note jppl-note-warn' : 'jppl-note jppl-note-bad';
  }

  function messages(): string[] {
    // Its first line says what is proposed: that is shown below, in the person's language.
    return gate ? gate.summary.split('\n').slice(1) : [message()].filter(Boolean);
  }

  function message(): string {
    if (stage.status === 'PENDING') {
      return trans.__('This has not begun yet.');
    }
    if (stage.endedBy) {
      return stage.endedBy.username === model.user?.username
        ? trans.__('You stopped it. What was finished is kept, and used again after a restart.')
        : trans.__('%1 stopped it. What was finished is kept, and used again after a restart.', stage.endedBy.name);
    }
    if (stage.status === 'COMPLETED') {
      const by = model.history.filter(entry => entry.kind === 'confirmed' && entry.stageId === stageId).at(-1)?.by;
      return !by ? '' : by.username === model.user?.username ? trans.__('You confirmed it.') : trans.__('%1 confirmed it.', by.name);
    }
    const said = running && model.standing?.stageId === stageId ? model.standing.message : stage.message;
    // That a stage begins is said by its title; the server says it in English.
    return ['begins', 'runs again'].some(does => said === `The stage ${stageName(stageId, english)} ${does}.`) ? '' : said;
  }

  function body() {
    const locked = running || (stage.status === 'PENDING' && !plan);
    const controls = form && (
      <fieldset key="plan" ref={fields} class="jppl-plan" disabled={locked} aria-label={trans.__('Plan of %1', name)}>
        {planForm(form)}
      </fieldset>
    );
    switch (stageId) {
      case 'TRAIN': {
        const curves = <Curves key="curves" pointed={pointed} />;
        const board = model.shownRuns().length || model.leaderboard.length ? (
          <Section key="board" title={trans.__('Leaderboard')}>
            <Leaderboard
              onPoint={setPointed}
              kept={plan?.keep ?? null}
              onKeep={gate && form ? id => form.set(['keep'], id) : undefined}
            />
          </Section>
        ) : null;
        // What matters comes first: the curves while they grow, and then the choice.
        return (
          <>
            <TrainingProgress />
            {gate ? [board, controls, curves] : [curves, board]}
            <BestEvaluation kept={plan?.keep ?? model.bestRun} />
          </>
        );
      }
      case 'REVIEW_EDIT':
        return (
          <>
            <Results />
            {controls}
          </>
        );
      case 'EXPORT':
        return (
          <>
            <BundleView />
            {finished ? (
              <Results>
                <Section title={trans.__('Try a prediction')}>
                  <PredictForm />
                </Section>
              </Results>
            ) : null}
          </>
        );
      case 'DATA_SOURCE':
        return controls ?? (stage.status === 'FAILED' ? <OtherData /> : null);
      default:
        return running && !plan ? null : controls;
    }
  }

  function planForm(its: PlanForm) {
    switch (stageId) {
      case 'PARSE_INTENT':
        return <IntentForm {...its} />;
      case 'DATA_SOURCE':
        return <DataForm {...its} />;
      case 'PROFILE_DATA':
        return <ProfileForm {...its} />;
      case 'PREPROCESS':
        return <PreparationForm {...its} />;
      case 'MODEL_SELECT':
        return <ModelsForm {...its} />;
      case 'TRAIN':
        return <ThresholdForm {...its} />;
      case 'REVIEW_EDIT':
        return <BundleForm {...its} />;
      case 'EXPORT':
        return null;
    }
  }
}

/** What became of changes that were not sent before the page was loaded again. */
function DraftNote({ stageId, changes }: { stageId: StageId; changes: number }) {
  const { model, trans } = useView();
  const { restored, outdated } = model.drafts;
  const gone = [...outdated].map(id => stageName(id, trans)).join(', ');
  return (
    <>
      {restored.has(stageId) && changes ? (
        <p class="jppl-note" role="status">
          {trans.__('What you had changed before the page was loaded again is in the form. It is not sent yet.')}
        </p>
      ) : null}
      {gone ? (
        <div class="jppl-note jppl-note-warn jppl-problem" role="status">
          <span>
            {trans.__('Changes that were not sent before the page was loaded again are gone, because the plan is another one by now: %1.', gone)}
          </span>
          <button
            type="button"
            class="jppl-link"
            onClick={() => {
              outdated.clear();
              model.changed(true);
            }}
          >
            {trans.__('Close')}
          </button>
        </div>
      ) : null}
    </>
  );
}

/** Where no data could be taken: what there is, and how to give other data. */
function OtherData() {
  const { trans } = useView();
  return (
    <>
      <Attached />
      <p class="jppl-hint">{trans.__('Attach other data and restart the stage, or say in the conversation what to predict and in which data.')}</p>
    </>
  );
}

/** The evaluation of the run that would be kept, on validation rows. */
function BestEvaluation({ kept }: { kept: string | null }) {
  const { model, trans } = useView();
  const evaluation = kept ? model.evaluations.get(kept) : undefined;
  // Not that of a training before, while a new one runs or after it was cancelled.
  if (!evaluation || model.stages.TRAIN.status === 'IN_PROGRESS' || !model.shownRuns().some(run => run.runId === kept)) {
    return null;
  }
  return (
    <Section title={trans.__('The model in detail')} aside={<ModelOf runId={evaluation.runId} />}>
      <EvaluationView evaluation={evaluation} />
    </Section>
  );
}

function Results({ children }: { children?: ComponentChildren }) {
  const { model, trans } = useView();
  const evaluation = model.finalEvaluation;
  return (
    <>
      {evaluation ? (
        <Section title={trans.__('Results')} aside={<ModelOf runId={model.stages.TRAIN.plan?.keep ?? evaluation.runId} />}>
          <EvaluationView evaluation={evaluation} />
        </Section>
      ) : null}
      {children}
      {model.reportUrl || model.notebookUrl || model.code.length ? (
        <Section title={trans.__('To read and to edit')}>
          <Documents />
        </Section>
      ) : null}
      <Suggestions />
    </>
  );
}
