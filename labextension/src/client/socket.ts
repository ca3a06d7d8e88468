/** One project's socket: reconnects, goes on where it was, and loses nothing that was sent. */

import type { ErrorFrame, EventFrame, Hello } from '../protocol/types';
import { delay } from './backoff';
import type { Connection, ConnectionStatus, StatusDetail } from './connection';
import type { SocketOptions } from './options';
import { newId, Outbox } from './outbox';
import type { Message, Store } from './outbox';
import { Position } from './position';
import { probe } from './probe';
import { Sender } from './sender';
import { closedWith, failed, say, textOf } from './sentences';
import type { Sentence } from './sentences';
import { Timers } from './timers';
import { addresses, checkProjectId, socketUrl } from './urls';
import { versionNotice } from './version';

/** Messages that were never acknowledged are given up after a day: what they were about has passed. */
const MAX_AGE_MS = 24 * 3600 * 1000;
const STABLE_MS = 5000;
const WAKE_MS = 5000;
const DELETED = 4404;
const TOO_LARGE = 1009;
const FLOOD_WAIT_MS = 10_000;
const DEFAULT_LIMIT = 1 << 20;

export function createWebSocketClient(options: SocketOptions): Connection {
  checkProjectId(options.projectId);
  return new ProjectSocket(options);
}

class ProjectSocket implements Connection {
  private readonly base;
  private readonly outbox: Outbox;
  private readonly timers = new Timers();
  private readonly sender: Sender;
  private readonly position: Position;
  private status: ConnectionStatus = 'connecting';
  private socket: WebSocket | null = null;
  private since: number | null = null;
  private epoch: string | null;
  private greeted = false;
  private attempts = 0;
  /** How many messages the last status said to wait. */
  private told = 0;
  private retryAt: number | undefined;
  private limit = DEFAULT_LIMIT;
  private gate: { stage_id: string; gate_id: string } | null = null;
  private subscription: Record<string, unknown> | null;
  private lastSeen = 0;

