/**
 * What goes out, and when. Messages leave one at a time, each after the answer to the one before, so that their order
 * holds also where one is told to come later; ending work does not wait for that.
 */

import type { Entry, Message, Outbox } from './outbox';
import type { Timers } from './timers';

export class Sender {
  /** What went out over this socket and has no answer yet, by id. */
  private readonly sent = new Set<string>();
  /** When a message that was told to come later may go, by id. */
  private readonly holds = new Map<string, number>();

  /**
   * @param transmit sends over the socket; false if it is not open.
   */
  constructor(
    private readonly outbox: Outbox,
    private readonly timers: Timers,
    private readonly transmit: (message: Message) => boolean
  ) {}

  /** What may have reached the server, though it did not say so. */
  onTheWay(): Entry[] {
    return this.outbox.all().filter(entry => this.sent.has(entry.message.id));
  }

  /** The socket is gone: all of it has to go out again. */
  cut(): void {
    this.sent.clear();
    this.timers.clear('flush');
  }

  /** A message is answered for good. */
  done(id: string): void {
    this.outbox.remove(id);
    this.sent.delete(id);
    this.holds.delete(id);
  }

  /** A message may come again after so many milliseconds. */
  hold(id: string, ms: number): void {
    this.sent.delete(id);
    this.holds.set(id, Date.now() + Math.max(ms, 1));
  }

  flush(): void {
    const now = Date.now();
    let blocked = false;
    let next = Infinity;
    for (const { message } of this.outbox.all()) {
      const urgent = message.type === 'command' && message.command === 'cancel_run';
      const hold = this.holds.get(message.id) ?? 0;
      if (hold > now) {
        next = Math.min(next, hold);
      } else if (!this.sent.has(message.id) && (urgent || !blocked)) {
        if (!this.transmit(message)) {
          return;
        }
        this.sent.add(message.id);
      }
      blocked ||= !urgent;
    }
    if (next < Infinity) {
      this.timers.set('flush', next - now, () => this.flush());
    }
  }
}
