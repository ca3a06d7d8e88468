/** What a view needs of a connection, whether it is a socket of its own or relayed through a kernel. */

import type { Sentence } from './sentences';

/**
 * `connecting`: the first attempt; `open`; `reconnecting`: cut, trying again, nothing is lost;
 * `closed`: ended by us; `denied`: not let in (403); `deleted`: the project is gone (4404).
 */
export type ConnectionStatus = 'connecting' | 'open' | 'reconnecting' | 'closed' | 'denied' | 'deleted';

/** What is known beside the status; times in milliseconds. */
export interface StatusDetail {
  /** A sentence for people, in English. */
  reason?: string;
  /** The same as a code with parts, for a text in another language; not where the server said it. */
  sentence?: Sentence;
  /** When the next attempt begins, as Date.now() counts. */
  retryAt?: number;
  /** Messages that wait in the outbox. */
  waiting?: number;
}

export interface ConnectionHandlers {
  onStatusChange?(status: ConnectionStatus, detail: StatusDetail): void;
  /** Every frame in the envelope: HELLO, STAGE_STATUS and all events, each event once and in order. */
  onEvent?(event: any): void;
  /** An error frame of the server, or a sentence about the connection. */
  onError?(error: any): void;
}

export interface Connection {
  /**
   * Send a client message, as an object or as JSON; it gets an id, waits while offline, and takes effect once. Returns the
   * id; a ping, which is about this moment's socket, has none and does not wait.
   */
  send(message: Record<string, unknown> | string): string;
  close(): void;
}
