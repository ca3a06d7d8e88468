/**
 * One project's socket: reconnects, goes on where it was, and loses nothing that was sent.
 *
 * Messages leave one at a time, each after the answer to the one before, so that their order holds also where one is told to
 * come later; ending work does not wait for that.
 */

import type { Ack, ErrorFrame, EventFrame, Hello, Pong } from '../protocol/types';
import { delay, retryAfter } from './backoff';
import type { Connection, ConnectionHandlers, ConnectionStatus, StatusDetail } from './connection';
import { newId, Outbox } from './outbox';
import type { Message, Store } from './outbox';
import { credentials } from './rest';
import { addresses, checkProjectId, socketUrl } from './urls';
import { versionNotice } from './version';

export interface SocketOptions extends ConnectionHandlers {
  projectId: string;
  /** `ws://localhost:8888` or the same as http(s), with the server's base path; by default this page's server. */
  baseUrl?: string;
  /** The server's token. Without one the page's cookie is used, which takes a page of the server itself. */
  token?: string | null;
  /**
   * Which events to begin with: those after this `seq` (0: all); `'stored'`: those after the last one that this tab had
   * before it was reloaded. By default those that come from now on.
   */
  since?: number | 'stored';
  /** The log that `since` counts in. */
  epoch?: string | null;
  /** Listen to these events only. */
  names?: string[] | null;
  /** Where what is not acknowledged yet is kept; null: in this page's memory alone. By default `localStorage`. */
  storage?: Store | null;
  /** Every frame of the server, acks and pongs too. */
  onFrame?(frame: EventFrame | Ack | Pong | ErrorFrame): void;
  /** The server is of another version than this client: a sentence that says what to do. */
  onVersion?(notice: string): void;
  /** Milliseconds of silence after which a ping is sent. */
  heartbeatMs?: number;
  /** Milliseconds that its pong may take before the connection counts as cut. */
  pongTimeoutMs?: number;
}

/** Messages that were never acknowledged are given up after a day: what they were about has passed. */
const MAX_AGE_MS = 24 * 3600 * 1000;
const STABLE_MS = 5000;
const WAKE_MS = 5000;
const DELETED = 4404;
const TOO_LARGE = 1009;
const FLOODING = 1008;
const FLOOD_WAIT_MS = 10_000;
const DEFAULT_LIMIT = 1 << 20;

export function createWebSocketClient(options: SocketOptions): Connection {
  checkProjectId(options.projectId);
  return new ProjectSocket(options);
}

class ProjectSocket implements Connection {
  private readonly base;
  private readonly outbox: Outbox;
  private readonly positions: Store | null;
  private readonly place: string;
  private status: ConnectionStatus = 'connecting';
  private socket: WebSocket | null = null;
  private since: number | null = null;
  private epoch: string | null;
  private greeted = false;
  private attempts = 0;
  /** How many messages the last status said to wait. */
  private told = 0;
  private retryAt: number | undefined;
  /** What went out over this socket and has no answer yet, by id. */
  private readonly sent = new Set<string>();
  /** When a message that was told to come later may go, by id. */
  private readonly holds = new Map<string, number>();
  private limit = DEFAULT_LIMIT;
  private gate: { stage_id: string; gate_id: string } | null = null;
  private subscription: Record<string, unknown> | null;
  private lastSeen = 0;
  private savedAt = 0;
  private timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(private readonly options: SocketOptions) {
    this.base = addresses(options.baseUrl ?? '/', location.href);
    this.place = `jupyter-pipeline:${this.base.http}:${options.projectId}:`;
    const store = options.storage === undefined ? storage('localStorage') : options.storage;
    this.outbox = new Outbox(`${this.place}outbox:`, store);
    this.positions = options.since === 'stored' ? storage('sessionStorage') : null;
    this.subscription = options.names ? { type: 'subscribe', names: options.names } : null;
    this.epoch = options.epoch ?? null;
    if (typeof options.since === 'number') {
      this.since = options.since;
    } else {
      this.readPosition();
    }
    addEventListener('online', this.wake);
    addEventListener('pagehide', this.savePosition);
    document.addEventListener('visibilitychange', this.wake);
    // The caller has the connection before it hears of anything.
    this.after('start', 0, () => {
      for (const entry of this.outbox.restore(MAX_AGE_MS)) {
        this.refuse(entry.message, 'EXPIRED', 'A message that could not be sent for a day was given up.');
      }
      this.setStatus('connecting');
      this.connect();
    });
  }

