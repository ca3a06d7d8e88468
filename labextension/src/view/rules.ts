/** What a change will run again, by the rule that the server sends with HELLO. */

import type { StageRule } from '../protocol/types';
import { StageId, stageIndex, STAGES } from './stages';

export type Rules = ReadonlyMap<StageId, StageRule>;

export interface Rerun {
  /** Run again for certain, the stage itself first. */
  again: StageId[];
  /** Run again if what comes before them comes out differently; else their earlier results serve. */
  perhaps: StageId[];
  kept: StageId[];
}

/**
 * What a restart of a stage means.
 *
 * @param changed the members of its plan that the restart changes.
 * @param ran whether a later stage has a result at all.
 */
export function rerun(rules: Rules, stageId: StageId, changed: readonly string[], ran: (id: StageId) => boolean): Rerun {
  const at = stageIndex(stageId);
  const again = new Set<StageId>([stageId]);
  const reached = new Set<StageId>([stageId]);
  for (const later of STAGES.slice(at + 1)) {
    const rule = rules.get(later);
    if (!rule) {
      reached.add(later); // a server that says nothing of it
      continue;
    }
    const read: readonly string[] | null | undefined = rule.reads[stageId];
    const differs = read !== undefined && changed.some(member => read === null || read.includes(member));
    if (differs || rule.follows.some(id => again.has(id))) {
      again.add(later);
      reached.add(later);
    } else if (STAGES.some(id => id in rule.reads && reached.has(id))) {
      reached.add(later);
    }
  }
  return {
    again: STAGES.filter(id => id === stageId || (again.has(id) && ran(id))),
    perhaps: STAGES.filter(id => reached.has(id) && !again.has(id) && ran(id)),
    kept: STAGES.slice(0, at)
  };
}

/** Whether a stage has to work again before it can propose a plan with these members changed. */
export function needsRework(rules: Rules, stageId: StageId, changed: readonly string[]): boolean {
  return rules.get(stageId)?.rework.some(member => changed.includes(member)) ?? false;
}
