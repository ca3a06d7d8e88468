/** One project over a line that may be cut: goes on where it was, and loses nothing that was sent. */

import type { ErrorFrame, EventFrame, Hello } from '../protocol/types';
import { delay } from './backoff';
import type { Connection, ConnectionStatus, StatusDetail } from './connection';
import { Line } from './line';
import type { Speaker } from './line';
import type { SocketOptions } from './options';
import { newId, Outbox, storage } from './outbox';
import type { Entry, Message } from './outbox';
import { Position } from './position';
import { Sender } from './sender';
import { failed, say, textOf } from './sentences';
import type { Sentence } from './sentences';
import { Timers } from './timers';
import { addresses, checkProjectId, socketUrl } from './urls';
import { versionNotice } from './version';

/** Messages that were never acknowledged are given up after a day: what they were about has passed. */
const MAX_AGE_MS = 24 * 3600 * 1000;
const DELETED = 4404;
const TOO_LARGE = 1009;
const DEFAULT_LIMIT = 1 << 20;

export function createWebSocketClient(options: SocketOptions): Connection {
  checkProjectId(options.projectId);
  return new ProjectSocket(options);
}

class ProjectSocket implements Connection, Speaker {
  private readonly base;
  private readonly outbox: Outbox;
  private readonly timers = new Timers();
  private readonly sender: Sender;
  private readonly position: Position;
  private readonly line: Line;
  private status: ConnectionStatus = 'connecting';
  private greeted = false;
  /** How many messages the last status said to wait. */
  private told = 0;
  private limit = DEFAULT_LIMIT;
  private gate: { stage_id: string; gate_id: string } | null = null;
  /** The log that what is sent now is for; null: not known, or there is none yet. */
  private log: string | null;
  private subscription: Record<string, unknown> | null;

