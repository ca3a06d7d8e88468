/** A connection that goes through the kernel, for pages that cannot reach the server themselves. */

import type { AnyModel } from '@anywidget/types';
import type { Connection, ConnectionHandlers } from '../client';
import { newId } from '../client/outbox';
import { say, textOf } from '../client/sentences';
import type { Sentence } from '../client/sentences';
import type { Snapshot } from '../protocol/types';
import type { Predictions, ViewRest } from '../view';

/** Without a word for so long, a kernel is asked again, if something waits for it; else now and then, for it forgets who is silent. */
const SILENCE_MS = 20_000;
const REMIND_MS = 600_000;
const UPLOAD_PIECE = 1 << 20;
/** Events of a page of the past: more than over a connection of its own, for the way through the kernel takes longer. */
const PAGE = 2_500;

export interface RelayHandlers {
  /** A cell runs, during which the kernel takes no messages; or it has ended. */
  onBusy?(busy: boolean): void;
}

interface Call {
  resolve(value: any): void;
  reject(error: Error): void;
  pieces: Uint8Array<ArrayBuffer>[];
}

/** All that a view and its kernel say to each other. */
export class Relay {
  private readonly client = newId();
  private readonly calls = new Map<string, Call>();
  private readonly outbox = new Map<string, Record<string, unknown>>();
  private handlers: ConnectionHandlers = {};
  private seq = 0;
  private epoch: string | null = null;
  private heard = Date.now();
  private asked = 0;
  private open = false;
  private closed = false;
  /** The kernel has ended, and this with it. */
  private gone = false;
  private timer: ReturnType<typeof setInterval> | null = null;

  constructor(
    private readonly model: AnyModel,
    private readonly busy: RelayHandlers = {}
  ) {
    this.receive = this.receive.bind(this);
    this.lost = this.lost.bind(this);
    model.on('msg:custom', this.receive);
    // What ipywidgets tells of a model when its kernel is gone; other front ends may never do.
    model.on('comm_live_update', this.lost);
  }

  connect(handlers: ConnectionHandlers): Connection {
    this.handlers = handlers;
    handlers.onStatusChange?.('connecting', {});
    this.start();
    this.timer = setInterval(() => {
      // VS Code tells no model that its kernel was started again; it ends the manager of all models.
      if ((this.model.widget_manager as { isDisposed?: boolean } | undefined)?.isDisposed) {
        this.lost();
        return;
      }
      const most = !this.open || this.outbox.size > 0 ? SILENCE_MS : REMIND_MS;
      if (Date.now() - Math.max(this.heard, this.asked) > most) {
        this.start();
      }
    }, 5000);
    return {
      send: given => {
        const id = newId();
        const message = { ...(typeof given === 'string' ? JSON.parse(given) : given), id };
        if (message.type === 'resume') {
          this.seq = message.since;
          this.start();
          return '';
        }
        this.outbox.set(id, message);
        this.say({ kind: 'send', message });
        this.tellStatus();
        return id;
      },
      close: () => {
        this.closed = true;
        this.stop();
        this.say({ kind: 'stop' });
        this.model.off('msg:custom', this.receive);
        this.model.off('comm_live_update', this.lost);
        this.reject(say('VIEW_CLOSED'));
        handlers.onStatusChange?.('closed', {});
      }
    };
  }

  readonly rest: ViewRest = {
    upload: async (file, options) => {
      const upload = newId();
      const data = new Uint8Array(await file.arrayBuffer());
      let answer: unknown;
      for (let at = 0; at === 0 || at < data.length; at += UPLOAD_PIECE) {
        options?.signal?.throwIfAborted();
        const last = at + UPLOAD_PIECE >= data.length;
        const piece = data.slice(at, at + UPLOAD_PIECE);
        answer = await this.call('upload', { upload, name: file.name, last }, [piece.buffer]);
        options?.onProgress?.(data.length ? Math.min(1, (at + piece.length) / data.length) : 1);
      }
      return answer;
    },
    state: () => this.call('state', {}) as Promise<Snapshot>,
    events: ({ since }) => this.call('events', { since, limit: PAGE }) as ReturnType<NonNullable<ViewRest['events']>>,
    predict: rows => this.call('predict', { rows }) as Promise<Predictions>,
    asset: async url => new Blob((await this.call('asset', { url })) as Uint8Array<ArrayBuffer>[])
  };

