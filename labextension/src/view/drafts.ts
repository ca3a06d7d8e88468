/**
 * What was changed in the forms of a project's stages and not sent: kept while one looks at another stage, and where a
 * reload does not lose it. There it belongs to the plan that it changes, and is gone with that plan.
 */

import type { Store } from '../client/outbox';
import { Edits, rebased } from './patch';
import type { Json, Plan } from './records';
import { StageId, STAGES } from './stages';

/** Projects whose changes are kept, those that were changed last, and how much of each, in characters. */
export const MAX_PROJECTS = 20;
export const MAX_CHARS = 100_000;

const PREFIX = 'jppl-edits-';

/** What says which plans there are; the project's model. */
export interface Plans {
  planOf(stageId: StageId): Plan | null;
  revisionOf(stageId: StageId): string;
}

interface Kept {
  epoch: string | null;
  ts: number;
  stages: Partial<Record<StageId, { revision: string; edits: [string, Json][] }>>;
}

export class Drafts {
  private readonly edits = new Map<StageId, Edits>();
  /** What is in the storage. */
  private kept: Kept['stages'] = {};
  private epoch: string | null = null;
  private readonly key: string;
  /** Stages whose changes were there before the page was loaded. */
  readonly restored = new Set<StageId>();
  /** Stages whose changes were given up, because what they changed is no longer there. */
  readonly outdated = new Set<StageId>();

  constructor(
    projectId: string,
    private readonly store: Store | null
  ) {
    this.key = `${PREFIX}${projectId}`;
  }

  get(stageId: StageId): Edits | undefined {
    return this.edits.get(stageId);
  }

  /** The changes of a stage are these now, of the plan that `revision` names. */
  set(stageId: StageId, edits: Edits, revision: string): void {
    if (edits.size > 0) {
      this.edits.set(stageId, edits);
      this.kept[stageId] = { revision, edits: [...edits] };
    } else if (this.edits.delete(stageId)) {
      this.restored.delete(stageId);
      delete this.kept[stageId];
    } else {
      return; // another view of the project, on the same page, may have some
    }
    this.save();
  }

  /** All is known of the project: take up what an earlier page left of changes to the plans that there are. */
  restore(epoch: string | null, plans: Plans): void {
    this.epoch = epoch;
    const kept = this.read(this.key);
    if (kept === null) {
      return;
    }
    for (const stageId of STAGES) {
      const { revision, edits = [] } = kept.stages[stageId] ?? {};
      const plan = plans.planOf(stageId);
      const still = plan ? rebased(plan, new Map(edits)) : new Map();
      if (kept.epoch === epoch && plans.revisionOf(stageId) === revision && still.size > 0) {
        this.edits.set(stageId, still);
        this.kept[stageId] = { revision, edits: [...still] };
        this.restored.add(stageId);
      } else if (edits.length > 0 && (plan === null || still.size > 0)) {
        this.outdated.add(stageId); // else the plan has them by now: they were sent
      }
    }
    this.save();
  }

  /** The project is another one. */
  clear(): void {
    this.edits.clear();
    this.restored.clear();
    this.outdated.clear();
    this.kept = {};
    this.save();
  }

  private save(): void {
    const kept: Kept = { epoch: this.epoch, ts: Date.now(), stages: this.kept };
    const text = JSON.stringify(kept);
    try {
      if (Object.keys(this.kept).length > 0 && text.length <= MAX_CHARS) {
        this.store?.setItem(this.key, text);
        this.forgetOldest();
      } else {
        this.store?.removeItem(this.key);
      }
    } catch {
      // A page without storage, or with a full one, forgets the changes when it is loaded again.
    }
  }

  private forgetOldest(): void {
    const keys: string[] = [];
    for (let i = 0; i < this.store!.length; i++) {
      const key = this.store!.key(i);
      if (key?.startsWith(PREFIX)) {
        keys.push(key);
      }
    }
    if (keys.length > MAX_PROJECTS) {
      const age = new Map(keys.map(key => [key, key === this.key ? Infinity : (this.read(key)?.ts ?? 0)]));
      keys.sort((a, b) => age.get(b)! - age.get(a)!);
      keys.slice(MAX_PROJECTS).forEach(key => this.store!.removeItem(key));
    }
  }

  private read(key: string): Kept | null {
    try {
      const kept = JSON.parse(this.store?.getItem(key) ?? 'null');
      return typeof kept?.stages === 'object' && kept.stages !== null ? kept : null;
    } catch {
      return null;
    }
  }
}