  constructor(private readonly options: SocketOptions) {
    this.base = addresses(options.baseUrl ?? '/', location.href);
    const place = `jupyter-pipeline:${this.base.http}:${options.projectId}:`;
    const store = options.storage === undefined ? storage('localStorage') : options.storage;
    this.outbox = new Outbox(`${place}outbox:`, store);
    this.sender = new Sender(this.outbox, this.timers, message => this.transmit(message));
    this.position = new Position(`${place}position`, options.since === 'stored' ? storage('sessionStorage') : null);
    this.subscription = options.names ? { type: 'subscribe', names: options.names } : null;
    const kept = this.position.read();
    this.since = typeof options.since === 'number' ? options.since : (kept?.since ?? null);
    this.epoch = kept?.epoch ?? options.epoch ?? null;
    addEventListener('online', this.wake);
    addEventListener('pagehide', this.savePosition);
    document.addEventListener('visibilitychange', this.wake);
    document.addEventListener('resume', this.wake);
    // The caller has the connection before it hears of anything.
    this.timers.set('start', 0, () => {
      for (const entry of this.outbox.restore(MAX_AGE_MS)) {
        this.refuse(entry.message, 'EXPIRED', say('EXPIRED'));
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
      this.transmit(message);
      return '';
    }
    const id = typeof message.id === 'string' && message.id ? message.id : newId();
    const full: Message = { ...message, id };
    if (this.status === 'closed' || this.status === 'deleted' || this.status === 'denied') {
      this.later(() => this.refuse(full, 'CLOSED', say('NOT_SENT')));
      return id;
    }
    if (!this.open && full.type === 'confirm' && full.gate_id === undefined && this.gate !== null) {
      // It waits: then it is for the gate that is open now, not for one that opens until it is sent.
      Object.assign(full, this.gate);
    }
    if (new TextEncoder().encode(JSON.stringify(full)).length > this.limit) {
      this.later(() => this.refuse(full, 'TOO_LARGE', say('TOO_LARGE', this.limit)));
      return id;
    }
    this.outbox.add(full);
    this.sender.flush();
    if (!this.open) {
      this.setStatus(this.status);
    }
    return id;
  }

  close(): void {
    if (this.status !== 'denied' && this.status !== 'deleted' && this.status !== 'closed') {
      this.end('closed', say('CLOSED'));
    }
  }

  // -- connecting ------------------------------------------------------------------------------------------------

  private get open(): boolean {
    return this.greeted && this.socket?.readyState === WebSocket.OPEN;
  }

  private transmit(message: Record<string, unknown>): boolean {
    if (!this.open) {
      return false;
    }
    this.socket!.send(JSON.stringify(message));
    if (message.id !== undefined) {
      // It will be answered; a line that is dead is found out sooner than by the next heartbeat.
      this.lastSeen = 0;
      this.timers.set('silence', WAKE_MS, () => this.ping(this.pongTimeout));
    }
    return true;
  }

  private connect(): void {
    this.timers.clear('retry');
    this.retryAt = undefined;
    this.detach();
    const query = { since: this.since, epoch: this.epoch, token: this.options.token };
    let socket: WebSocket;
    try {
      socket = new WebSocket(socketUrl(this.base, this.options.projectId, query));
    } catch {
      // The browser does not even try: an https page may not open ws.
      const why = say('INSECURE', this.base.ws);
      this.end('denied', why);
      this.refuseAll('CLOSED', why);
      return;
    }
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
    this.timers.set('silence', this.heartbeat + this.pongTimeout, () => this.cut(say('NO_ANSWER')));
  }

  private async lost(code: number, reason: string, opened: boolean): Promise<void> {
    const onTheWay = this.sender.onTheWay();
    this.detach();
    if (code === DELETED) {
      this.refuseAll('DELETED', say('NOT_DONE'));
      this.since = null;
      this.position.forget();
      this.end('deleted', say('DELETED'));
      return;
    }
    if (code === TOO_LARGE) {
      for (const entry of onTheWay) {
        this.sender.done(entry.message.id);
        this.refuse(entry.message, 'TOO_LARGE', say('TOO_LARGE_FOR_SERVER'));
      }
    }
    let why = say(closedWith(code, reason));
    let asked = why.code === 'FLOODING' ? FLOOD_WAIT_MS : 0;
    if (!opened) {
      // A browser does not say why a socket was not let in; a request does.
      this.setStatus(this.attempts === 0 && this.status === 'connecting' ? 'connecting' : 'reconnecting', why);
      const found = await probe(this.base, this.options.token || null, this.pongTimeout);
      if (this.ended || this.socket !== null) {
        return;
      }
      if (found.denied) {
        this.end('denied', found.why);
        const message = textOf(found.why);
        this.options.onError?.({
          type: 'error',
          code: 'FORBIDDEN',
          message,
          sentence: found.why,
          id: null,
          retryable: false
        });
        return;
      }
      why = found.why;
      asked = found.waitMs;
    }
    this.retry(why, asked);
  }

  private retry(why: Sentence, askedMs = 0): void {
    const wait = delay(this.attempts, askedMs);
    this.attempts += 1;
    this.retryAt = Date.now() + wait;
    this.setStatus('reconnecting', why);
    this.timers.set('retry', wait, () => this.connect());
  }

  /** Treat the socket as gone, without waiting for its closing handshake, which a cut line never ends. */
  private cut(why: Sentence): void {
    this.detach();
    this.retry(why);
  }

  private detach(): void {
    const socket = this.socket;
    this.socket = null;
    this.greeted = false;
    this.sender.cut();
    this.timers.clear('silence', 'stable');
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  private get ended(): boolean {
    return this.status === 'closed' || this.status === 'denied' || this.status === 'deleted';
  }

  private end(status: ConnectionStatus, why: Sentence): void {
    this.detach();
    this.timers.clearAll();
    this.savePosition();
    removeEventListener('online', this.wake);
    removeEventListener('pagehide', this.savePosition);
    document.removeEventListener('visibilitychange', this.wake);
    document.removeEventListener('resume', this.wake);
    this.retryAt = undefined;
    this.setStatus(status, why);
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
      this.timers.set('silence', this.heartbeat, () => this.ping(this.pongTimeout));
    }
  }

  private ping(timeoutMs: number): void {
    this.lastSeen = 0;
    this.timers.set('silence', timeoutMs, () => this.cut(say('NO_ANSWER')));
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify({ type: 'ping', ts: Date.now() }));
    }
  }

  /** The machine is back on the net, the page is looked at again or was woken: do not wait for timers. */
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
      this.sender.flush();
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
      this.transmit(this.subscription);
    }
    this.timers.set('stable', STABLE_MS, () => {
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
    this.position.follow(frame.seq, this.epoch);
  }

  private answered(id: string): void {
    this.sender.done(id);
    this.sender.flush();
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
      this.sender.hold(id, frame.retry_after_ms ?? delay(0));
    } else {
      if (id !== null) {
        this.sender.done(id);
        this.tellWaiting();
      }
      this.options.onError?.(frame);
    }
    this.sender.flush();
  }

  private refuseAll(code: string, why: Sentence): void {
    for (const { message } of this.outbox.all()) {
      this.sender.done(message.id);
      this.refuse(message, code, why);
    }
  }

  /** Tell of a message that is given up, in the shape of the server's error frames. */
  private refuse(message: Message, code: string, why: Sentence): void {
    const frame = {
      type: 'error',
      message: failed(textOf(why)),
      sentence: why,
      original_message: message,
      code,
      id: message.id,
      retryable: false,
      retry_after_ms: null
    };
    this.options.onError?.(frame);
  }

  // -- small things ----------------------------------------------------------------------------------------------

  private setStatus(status: ConnectionStatus, why?: Sentence): void {
    this.status = status;
    this.told = this.outbox.size;
    const detail: StatusDetail = { waiting: this.outbox.size };
    if (why) {
      detail.reason = textOf(why);
      detail.sentence = why;
    }
    if (this.retryAt !== undefined) {
      detail.retryAt = this.retryAt;
    }
    this.options.onStatusChange?.(status, detail);
  }

  private later(callback: () => void): void {
    setTimeout(callback, 0);
  }

  private savePosition = (): void => {
    if (this.status !== 'deleted') {
      this.position.save(this.since, this.epoch);
    }
  };
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