  send(given: Record<string, unknown> | string): string {
    const message = typeof given === 'string' ? parse(given) : { ...given };
    if (typeof message?.type !== 'string') {
      throw new TypeError('A message is an object such as {type: "confirm"}, or its JSON.');
    }
    if (message.type === 'subscribe') {
      this.subscription = message;
    }
    if (message.type === 'ping' || message.type === 'resume' || message.type === 'subscribe') {
      if (this.open) {
        this.socket?.send(JSON.stringify(message));
      }
      return '';
    }
    const id = typeof message.id === 'string' && message.id ? message.id : newId();
    const full: Message = { ...message, id };
    if (this.status === 'closed' || this.status === 'deleted' || this.status === 'denied') {
      this.later(() => this.refuse(full, 'CLOSED', `The connection is ${this.status}; the message was not sent.`));
      return id;
    }
    if (!this.open && full.type === 'confirm' && full.gate_id === undefined && this.gate !== null) {
      // It waits: then it is for the gate that is open now, not for one that opens until it is sent.
      Object.assign(full, this.gate);
    }
    if (new TextEncoder().encode(JSON.stringify(full)).length > this.limit) {
      this.later(() => this.refuse(full, 'TOO_LARGE', `A message may have ${this.limit} bytes; upload large data instead.`));
      return id;
    }
    this.outbox.add(full);
    this.flush();
    if (!this.open) {
      this.setStatus(this.status);
    }
    return id;
  }

  close(): void {
    if (this.status !== 'denied' && this.status !== 'deleted' && this.status !== 'closed') {
      this.end('closed', 'The connection was closed.');
    }
  }

  // -- connecting ------------------------------------------------------------------------------------------------

  private get open(): boolean {
    return this.greeted && this.socket?.readyState === WebSocket.OPEN;
  }

