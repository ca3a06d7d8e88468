/** What a form of a plan is handed. */

import type { Json, Plan } from '../records';

export interface PlanForm {
  /** The plan with the person's edits in it. */
  plan: Plan;
  /** Change one member, by the names on the way to it. */
  set(path: string[], value: Json): void;
  /** Change several at once. */
  setAll(changes: readonly (readonly [path: string[], value: Json])[]): void;
  /** Whether a member differs from what is proposed. */
  isEdited(...path: string[]): boolean;
}
