/** The eight stages, as the protocol has them. */

import { STAGES } from '../protocol/types';
import type { StageId } from '../protocol/types';

export { STAGES } from '../protocol/types';
export type { StageId, StageStatus } from '../protocol/types';

export function stageIndex(id: StageId): number {
  return STAGES.indexOf(id);
}
