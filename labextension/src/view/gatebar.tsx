/** The end of an open gate: what is about to happen, and the one obvious button. */

import { stageName } from '../protocol/names';
import { useView } from './context';
import { SendButton } from './parts';
import type { Proposal } from './proposal';
import { StageId, STAGES, stageIndex } from './stages';

export function GateBar({
  stageId,
  proposal,
  valid,
  onSend
}: {
  stageId: StageId;
  proposal: Proposal;
  /** Whether the form has only what its boxes may have; if not, the person is told. */
  valid(): boolean;
  onSend(): void;
}) {
  const { model, trans } = useView();
  const { gate, changes, rework, busy } = proposal;
  const name = stageName(stageId, trans);
  const again = gate?.reruns.map(id => stageName(id, trans)) ?? [];
  const held = changes > 0 && rework;
  return (
    <div class="jppl-gatebar">
      <div class="jppl-gatebar-text" aria-live="off">
        {text()}
      </div>
      {changes ? (
        <button type="button" class="jppl-button" aria-disabled={busy} onClick={proposal.undo}>
          {trans.__('Undo')}
        </button>
      ) : null}
      {changes ? (
        <SendButton look={`jppl-button ${rework ? 'jppl-primary-button' : ''}`} busy={busy} onSend={() => valid() && (proposal.apply(), onSend())}>
          {trans.__('Apply changes')}
        </SendButton>
      ) : null}
      <SendButton
        look={`jppl-button ${held ? '' : 'jppl-primary-button'} jppl-confirm`}
        busy={busy || held}
        title={held ? trans.__('Apply the changes first, then look at the plan that they lead to.') : undefined}
        onSend={() => (changes === 0 || valid()) && (proposal.confirm(), onSend())}
      >
        {trans.__('Confirm')}
      </SendButton>
    </div>
  );

  function text(): string {
    if (busy) {
      return model.connection === 'open' ? trans.__('Sent…') : trans.__('Kept until the connection is back.');
    }
    if (changes) {
      return rework
        ? trans._n(
            '%1 change; %2 is worked out again with it, then waits for you.',
            '%1 changes; %2 is worked out again with them, then waits for you.',
            changes,
            name
          )
        : trans._n('%1 change, confirmed together with the plan.', '%1 changes, confirmed together with the plan.', changes);
    }
    if (again.length) {
      return trans.__('Runs again after this: %1.', again.join(', '));
    }
    const next = STAGES[stageIndex(stageId) + 1];
    return next ? trans.__('Next: %1.', stageName(next, trans)) : '';
  }
}
