/** One WebSocket after the other to one place: each is watched, and when it is lost the next one is tried, later each time. */

import { delay } from './backoff';
import { Heartbeat } from './heartbeat';
import { probe } from './probe';
import { closedWith, say } from './sentences';
import type { Sentence } from './sentences';
import type { Timers } from './timers';
import type { Addresses } from './urls';

/** A connection that held so long was a good one: the next attempts begin early again. */
const STABLE_MS = 5000;
const FLOOD_WAIT_MS = 10_000;

export interface LineOptions {
  base: Addresses;
  token: string | null;
  heartbeatMs: number;
  pongTimeoutMs: number;
}

/** Who speaks over the line. */
export interface Speaker {
  /** The address of the next socket. */
  address(): string;
  /** A frame came. */
  heard(text: string): void;
  /** The server closed the socket; returns whether to try again. */
  closed(code: number): boolean;
  /** The socket is gone, whoever ended it. */
  gone(): void;
  /** There will be another attempt: at `line.retryAt`, or once it is known why this one failed. */
  trying(why: Sentence): void;
  /** There will be none: we are not let in (by the server, or by the browser, which does not even try). */
  denied(why: Sentence, by: 'server' | 'browser'): void;
}

export class Line {
  /** When the next attempt begins, as Date.now() counts. */
  retryAt: number | undefined;
  private socket: WebSocket | null = null;
  private attempts = 0;
  private ended = false;
  private readonly heartbeat: Heartbeat;

  constructor(
    private readonly speaker: Speaker,
    private readonly timers: Timers,
    private readonly options: LineOptions
  ) {
    this.heartbeat = new Heartbeat(timers, options.heartbeatMs, options.pongTimeoutMs, {
      ping: () => this.open && this.send(JSON.stringify({ type: 'ping', ts: Date.now() }), false),
      cut: () => this.cut()
    });
    addEventListener('online', this.wake);
    document.addEventListener('visibilitychange', this.wake);
    document.addEventListener('resume', this.wake);
  }

  get open(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** A socket is there, or about to be. */
  get busy(): boolean {
    return this.socket !== null;
  }

  /** No attempt failed since the last good connection. */
  get fresh(): boolean {
    return this.attempts === 0;
  }

  connect(): void {
    this.timers.clear('retry');
    this.retryAt = undefined;
    this.drop();
    let socket: WebSocket;
    try {
      socket = new WebSocket(this.speaker.address());
    } catch {
      // An https page may not open ws.
      this.speaker.denied(say('INSECURE', this.options.base.ws), 'browser');
      return;
    }
    this.socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.heartbeat.heard();
    };
    socket.onmessage = event => {
      this.heartbeat.heard();
      this.speaker.heard(String(event.data));
    };
    socket.onclose = event => void this.lost(event.code, event.reason, opened);
    this.heartbeat.begin();
  }

  /** The other side answers as it should. */
  works(): void {
    this.timers.set('stable', STABLE_MS, () => {
      this.attempts = 0;
    });
  }

  /**
   * @param answered whether there will be an answer, so that a line that is dead is found out soon.
   */
  send(text: string, answered: boolean): void {
    this.socket!.send(text);
    if (answered) {
      this.heartbeat.asked();
    }
  }

  /** For good. */
  end(): void {
    this.ended = true;
    this.drop();
    this.timers.clear('retry');
    this.retryAt = undefined;
    removeEventListener('online', this.wake);
    document.removeEventListener('visibilitychange', this.wake);
    document.removeEventListener('resume', this.wake);
  }

  private async lost(code: number, reason: string, opened: boolean): Promise<void> {
    const again = this.speaker.closed(code);
    this.drop();
    if (!again) {
      return;
    }
    let why = say(closedWith(code, reason));
    let asked = why.code === 'FLOODING' ? FLOOD_WAIT_MS : 0;
    if (!opened) {
      // A browser does not say why a socket was not let in; a request does.
      this.speaker.trying(why);
      const found = await probe(this.options.base, this.options.token, this.options.pongTimeoutMs);
      if (this.ended || this.socket !== null) {
        return;
      }
      if (found.denied) {
        this.speaker.denied(found.why, 'server');
        return;
      }
      why = found.why;
      asked = found.waitMs;
    }
    this.retry(why, asked);
  }

  /** Treat the socket as gone, without waiting for its closing handshake, which a cut line never ends. */
  private cut(): void {
    this.drop();
    this.retry(say('NO_ANSWER'));
  }

  private retry(why: Sentence, askedMs = 0): void {
    const wait = delay(this.attempts, askedMs);
    this.attempts += 1;
    this.retryAt = Date.now() + wait;
    this.speaker.trying(why);
    this.timers.set('retry', wait, () => this.connect());
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    this.heartbeat.end();
    this.timers.clear('stable');
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    this.speaker.gone();
  }

  /** The machine is back on the net, the page is looked at again or was woken: do not wait for timers. */
  private wake = (): void => {
    if (document.visibilityState === 'hidden') {
      return;
    }
    if (this.open) {
      this.heartbeat.checkNow();
    } else if (this.timers.has('retry')) {
      this.connect();
    }
  };
}
