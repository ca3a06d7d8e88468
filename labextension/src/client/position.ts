/** Where a tab is in the log, kept for when it is loaded again. */

import type { Store } from './outbox';

const EVERY_MS = 1000;

export class Position {
  private savedAt = 0;

  /**
   * @param store null: nothing is kept.
   */
  constructor(
    private readonly key: string,
    private readonly store: Store | null
  ) {}

  read(): { since: number; epoch: string } | null {
    try {
      const kept = JSON.parse(this.store?.getItem(this.key) ?? 'null');
      return typeof kept?.since === 'number' && typeof kept.epoch === 'string' ? kept : null;
    } catch {
      return null;
    }
  }

  /** Events come by the thousand; now and then is often enough, for what was had twice is left out. */
  follow(since: number, epoch: string | null): void {
    if (this.store !== null && Date.now() - this.savedAt > EVERY_MS) {
      this.save(since, epoch);
    }
  }

  save(since: number | null, epoch: string | null): void {
    this.savedAt = Date.now();
    try {
      if (since !== null) {
        this.store?.setItem(this.key, JSON.stringify({ since, epoch }));
      }
    } catch {
      // A page without storage begins anew when it is loaded again.
    }
  }

  forget(): void {
    try {
      this.store?.removeItem(this.key);
    } catch {
      // See save.
    }
  }
}