  constructor(private readonly options: SocketOptions) {
    this.base = addresses(options.baseUrl ?? '/', location.href);
    const place = `jupyter-pipeline:${this.base.http}:${options.projectId}:`;
    const store = options.storage === undefined ? storage('localStorage') : options.storage;
    this.outbox = new Outbox(`${place}outbox:`, store);
    this.sender = new Sender(this.outbox, this.timers, message => this.transmit(message));
    const { since, epoch = null } = options;
    const begin = { since: typeof since === 'number' ? since : null, epoch };
    this.position = new Position(`${place}position`, since === 'stored' ? storage('sessionStorage') : null, begin);
    this.log = this.position.log;
    this.line = new Line(this, this.timers, {
      base: this.base,
      token: options.token || null,
      heartbeatMs: options.heartbeatMs ?? 25_000,
      pongTimeoutMs: options.pongTimeoutMs ?? 10_000
    });
    this.subscription = options.names ? { type: 'subscribe', names: options.names } : null;
    addEventListener('pagehide', this.savePosition);
    // The caller has the connection before it hears of anything.
    this.timers.set('start', 0, () => {
      for (const entry of this.outbox.restore(MAX_AGE_MS)) {
        this.refuse(entry.message, 'EXPIRED', say('EXPIRED'));
      }
      this.setStatus('connecting');
      this.line.connect();
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
    if (message.type === 'resume' && Number.isSafeInteger(message.since) && message.since >= 0) {
      this.position.resume(message.since, typeof message.epoch === 'string' ? message.epoch : null);
      if (this.line.busy && !this.open) {
        this.line.connect(); // The one that is on its way asks for something else.
      }
    }
    if (message.type === 'ping' || message.type === 'resume' || message.type === 'subscribe') {
      this.transmit(message);
      return '';
    }
    const id = typeof message.id === 'string' && message.id ? message.id : newId();
    const full: Message = { ...message, id };
    if (this.ended) {
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
    this.outbox.add(full, this.log);
    this.sender.flush();
    if (!this.open) {
      this.setStatus(this.status);
    }
    return id;
  }

  close(): void {
    if (!this.ended) {
      this.end('closed', say('CLOSED'));
    }
  }

  // -- the line --------------------------------------------------------------------------------------------------

  private get open(): boolean {
    return this.greeted && this.line.open;
  }

  private get ended(): boolean {
    return this.status === 'closed' || this.status === 'denied' || this.status === 'deleted';
  }

  private transmit(message: Record<string, unknown>): boolean {
    if (!this.open) {
      return false;
    }
    this.line.send(JSON.stringify(message), message.id !== undefined);
    return true;
  }

  address(): string {
    return socketUrl(this.base, this.options.projectId, { ...this.position.next, token: this.options.token });
  }

  closed(code: number): boolean {
    if (code === DELETED) {
      this.refuseAll(this.outbox.all(), 'DELETED', say('NOT_DONE'));
      this.position.forget();
      this.end('deleted', say('DELETED'));
    } else if (code === TOO_LARGE) {
      for (const entry of this.sender.onTheWay()) {
        this.sender.done(entry.message.id);
        this.refuse(entry.message, 'TOO_LARGE', say('TOO_LARGE_FOR_SERVER'));
      }
    }
    return !this.ended;
  }

  gone(): void {
    this.greeted = false;
    this.sender.cut();
  }

  trying(why: Sentence): void {
    this.setStatus(this.line.fresh && this.status === 'connecting' ? 'connecting' : 'reconnecting', why);
  }

  denied(why: Sentence, by: 'server' | 'browser'): void {
    this.end('denied', why);
    if (by === 'browser') {
      this.refuseAll(this.outbox.all(), 'CLOSED', why);
    } else {
      const message = textOf(why);
      this.options.onError?.({ type: 'error', code: 'FORBIDDEN', message, sentence: why, id: null, retryable: false });
    }
  }

  private end(status: ConnectionStatus, why: Sentence): void {
    this.line.end();
    this.timers.clearAll();
    this.savePosition();
    removeEventListener('pagehide', this.savePosition);
    this.setStatus(status, why);
  }

  // -- what comes ------------------------------------------------------------------------------------------------

  heard(text: string): void {
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
      if (!this.position.take(frame.seq)) {
        return;
      }
      if (this.log === null) {
        this.within(this.position.log);
      }
      this.follow(frame);
    }
    this.options.onFrame?.(frame);
    this.options.onEvent?.(frame);
    if (name === 'HELLO') {
      this.sender.flush();
    }
  }

  private hello(hello: Hello): void {
    if (this.position.greeted(hello)) {
      this.gate = null;
    }
    // What waits, perhaps since an earlier page, may be for a project that was deleted; this one has its name alone.
    const others = this.outbox.all().filter(entry => entry.epoch !== null && entry.epoch !== hello.epoch);
    this.refuseAll(others, 'DELETED', say('OTHER_PROJECT'));
    this.within(hello.seq > 0 ? hello.epoch : null);
    const limit = hello.limits['message_bytes'];
    this.limit = typeof limit === 'number' ? limit : DEFAULT_LIMIT;
    this.greeted = true;
    if (this.subscription) {
      this.transmit(this.subscription);
    }
    this.line.works();
    this.setStatus('open');
    const notice = versionNotice(hello.server_version);
    if (notice !== null) {
      this.options.onVersion?.(notice);
    }
  }

  /** Keep in mind which log there is. What was sent before there was one is for this one, not for one that comes after it. */
  private within(log: string | null): void {
    this.log = log;
    if (log !== null) {
      this.outbox.settle(log);
    }
  }

  /** Keep in mind which gate is open. */
  private follow(frame: EventFrame): void {
    if (frame.event.name === 'WAITING_CONFIRMATION') {
      this.gate = { stage_id: frame.event.payload.stage_id, gate_id: frame.event.payload.gate_id };
    } else if (frame.event.name === 'STAGE_STATUS') {
      this.gate = null;
    }
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

  private refuseAll(entries: readonly Entry[], code: string, why: Sentence): void {
    for (const { message } of entries) {
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
    if (this.line.retryAt !== undefined) {
      detail.retryAt = this.line.retryAt;
    }
    this.options.onStatusChange?.(status, detail);
  }

  private later(callback: () => void): void {
    setTimeout(callback, 0);
  }

  private savePosition = (): void => {
    this.position.save();
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
