/** What whoever mounts the view gives it: a connection, the REST calls, and what only a host can do. */

import type { Connection, ConnectionHandlers } from '../client/connection';
import type { Predictions, Row } from '../client/rest';
import type { Snapshot } from '../protocol/types';
import type { Translation } from '../translation';
import type { ProjectModel } from './model';

export type { Predictions, Row } from '../client/rest';
export type { Translation } from '../translation';

/**
 * The REST calls that the view uses, of one project. A call that fails rejects with an Error whose message is a
 * sentence for people.
 */
export interface ViewRest {
  /** Upload a data file; `onProgress` hears the fraction that is sent, from 0 to 1. */
  upload(file: File, options?: { onProgress?(fraction: number): void; signal?: AbortSignal }): Promise<unknown>;
  /** Predict rows with the project's model. */
  predict(rows: Row[]): Promise<Predictions>;
  /** Fetch an asset by the `asset_url` or `url` that an event has. */
  asset(url: string): Promise<Blob>;
  /** What is true of the project now. */
  state?(): Promise<Snapshot>;
  /**
   * A page of the log: events after `since`, and where the next page begins. With it and `state` the view of a long log is
   * live at once, and reads what happened before beside it; `connect` must then follow a message `resume`.
   */
  events?(query: { since: number; limit: number; epoch: string }): Promise<{ epoch: string; next: number; events: unknown[] }>;
  /** The address of an asset for a browser tab or a download, where the browser can reach the server at all. */
  assetUrl?(url: string): string;
  /** Delete the project. Without it the view does not offer to. */
  deleteProject?(): Promise<void>;
}

/** What the surroundings can do; the view leaves out what is not there. */
export interface ViewHost {
  /** Open a file of the project, its path as the server's file browser counts it (`pipelines/ID/…`). */
  openPath?(path: string, kind: 'report' | 'notebook' | 'code' | 'file'): void;
  /** Open an address of the server in a new tab; without it the view does that itself. */
  openUrl?(url: string): void;
  /** Save a file; without it the view does that itself. */
  download?(file: Blob, name: string): void;
  /**
   * Called once with the model, before the first event. `model.subscribe` tells of changes, so that a list, a status
   * bar or notifications can follow.
   */
  onModel?(model: ProjectModel): void;
}

export interface ViewOptions {
  projectId: string;
  /**
   * Connect to the project. Every event of the project from its first one on must reach `handlers.onEvent`
   * (`since: 0`), each once and in order: what the view shows is their fold.
   */
  connect(handlers: ConnectionHandlers): Connection;
  rest: ViewRest;
  host?: ViewHost;
  trans?: Translation;
  /** The language that numbers and times are written in, such as `de`; by default English, as the texts are. */
  language?: string | null;
  /** Version of the front end, compared with the server's; by default this one's. */
  version?: string;
}
