/** What a stage proposes, what the person changed of it, and sending both: the state behind a gate. */

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Problem, useGiveUp, useView } from './context';
import type { PlanForm } from './gates/form';
import { edited, Edits, membersOf, paramsOf, patchOf, pointer, rebased, same } from './patch';
import type { Gate, Json, Plan } from './records';
import type { StageId } from './stages';

type Sending = null | { what: 'confirm' | 'apply' | 'both'; gateId: string; expected?: Plan };

export interface Proposal {
  /** The gate of the stage, while it is open. */
  gate: Gate | null;
  /** The plan with the changes in it; null before there is one. */
  plan: Plan | null;
  form: PlanForm | null;
  /** How many members were changed and not sent. */
  changes: number;
  /** Whether the stage has to work again before it can propose these changes. */
  rework: boolean;
  /** Something was sent, and is not answered yet. */
  busy: boolean;
  /** The changed members, as a restart takes them. */
  params(): Record<string, Json>;
  apply(): void;
  /** Confirm; together with the changes, if the plan that they lead to is the one that is seen. */
  confirm(): void;
  undo(): void;
}

export function useProposal(stageId: StageId): Proposal {
  const view = useView();
  const { model, trans } = view;
  const stage = model.stages[stageId];
  const gate = model.gate?.stageId === stageId ? model.gate : null;
  const base = model.planOf(stageId);
  const [edits, setEdits] = useState<Edits>(() => model.drafts.get(stageId) ?? new Map());
  const [sending, setSending] = useState<Sending>(null);
  const wasSending = useRef<Sending>(null);
  wasSending.current = sending;

  const revision = model.revisionOf(stageId);
  // At once: the page may be loaded again before it is painted.
  useLayoutEffect(() => model.drafts.set(stageId, edits, revision), [edits, revision]);
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
        sendConfirm(gate.gateId);
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
  const rework = model.needsRework(stageId, membersOf(edits));

  const refused = (problem: Problem): void => {
    setSending(null);
    model.report(problem);
  };

  function sendConfirm(gateId: string): void {
    setSending({ what: 'confirm', gateId });
    view.send({ type: 'confirm', gate_id: gateId }, refused);
  }

  function sendChanges(what: 'apply' | 'both'): void {
    if (!gate || !base) {
      return;
    }
    model.report(null);
    setSending({ what, gateId: gate.gateId, expected: edited(base, edits) });
    if (stageId === 'DATA_SOURCE' && edits.has('/dataset_id')) {
      view.command('select_dataset', { dataset_id: edits.get('/dataset_id') }, refused);
    } else {
      view.command('update_plan', { stage_id: stageId, patch: patchOf(base, edits) }, refused);
    }
  }

  return {
    gate,
    plan,
    form,
    changes: edits.size,
    rework,
    busy: sending !== null,
    params: () => (base && edits.size ? paramsOf(base, edits) : {}),
    apply: () => sending === null && sendChanges('apply'),
    confirm: () => {
      if (!gate || sending) {
        return;
      }
      model.report(null);
      if (edits.size) {
        sendChanges(rework ? 'apply' : 'both');
      } else {
        sendConfirm(gate.gateId);
      }
    },
    undo: () => {
      model.report(null);
      setEdits(new Map());
    }
  };
}
