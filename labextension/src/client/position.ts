/** Where a connection is in the log: which event it had last, and of which log; kept for when a tab is loaded again. */

import type { Hello } from '../protocol/types';
import type { Store } from './outbox';

const EVERY_MS = 1000;

/** An event's number, and the log that it counts in; null: whatever comes from now on, in whatever log. */
export interface Place {
  since: number | null;
  epoch: string | null;
}

export class Position {
  private place: Place;
  /** Where the page asked to go on from; it counts from the server's greeting on. */
  private asked: Place | null = null;
  private savedAt = 0;

  /**
   * @param store null: nothing is kept.
   * @param begin where to begin if nothing was kept.
   */
  constructor(
    private readonly key: string,
    private readonly store: Store | null,
    begin: Place
  ) {
    this.place = this.read() ?? begin;
  }

  /** Where the next connection goes on from. */
  get next(): Place {
    return this.asked ?? this.place;
  }

  /** The log of the last event that was had. A project without an event has none yet, whatever its greeting calls it. */
  get log(): string | null {
    return this.place.since ? this.place.epoch : null;
  }

  /** Go on after another event than the last one. */
  resume(since: number, epoch: string | null): void {
    this.asked = { since, epoch };
  }

  /** The server greeted; returns whether its log is another one than before, which is sent from its start. */
  greeted(hello: Hello): boolean {
    const { since, epoch } = this.next;
    this.asked = null;
    const other = since !== null && (!hello.resumed || (epoch !== null && epoch !== hello.epoch));
    this.place = { since: other ? 0 : (since ?? hello.seq), epoch: hello.epoch };
    return other;
  }

  /** Take an event; false if it was had before. */
  take(seq: number): boolean {
    if (this.place.since !== null && seq <= this.place.since) {
      return false;
    }
    this.place.since = seq;
    // Events come by the thousand; now and then is often enough, for what was had twice is left out.
    if (this.store !== null && Date.now() - this.savedAt > EVERY_MS) {
      this.save();
    }
    return true;
  }

  save(): void {
    this.savedAt = Date.now();
    try {
      if (this.place.since !== null) {
        this.store?.setItem(this.key, JSON.stringify(this.place));
      }
    } catch {
      // A page without storage begins anew when it is loaded again.
    }
  }

  forget(): void {
    this.place = { since: null, epoch: null };
    try {
      this.store?.removeItem(this.key);
    } catch {
      // See save.
    }
  }

  private read(): Place | null {
    try {
      const kept = JSON.parse(this.store?.getItem(this.key) ?? 'null');
      return typeof kept?.since === 'number' && typeof kept.epoch === 'string' ? kept : null;
    } catch {
      return null;
    }
  }
}