  private start(): void {
    this.asked = Date.now();
    this.say({ kind: 'start', since: this.seq, epoch: this.epoch });
  }

  private say(content: Record<string, unknown>, buffers?: ArrayBuffer[]): void {
    try {
      if (!this.gone) {
        this.model.send({ ...content, client: this.client }, undefined, buffers);
        return;
      }
    } catch {
      // Its comm is closed.
    }
    queueMicrotask(this.lost); // whoever sends has the id before it hears of it
  }

  private call(method: string, args: Record<string, unknown>, buffers?: ArrayBuffer[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = newId();
      this.calls.set(id, { resolve, reject, pieces: [] });
      this.say({ kind: 'call', id, method, args }, buffers);
    });
  }

  private receive(content: any, buffers: (DataView | ArrayBuffer)[] = []): void {
    if (this.closed) {
      return;
    }
    if (content.kind === 'busy') {
      this.busy.onBusy?.(content.busy);
      return;
    }
    if (content.client !== this.client) {
      return;
    }
    this.heard = Date.now();
    switch (content.kind) {
      case 'hello': {
        const { epoch, resumed } = content.frame.event.payload;
        if (!resumed) {
          this.seq = 0;
        }
        this.epoch = epoch;
        this.handlers.onEvent?.(content.frame);
        this.setOpen();
        break;
      }
      case 'events':
        for (const frame of content.frames) {
          if (frame.seq > this.seq) {
            this.seq = frame.seq;
            this.handlers.onEvent?.(frame);
          }
        }
        this.say({ kind: 'ack' });
        break;
      case 'status':
        if (content.status === 'open') {
          this.setOpen();
        } else {
          this.open = false;
          this.handlers.onStatusChange?.(content.status, { reason: content.reason || undefined });
        }
        break;
      case 'sent':
        this.outbox.delete(content.id);
        this.tellStatus();
        break;
      case 'error':
        this.outbox.delete(content.frame.id);
        this.tellStatus();
        this.handlers.onError?.(content.frame);
        break;
      case 'result':
        this.finish(content, buffers);
        break;
    }
  }

  private finish(content: any, buffers: (DataView | ArrayBuffer)[]): void {
    const call = this.calls.get(content.id);
    if (!call) {
      return;
    }
    for (const buffer of buffers) {
      call.pieces.push(bytes(buffer));
    }
    if (content.more) {
      return;
    }
    this.calls.delete(content.id);
    if (content.error) {
      call.reject(new Error(content.error));
    } else {
      call.resolve(content.value === undefined ? call.pieces : content.value);
    }
  }

  /** The kernel is gone, and with it whatever was asked of it. */
  private lost(): void {
    if (this.closed) {
      return;
    }
    const unsent = [...this.outbox.values()];
    this.outbox.clear();
    for (const message of unsent) {
      this.handlers.onError?.({
        type: 'error',
        code: 'CLOSED',
        id: message.id,
        original_message: message,
        message: textOf(say('KERNEL_UNSENT')),
        sentence: say('KERNEL_UNSENT')
      });
    }
    this.reject(say('KERNEL_ENDED'));
    if (!this.gone) {
      this.gone = true;
      this.open = false;
      this.stop();
      const why = say('KERNEL_ENDED');
      this.handlers.onStatusChange?.('closed', { reason: textOf(why), sentence: why });
    }
  }

  /** Ask no more whether it is there. */
  private stop(): void {
    if (this.timer !== null) {
      clearInterval(this.timer);
    }
  }

  private reject(why: Sentence): void {
    for (const call of this.calls.values()) {
      call.reject(Object.assign(new Error(textOf(why)), { sentence: why }));
    }
    this.calls.clear();
  }

  private setOpen(): void {
    this.open = true;
    this.tellStatus();
  }

  private tellStatus(): void {
    if (this.open && !this.closed) {
      this.handlers.onStatusChange?.('open', { waiting: this.outbox.size });
    }
  }
}

/** A copy of a buffer: a view in JupyterLab, the buffer itself in some other front ends. */
function bytes(buffer: DataView | ArrayBuffer): Uint8Array<ArrayBuffer> {
  return ArrayBuffer.isView(buffer)
    ? new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.byteLength).slice()
    : new Uint8Array(buffer.slice(0));
}
