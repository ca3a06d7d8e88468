/** The eight stages: ids on the wire, and names for people. */

export const STAGES = [
  'PARSE_INTENT',
  'DATA_SOURCE',
  'PROFILE_DATA',
  'PREPROCESS',
  'MODEL_SELECT',
  'TRAIN',
  'REVIEW_EDIT',
  'EXPORT'
] as const;

export type StageId = (typeof STAGES)[number];
export type StageStatus = 'PENDING' | 'IN_PROGRESS' | 'WAITING_CONFIRMATION' | 'COMPLETED' | 'FAILED' | 'SKIPPED';

export function stageIndex(id: StageId): number {
  return STAGES.indexOf(id);
}

/** The stages whose result depends on a stage's plan, as the server has it in `project/plans.py`. */
const DEPENDS: Record<StageId, readonly StageId[]> = {
  PARSE_INTENT: [],
  DATA_SOURCE: ['PARSE_INTENT'],
  PROFILE_DATA: ['DATA_SOURCE'],
  PREPROCESS: ['DATA_SOURCE', 'PROFILE_DATA'],
  MODEL_SELECT: ['PARSE_INTENT', 'DATA_SOURCE', 'PROFILE_DATA', 'PREPROCESS'],
  TRAIN: ['DATA_SOURCE', 'PROFILE_DATA', 'PREPROCESS', 'MODEL_SELECT'],
  REVIEW_EDIT: ['TRAIN'],
  EXPORT: ['REVIEW_EDIT']
};

/** The later stages that a change of this stage's plan reaches. */
export function dependents(id: StageId): StageId[] {
  const found = new Set<StageId>([id]);
  for (const stage of STAGES.slice(stageIndex(id) + 1)) {
    if (DEPENDS[stage].some(d => found.has(d))) {
      found.add(stage);
    }
  }
  return STAGES.filter(s => found.has(s) && s !== id);
}
