/** The way to run a stage again, with what that means said beside it. */

import { useView } from './context';
import type { Json } from './records';
import type { StageId } from './stages';
import { stageName } from './words';

export function RestartStrip({
  stageId,
  strong,
  params,
  onUndo
}: {
  stageId: StageId;
  strong: boolean;
  params: Record<string, Json>;
  onUndo?: () => void;
}) {
  const { model, trans, command } = useView();
  if (!model.canRestart(stageId)) {
    return null;
  }
  const members = Object.keys(params);
  const { again, perhaps, kept } = model.rerunOf(stageId, members);
  const names = (ids: StageId[]): string => ids.map(id => stageName(id, trans)).join(', ');
  const changed = members.length;
  const parts = [
    changed
      ? trans._n('With %1 change a restart runs again: %2.', 'With %1 changes a restart runs again: %2.', changed, names(again))
      : trans.__('A restart runs again: %1.', names(again)),
    perhaps.length ? trans.__('Only if that comes out differently: %1.', names(perhaps)) : '',
    kept.length ? trans.__('Kept: %1.', names(kept)) : ''
  ];
  return (
    <div class="jppl-restart">
      <p>{parts.filter(Boolean).join(' ')}</p>
      {onUndo ? (
        <button type="button" class="jppl-button" onClick={onUndo}>
          {trans.__('Undo')}
        </button>
      ) : null}
      <button
        type="button"
        class={strong || changed ? 'jppl-button jppl-primary-button' : model.gate ? 'jppl-link' : 'jppl-button'}
        onClick={() =>
          command('restart_stage', { stage_id: stageId, ...(changed ? { params } : {}) }, problem =>
            model.report(problem)
          )
        }
      >
        {trans.__('Restart stage')}
      </button>
    </div>
  );
}
