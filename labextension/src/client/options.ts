/** What a page says of the connection that it wants. */

import type { Ack, ErrorFrame, EventFrame, Pong } from '../protocol/types';
import type { ConnectionHandlers } from './connection';
import type { Store } from './outbox';

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
