/** Whether a line is alive: after a silence it is pinged, and without an answer it counts as cut. */

import type { Timers } from './timers';

/** So long may an answer take that somebody waits for. */
const SOON_MS = 5000;
/** A timer is moved only now and then, because events come by the thousand. */
const EVERY_MS = 250;

export class Heartbeat {
  private movedAt = 0;

  /**
   * @param silenceMs of silence after which it is pinged.
   * @param answerMs that the pong may take.
   * @param line `ping` sends one; `cut` is called when the line is dead.
   */
  constructor(
    private readonly timers: Timers,
    private readonly silenceMs: number,
    private readonly answerMs: number,
    private readonly line: { ping(): void; cut(): void }
  ) {}

  /** A socket is being opened. */
  begin(): void {
    this.movedAt = 0;
    this.timers.set('silence', this.silenceMs + this.answerMs, this.line.cut);
  }

  end(): void {
    this.timers.clear('silence');
  }

  /** Something came. */
  heard(): void {
    const now = Date.now();
    if (now - this.movedAt > EVERY_MS || !this.timers.has('silence')) {
      this.movedAt = now;
      this.timers.set('silence', this.silenceMs, () => this.check(this.answerMs));
    }
  }

  /** Something was sent that will be answered: a line that is dead is found out sooner than by the next heartbeat. */
  asked(): void {
    this.movedAt = 0;
    this.timers.set('silence', SOON_MS, () => this.check(this.answerMs));
  }

  /** Ask at once whether somebody is there. */
  checkNow(): void {
    this.check(Math.min(SOON_MS, this.answerMs));
  }

  private check(answerMs: number): void {
    this.movedAt = 0;
    this.timers.set('silence', answerMs, this.line.cut);
    this.line.ping();
  }
}
