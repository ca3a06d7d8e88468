/** The way to run a stage again, with what that means said beside it. */

import { stageName } from '../protocol/names';
import type { Translation } from '../translation';
import { useSending, useView } from './context';
import type { ProjectModel } from './model';
import { SendButton } from './parts';
import type { Json } from './records';
import { StageId, STAGES } from './stages';

/** The stages that can run again, in their order. */
export function restartable(model: ProjectModel): StageId[] {
  return STAGES.filter(id => model.canRestart(id));
}

/**
 * What a restart with so many members of the plan changed runs again for certain, what perhaps, and what is kept; and of
 * which forms the changes that were not sent stay where they are.
 */
export function whatRunsAgain(model: ProjectModel, stageId: StageId, changed: readonly string[], trans: Translation): string {
  const { again, perhaps, kept } = model.rerunOf(stageId, changed);
  const forms = [...again, ...perhaps].filter(id => id !== stageId && Object.keys(model.unsent(id)).length);
  const names = (ids: StageId[]): string => ids.map(id => stageName(id, trans)).join(', ');
  const parts = [
    changed.length
      ? trans.__('With the changes a restart runs %1 again.', names(again))
      : trans.__('A restart runs %1 again.', names(again)),
    perhaps.length ? trans.__('Only if that comes out differently: %1.', names(perhaps)) : '',
    kept.length ? trans.__('Kept: %1.', names(kept)) : '',
    forms.length ? trans.__('Changes that were not sent stay in their forms: %1.', names(forms)) : ''
  ];
  return parts.filter(Boolean).join(' ');
}

export function RestartStrip({
  stageId,
  strong,
  params,
  valid,
  onSend,
  onUndo
}: {
  stageId: StageId;
  strong: boolean;
  params: Record<string, Json>;
  valid(): boolean;
  onSend(): void;
  onUndo?: () => void;
}) {
  const { model, trans, uid } = useView();
  const { attempt, status } = model.stages[stageId];
  const { busy, send } = useSending(stageId, attempt, status);
  if (!model.canRestart(stageId)) {
    return null;
  }
  const members = Object.keys(params);
  const changed = members.length;
  const { again, perhaps } = model.rerunOf(stageId, members);
  // Beside what is to be decided, and where it goes without saying, it is said once somebody is about to restart.
  const plain = !strong && changed === 0 && (model.gate?.stageId === stageId || again.length + perhaps.length === 1);
  // At its own open gate there is another obvious button. Where there is none, this one stays in sight.
  const primary = strong || (changed > 0 && model.gate?.stageId !== stageId);
  return (
    <div class={`jppl-restart ${primary ? 'jppl-gatebar' : ''}`}>
      <p id={`${uid}-again`} class={plain ? 'jppl-when-near' : ''}>
        {whatRunsAgain(model, stageId, members, trans)}
      </p>
      {onUndo ? (
        <button type="button" class="jppl-button" onClick={onUndo}>
          {trans.__('Undo')}
        </button>
      ) : null}
      <SendButton
        look={primary ? 'jppl-button jppl-primary-button' : model.gate ? 'jppl-link' : 'jppl-button'}
        busy={busy}
        describedBy={`${uid}-again`}
        onSend={() => {
          if (changed && !valid()) {
            return;
          }
          send({
            type: 'command',
            command: 'restart_stage',
            args: { stage_id: stageId, ...(changed ? { params } : {}) }
          });
          onSend();
        }}
      >
        {trans.__('Restart stage')}
      </SendButton>
    </div>
  );
}
