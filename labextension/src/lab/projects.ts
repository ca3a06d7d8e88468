/** The list of projects, kept up to date: often while something runs, less so while nothing does. */

import { Poll } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';
import { Listing, ProjectEntry, Server, ServerError } from './server';

const BUSY_MS = 2000;
const IDLE_MS = 8000;

export class Projects {
  private _entries: ProjectEntry[] = [];
  private _listing: Listing | null = null;
  private _problem: ServerError | null = null;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _poll: Poll;

  constructor(private readonly server: Server) {
    this._poll = new Poll({
      name: 'jupyter-pipeline:projects',
      factory: () => this.fetch(),
      frequency: { interval: IDLE_MS, backoff: true, max: 60_000 },
      standby: 'when-hidden'
    });
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Last changed first. */
  get entries(): readonly ProjectEntry[] {
    return this._entries;
  }

  /** Whether the server has answered at all. */
  get known(): boolean {
    return this._listing !== null;
  }

  get serverVersion(): string | null {
    return this._listing?.server_version ?? null;
  }

  get folders(): Listing['folders'] {
    return this._listing?.folders ?? { workspace: null, pipelines: null };
  }

  /** Why the list cannot be had. */
  get problem(): ServerError | null {
    return this._problem;
  }

  find(projectId: string): ProjectEntry | undefined {
    return this._entries.find(entry => entry.project_id === projectId);
  }

  /** Ask now; resolves when the answer is there. */
  async refresh(): Promise<void> {
    await this._poll.refresh();
    await this._poll.tick;
  }

  async remove(projectId: string): Promise<void> {
    await this.server.remove(projectId);
    this._entries = this._entries.filter(entry => entry.project_id !== projectId);
    this._changed.emit();
  }

  private async fetch(): Promise<void> {
    try {
      const listing = await this.server.list();
      this._problem = null;
      this._listing = listing;
      this._entries = listing.projects;
    } catch (error) {
      this._problem = error instanceof ServerError ? error : new ServerError(0, String(error));
      this._changed.emit();
      throw error; // so that the poll asks less often
    }
    const busy = this._entries.some(entry => entry.status === 'IN_PROGRESS');
    this._poll.frequency = { ...this._poll.frequency, interval: busy ? BUSY_MS : IDLE_MS };
    this._changed.emit();
  }
}