  private connect(): void {
    this.clear('retry');
    this.retryAt = undefined;
    this.detach();
    const query = { since: this.since, epoch: this.epoch, token: this.options.token };
    const socket = new WebSocket(socketUrl(this.base, this.options.projectId, query));
    this.socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.heard();
    };
    socket.onmessage = event => {
      if (socket === this.socket) {
        this.heard();
        this.receive(String(event.data));
      }
    };
    socket.onclose = event => {
      if (socket === this.socket) {
        void this.lost(event.code, event.reason, opened);
      }
    };
    this.after('silence', this.heartbeat + this.pongTimeout, () => this.cut('The server did not answer.'));
  }

  private async lost(code: number, reason: string, opened: boolean): Promise<void> {
    const onTheWay = this.outbox.all().filter(entry => this.sent.has(entry.message.id));
    this.detach();
    if (code === DELETED) {
      for (const entry of this.outbox.all()) {
        this.outbox.remove(entry.message.id);
        this.refuse(entry.message, 'DELETED', 'The project was deleted; the message was not carried out.');
      }
      this.forgetPosition();
      this.end('deleted', reason || 'The project was deleted.');
      return;
    }
    if (code === TOO_LARGE) {
      for (const entry of onTheWay) {
        this.outbox.remove(entry.message.id);
        this.refuse(entry.message, 'TOO_LARGE', 'The message was too large for the server; upload large data instead.');
      }
    }
    let why = reason || 'The connection was cut.';
    let asked = code === FLOODING ? FLOOD_WAIT_MS : 0;
    if (!opened) {
      // A browser does not say why a socket was not let in; a request does.
      this.setStatus(this.attempts === 0 && this.status === 'connecting' ? 'connecting' : 'reconnecting', why);
      const found = await this.probe();
      if (this.ended || this.socket !== null) {
        return;
      }
      if (found.denied) {
        this.end('denied', found.reason);
        this.options.onError?.({ type: 'error', code: 'FORBIDDEN', message: found.reason, id: null, retryable: false });
        return;
      }
      why = found.reason;
      asked = found.waitMs;
    }
    this.retry(why, asked);
  }

  private async probe(): Promise<{ denied: boolean; reason: string; waitMs: number }> {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), this.pongTimeout);
    const token = this.options.token || null;
    try {
      const response = await fetch(`${this.base.http}api/projects`, {
        headers: credentials(this.base, token),
        cache: 'no-store',
        credentials: token ? 'omit' : 'same-origin',
        signal: stop.signal
      });
      const waitMs = retryAfter(response.headers.get('Retry-After'), Date.now());
      if (response.status === 401 || response.status === 403) {
        const reason = token
          ? 'The server does not accept the token; get a new one from "jupyter server list".'
          : 'The server asks who you are; log in, or give a token.';
        return { denied: true, reason, waitMs };
      }
      if (response.status === 404) {
        const reason =
          'This Jupyter server does not have the pipeline extension, or it is off: jupyter server extension enable jupyter_pipeline';
        return { denied: false, reason, waitMs };
      }
      const reason = response.ok
        ? 'The server answers, but its socket cannot be opened; a proxy may block WebSockets.'
        : `The server answered ${response.status}.`;
      return { denied: false, reason, waitMs };
    } catch {
      return { denied: false, reason: 'The server cannot be reached.', waitMs: 0 };
    } finally {
      clearTimeout(timer);
    }
  }

  private retry(reason: string, askedMs = 0): void {
    const wait = delay(this.attempts, askedMs);
    this.attempts += 1;
    this.retryAt = Date.now() + wait;
    this.setStatus('reconnecting', reason);
    this.after('retry', wait, () => this.connect());
  }

  /** Treat the socket as gone, without waiting for its closing handshake, which a cut line never ends. */
  private cut(reason: string): void {
    this.detach();
    this.retry(reason);
  }

  private detach(): void {
    const socket = this.socket;
    this.socket = null;
    this.greeted = false;
    this.sent.clear();
    for (const name of ['silence', 'stable', 'flush']) {
      this.clear(name);
    }
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  private get ended(): boolean {
    return this.status === 'closed' || this.status === 'denied' || this.status === 'deleted';
  }

  private end(status: ConnectionStatus, reason: string): void {
    this.detach();
    for (const name of [...this.timers.keys()]) {
      this.clear(name);
    }
    this.savePosition();
    removeEventListener('online', this.wake);
    removeEventListener('pagehide', this.savePosition);
    document.removeEventListener('visibilitychange', this.wake);
    this.retryAt = undefined;
    this.setStatus(status, reason);
  }

  // -- staying alive ---------------------------------------------------------------------------------------------

  private get heartbeat(): number {
    return this.options.heartbeatMs ?? 25_000;
  }

  private get pongTimeout(): number {
    return this.options.pongTimeoutMs ?? 10_000;
  }

  /** Something came: the line works. A timer is moved only now and then, because events come by the thousand. */
  private heard(): void {
    const now = Date.now();
    if (now - this.lastSeen > 250 || !this.timers.has('silence') || this.status !== 'open') {
      this.lastSeen = now;
      this.after('silence', this.heartbeat, () => this.ping(this.pongTimeout));
    }
  }

  private ping(timeoutMs: number): void {
    this.lastSeen = 0;
    this.after('silence', timeoutMs, () => this.cut('The server did not answer.'));
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify({ type: 'ping', ts: Date.now() }));
    }
  }

  /** The machine is back on the net, or the page is looked at again: do not wait for timers. */
  private wake = (): void => {
    if (this.ended || document.visibilityState === 'hidden') {
      return;
    }
    if (this.open) {
      this.ping(Math.min(WAKE_MS, this.pongTimeout));
    } else if (this.timers.has('retry')) {
      this.connect();
    }
  };

  // -- what comes ------------------------------------------------------------------------------------------------

  private receive(text: string): void {
    const frame = parse(text) as any;
    if (frame === null) {
      return;
    }
    switch (frame.type) {
      case 'EVENT':
        this.event(frame);
        return;
      case 'ack':
        this.answered(frame.id);
        break;
      case 'error':
        this.refused(frame);
        break;
    }
    this.options.onFrame?.(frame);
  }

  private event(frame: EventFrame): void {
    const { name, payload } = frame.event;
    if (name === 'HELLO') {
      this.hello(payload);
    } else if (!frame.ephemeral) {
      if (this.since !== null && frame.seq <= this.since) {
        return;
      }
      this.since = frame.seq;
      this.follow(frame);
    }
    this.options.onFrame?.(frame);
    this.options.onEvent?.(frame);
    if (name === 'HELLO') {
      this.flush();
    }
  }

  private hello(hello: Hello): void {
    if (this.since === null) {
      this.since = hello.seq;
    } else if (!hello.resumed || (this.epoch !== null && this.epoch !== hello.epoch)) {
      // Another log, sent from its start.
      this.since = 0;
      this.gate = null;
    }
    this.epoch = hello.epoch;
    const limit = hello.limits['message_bytes'];
    this.limit = typeof limit === 'number' ? limit : DEFAULT_LIMIT;
    this.greeted = true;
    if (this.subscription) {
      this.socket?.send(JSON.stringify(this.subscription));
    }
    this.after('stable', STABLE_MS, () => {
      this.attempts = 0;
    });
    this.setStatus('open');
    const notice = versionNotice(hello.server_version);
    if (notice !== null) {
      this.options.onVersion?.(notice);
    }
  }

  /** Keep in mind which gate is open, and where we are. */
  private follow(frame: EventFrame): void {
    if (frame.event.name === 'WAITING_CONFIRMATION') {
      this.gate = { stage_id: frame.event.payload.stage_id, gate_id: frame.event.payload.gate_id };
    } else if (frame.event.name === 'STAGE_STATUS') {
      this.gate = null;
    }
    if (this.positions !== null && Date.now() - this.savedAt > 1000) {
      this.savePosition();
    }
  }

  private answered(id: string): void {
    this.forget(id);
    this.flush();
    this.tellWaiting();
  }

  /** What was said to wait has left. */
  private tellWaiting(): void {
    if (this.open && this.told > 0 && this.outbox.size < this.told) {
      this.setStatus('open');
    }
  }

  private refused(frame: ErrorFrame): void {
    const id = frame.id;
    if (id !== null && this.outbox.has(id) && frame.retryable) {
      this.sent.delete(id);
      this.holds.set(id, Date.now() + Math.max(frame.retry_after_ms ?? delay(0), 1));
    } else {
      if (id !== null) {
        this.forget(id);
        this.tellWaiting();
      }
      this.options.onError?.(frame);
    }
    this.flush();
  }

  private forget(id: string): void {
    this.outbox.remove(id);
    this.sent.delete(id);
    this.holds.delete(id);
  }

  // -- what goes -------------------------------------------------------------------------------------------------

  private flush(): void {
    if (!this.open) {
      return;
    }
    const now = Date.now();
    let blocked = false;
    let next = Infinity;
    for (const { message } of this.outbox.all()) {
      const urgent = message.type === 'command' && message.command === 'cancel_run';
      const hold = this.holds.get(message.id) ?? 0;
      if (hold > now) {
        next = Math.min(next, hold);
      } else if (!this.sent.has(message.id) && (urgent || !blocked)) {
        this.sent.add(message.id);
        this.socket?.send(JSON.stringify(message));
      }
      blocked ||= !urgent;
    }
    if (next < Infinity) {
      this.after('flush', next - now, () => this.flush());
    }
  }

  /** Tell of a message that is given up, in the shape of the server's error frames. */
  private refuse(message: Message, code: string, text: string): void {
    const frame = {
      type: 'error',
      message: `Failed to process message: ${text}`,
      original_message: message,
      code,
      id: message.id,
      retryable: false,
      retry_after_ms: null
    };
    this.options.onError?.(frame);
  }

  // -- small things ----------------------------------------------------------------------------------------------

  private setStatus(status: ConnectionStatus, reason?: string): void {
    this.status = status;
    this.told = this.outbox.size;
    const detail: StatusDetail = { waiting: this.outbox.size };
    if (reason) {
      detail.reason = reason;
    }
    if (this.retryAt !== undefined) {
      detail.retryAt = this.retryAt;
    }
    this.options.onStatusChange?.(status, detail);
  }

  private after(name: string, ms: number, callback: () => void): void {
    this.clear(name);
    this.timers.set(
      name,
      setTimeout(() => {
        this.timers.delete(name);
        callback();
      }, ms)
    );
  }

  private clear(name: string): void {
    clearTimeout(this.timers.get(name));
    this.timers.delete(name);
  }

  private later(callback: () => void): void {
    setTimeout(callback, 0);
  }

  private readPosition(): void {
    const kept = parse(this.positions?.getItem(`${this.place}position`) ?? '');
    if (kept && typeof kept.since === 'number' && typeof kept.epoch === 'string') {
      this.since = kept.since;
      this.epoch = kept.epoch;
    }
  }

  private savePosition = (): void => {
    this.savedAt = Date.now();
    try {
      if (this.since !== null && this.status !== 'deleted') {
        this.positions?.setItem(`${this.place}position`, JSON.stringify({ since: this.since, epoch: this.epoch }));
      }
    } catch {
      // A page without storage begins anew when it is reloaded.
    }
  };

  private forgetPosition(): void {
    this.since = null;
    try {
      this.positions?.removeItem(`${this.place}position`);
    } catch {
      // See savePosition.
    }
  }
}

function parse(text: string): Record<string, any> | null {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** The browser's storage; null where the page may not have one. */
function storage(kind: 'localStorage' | 'sessionStorage'): Store | null {
  try {
    return window[kind];
  } catch {
    return null;
  }
}
