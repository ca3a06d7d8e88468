/**
 * Messages that the server has not acknowledged yet, kept where a reload does not lose them.
 *
 * Each message is an entry of its own in the storage, so that pages that share it do not overwrite each other. If two pages
 * send the same entry, its id makes the server carry it out once.
 */

/** What is needed of `localStorage`. */
export type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;

export type Message = Record<string, unknown> & { id: string };

export interface Entry {
  message: Message;
  /** The log that it is for; null: it was sent while there was none yet, or nothing known of it. */
  epoch: string | null;
  /** When it was sent first, as Date.now() counts. */
  ts: number;
  /** Order among entries of the same millisecond. */
  n: number;
}

export class Outbox {
  private readonly entries = new Map<string, Entry>();
  private count = 0;

  /**
   * @param prefix names the project and its server.
   * @param store null keeps the messages in memory alone.
   */
  constructor(
    private readonly prefix: string,
    private readonly store: Store | null,
    private readonly now: () => number = Date.now
  ) {}

  get size(): number {
    return this.entries.size;
  }

  /** The oldest first. */
  all(): Entry[] {
    return [...this.entries.values()].sort((a, b) => a.ts - b.ts || a.n - b.n);
  }

  has(id: string): boolean {
    return this.entries.has(id);
  }

  add(message: Message, epoch: string | null): Entry {
    const entry = { message, epoch, ts: this.now(), n: this.count++ };
    this.keep(entry);
    return entry;
  }

  /** There is a log now: what was for none is for this one from now on. */
  settle(epoch: string): void {
    for (const entry of this.entries.values()) {
      if (entry.epoch === null) {
        this.keep({ ...entry, epoch });
      }
    }
  }

  remove(id: string): Entry | undefined {
    const entry = this.entries.get(id);
    this.entries.delete(id);
    try {
      this.store?.removeItem(this.prefix + id);
    } catch {
      // See add.
    }
    return entry;
  }

  /** Take up what an earlier page left in the storage. Returns, and forgets, what is older than `maxAgeMs`. */
  restore(maxAgeMs: number): Entry[] {
    const expired: Entry[] = [];
    for (const key of this.keys()) {
      const entry = parse(this.read(key));
      if (entry === null || this.prefix + entry.message.id !== key) {
        continue;
      }
      if (this.now() - entry.ts > maxAgeMs) {
        this.entries.set(entry.message.id, entry);
        this.remove(entry.message.id);
        expired.push(entry);
      } else if (!this.entries.has(entry.message.id)) {
        this.entries.set(entry.message.id, entry);
      }
    }
    return expired;
  }

  private keep(entry: Entry): void {
    const { id } = entry.message;
    this.entries.set(id, entry);
    try {
      this.store?.setItem(this.prefix + id, JSON.stringify(entry));
    } catch {
      // The storage is full or forbidden: this page still has the message.
    }
  }

  private keys(): string[] {
    const found: string[] = [];
    try {
      for (let i = 0; this.store !== null && i < this.store.length; i++) {
        const key = this.store.key(i);
        if (key?.startsWith(this.prefix)) {
          found.push(key);
        }
      }
    } catch {
      // Not allowed to look: nothing is there for us.
    }
    return found;
  }

  private read(key: string): string | null {
    try {
      return this.store?.getItem(key) ?? null;
    } catch {
      return null;
    }
  }
}

function parse(text: string | null): Entry | null {
  try {
    const { message, epoch, ts, n } = JSON.parse(text ?? '');
    const whole = typeof message.id === 'string' && typeof ts === 'number' && typeof n === 'number';
    return whole ? { message, epoch: typeof epoch === 'string' ? epoch : null, ts, n } : null;
  } catch {
    return null;
  }
}

/** An id that nobody else makes. `crypto.randomUUID` is not there on a page that came over plain HTTP. */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('');
}

/** The browser's storage; null where the page may not have one. */
export function storage(kind: 'localStorage' | 'sessionStorage'): Store | null {
  try {
    return window[kind];
  } catch {
    return null;
  }
}
