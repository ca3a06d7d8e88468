/** One stage in full: what it shows, what it proposes, and what can be done about it. */

import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useGiveUp, useView } from './context';
import { Curves } from './curves';
import type { PlanForm } from './gates/form';
import { PreparationForm, ProfileForm } from './gates/columns';
import { ModelsForm, ThresholdForm } from './gates/models';
import { BundleForm, DataForm, IntentForm } from './gates/request';
import { Leaderboard } from './leaderboard';
import { edited, membersOf, paramsOf, patchOf, pointer, rebased, same } from './patch';
import { Section } from './parts';
import { PredictForm } from './predict';
import { ProblemNote } from './problem';
import type { Json, Plan } from './records';
import { RestartStrip } from './restart';
import { BundleView, Documents, EvaluationView, Suggestions } from './results';
import { RunControls, StageProgress } from './running';
import { StageId, STAGES, stageIndex } from './stages';
import { TrainingProgress } from './training';
import { Attached } from './uploads';
import { stageName } from './words';

type Sending = null | { what: 'confirm' | 'apply' | 'both'; gateId: string; expected?: Plan };

export function StagePanel({ stageId, heading }: { stageId: StageId; heading: RefObject<HTMLHeadingElement> }) {
  const view = useView();
  const { model, trans } = view;
  const stage = model.stages[stageId];
  const gate = model.gate?.stageId === stageId ? model.gate : null;
  const base = gate?.plan ?? stage.plan;
  const [edits, setEdits] = useState<Map<string, Json>>(() => view.drafts.get(stageId) ?? new Map());
  const [sending, setSending] = useState<Sending>(null);
  const [pointed, setPointed] = useState<string | null>(null);
  const wasSending = useRef<Sending>(null);
  wasSending.current = sending;

  useEffect(() => void view.drafts.set(stageId, edits), [edits]);
  // Another plan is proposed: what it says already is no edit any more.
  useEffect(() => {
    setEdits(old => (base ? rebased(base, old) : new Map()));
  }, [base]);
  useEffect(() => {
    const sent = wasSending.current;
    if (!sent || gate?.gateId === sent.gateId) {
      return;
    }
    if (sent.what === 'both' && sent.expected && (gate || stage.status === 'WAITING_CONFIRMATION')) {
      if (!gate) {
        return; // The old plan is withdrawn, the new one comes at once.
      }
      if (same(gate.plan, sent.expected)) {
        confirm(gate.gateId);
        return;
      }
      model.report({ code: '', message: trans.__('The plan came out differently from what you saw. Look, then confirm.') });
    }
    setSending(null);
  }, [gate?.gateId]);
  useGiveUp(sending !== null, model.connection === 'open', () => setSending(null));

  const plan = useMemo(() => (base ? edited(base, edits) : null), [base, edits]);
  const setAll: PlanForm['setAll'] = changes =>
    setEdits(old => rebased(base!, new Map([...old, ...changes.map(([path, value]) => [pointer(...path), value] as const)])));
  const form: PlanForm | null = plan && {
    plan,
    set: (path, value) => setAll([[path, value]]),
    setAll,
    isEdited: (...path) => {
      const at = pointer(...path);
      return edits.has(at) || [...edits.keys()].some(key => key.startsWith(`${at}/`));
    }
  };
  const dirty = edits.size > 0;
  const rework = model.needsRework(stageId, membersOf(edits));
  const name = stageName(stageId, trans);
  const running = stage.status === 'IN_PROGRESS';
  const finished = stageId === 'EXPORT' && stage.status === 'COMPLETED';

  function confirm(gateId: string): void {
    setSending({ what: 'confirm', gateId });
    view.send({ type: 'confirm', gate_id: gateId }, problem => {
      setSending(null);
      model.report(problem);
    });
  }

  function apply(then: 'apply' | 'both'): void {
    if (!gate || !base) {
      return;
    }
    model.report(null);
    setSending({ what: then, gateId: gate.gateId, expected: edited(base, edits) });
    const refused = (problem: { code: string; message: string }): void => {
      setSending(null);
      model.report(problem);
    };
    if (stageId === 'DATA_SOURCE' && edits.has('/dataset_id')) {
      view.command('select_dataset', { dataset_id: edits.get('/dataset_id') }, refused);
    } else {
      view.command('update_plan', { stage_id: stageId, patch: patchOf(base, edits) }, refused);
    }
  }

  function onConfirm(): void {
    if (!gate || sending) {
      return;
    }
    model.report(null);
    if (dirty) {
      apply(rework ? 'apply' : 'both');
    } else {
      confirm(gate.gateId);
    }
  }

  return (
    <article class={`jppl-stage jppl-stage-${stage.status}`} aria-labelledby={`${view.uid}-${stageId}`}>
      <header class="jppl-stage-head">
        <h3 ref={heading} tabIndex={-1} id={`${view.uid}-${stageId}`} title={stageId}>
          {title()}
        </h3>
        {running ? <RunControls stageId={stageId} /> : null}
      </header>
      <ProblemNote />
      {message() ? <p class={noteClass()}>{message()}</p> : null}
      {running && stageId !== 'TRAIN' ? <StageProgress /> : null}
      {body()}
      {gate ? gateBar() : null}
      <RestartStrip
        stageId={stageId}
        strong={stage.status === 'FAILED'}
        params={!gate && base && dirty ? paramsOf(base, edits) : {}}
        onUndo={!gate && dirty ? () => setEdits(new Map()) : undefined}
      />
    </article>
  );

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

  function message(): string {
    if (gate) {
      return gate.summary;
    }
    if (stage.status === 'PENDING') {
      return trans.__('This has not begun yet.');
    }
    if (stage.endedBy) {
      return stage.endedBy.username === model.user?.username
        ? trans.__('You stopped it. What was finished is kept, and used again after a restart.')
        : trans.__('%1 stopped it. What was finished is kept, and used again after a restart.', stage.endedBy.name);
    }
    // That a stage begins is said by its title.
    return stage.message === `${stageId} begins.` ? '' : stage.message;
  }

  function body() {
    const locked = running || (stage.status === 'PENDING' && !plan);
    const controls = form && (
      <fieldset class="jppl-plan" disabled={locked} aria-label={trans.__('Plan of %1', name)}>
        {planForm(form)}
      </fieldset>
    );
    switch (stageId) {
      case 'TRAIN':
        return (
          <>
            <TrainingProgress />
            <Curves pointed={pointed} />
            {model.shownRuns().length || model.leaderboard.length ? (
              <Section title={trans.__('Leaderboard')}>
                <Leaderboard
                  onPoint={setPointed}
                  kept={plan?.keep ?? null}
                  onKeep={gate && form ? id => form.set(['keep'], id) : undefined}
                />
              </Section>
            ) : null}
            {gate ? controls : null}
            <BestEvaluation kept={plan?.keep ?? model.bestRun} />
          </>
        );
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

  function gateBar() {
    const busy = sending !== null;
    const again = gate!.reruns.map(id => stageName(id, trans));
    return (
      <div class="jppl-gatebar">
        <div class="jppl-gatebar-text" aria-live="off">
          {busy
            ? model.connection === 'open'
              ? trans.__('Sent…')
              : trans.__('Kept until the connection is back.')
            : dirty
              ? rework
                ? trans._n(
                    '%1 change; %2 is worked out again with it, then waits for you.',
                    '%1 changes; %2 is worked out again with them, then waits for you.',
                    edits.size,
                    name
                  )
                : trans._n('%1 change, confirmed together with the plan.', '%1 changes, confirmed together with the plan.', edits.size)
              : again.length
                ? trans.__('Runs again after this: %1.', again.join(', '))
                : nextText()}
        </div>
        {dirty ? (
          <button type="button" class="jppl-button" aria-disabled={busy} onClick={() => setEdits(new Map())}>
            {trans.__('Undo')}
          </button>
        ) : null}
        {dirty ? (
          <button
            type="button"
            class={`jppl-button ${rework ? 'jppl-primary-button' : ''}`}
            aria-disabled={busy}
            onClick={() => !busy && apply('apply')}
          >
            {trans.__('Apply changes')}
          </button>
        ) : null}
        <button
          type="button"
          class={`jppl-button ${dirty && rework ? '' : 'jppl-primary-button'} jppl-confirm`}
          aria-disabled={busy || (dirty && rework)}
          title={dirty && rework ? trans.__('Apply the changes first, then look at the plan that they lead to.') : undefined}
          onClick={() => !(dirty && rework) && onConfirm()}
        >
          {trans.__('Confirm')}
        </button>
      </div>
    );
  }

  function nextText(): string {
    const next = STAGES[stageIndex(stageId) + 1];
    return next ? trans.__('Next: %1.', stageName(next, trans)) : '';
  }
}

/** Where no data could be taken: what there is, and how to give other data. */
function OtherData() {
  const { trans } = useView();
  return (
    <>
      <Attached />
      <p class="jppl-hint">{trans.__('Attach other data, or say in the conversation what to use; then restart the stage.')}</p>
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
    <Section title={trans.__('The model in detail')}>
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
        <Section title={trans.__('Results')}>
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
