/** Reads a long log beside what is shown: the project as it stands, and what is new. */

import type { ProjectModel } from './model';
import type { ViewRest } from './options';

/** So many events are read over the connection in less time than it takes to ask how the project stands. */
const LONG = 2_000;
/** Events of a page: it is read and folded in a few milliseconds, after which the browser does what else there is. */
const PAGE = 1_000;
/** So long is waited where a page could not be had, and the server did not say how long. */
const AGAIN_MS = 2_000;

export class Past {
  private reading = false;
  private ended = false;

  constructor(
    private readonly model: ProjectModel,
    private readonly rest: ViewRest
  ) {}

  /** The server greeted: of a long log ask how the project stands, and go on from there. */
  async greeted(send: (message: Record<string, unknown>) => void): Promise<void> {
    const { model, rest } = this;
    if (model.ready || model.head - model.seq <= LONG || !rest.state || !rest.events) {
      return;
    }
    try {
      const state = await rest.state();
      if (model.preview(state)) {
        send({ type: 'resume', since: state.seq, epoch: state.epoch });
        void this.read();
      }
    } catch {
      // The connection brings the log.
    }
  }

  end(): void {
    this.ended = true;
  }

  /** Page after page, until all of it is read or nobody is there any more. */
  private async read(): Promise<void> {
    if (this.reading) {
      return; // of a project that was deleted meanwhile and made again
    }
    this.reading = true;
    const { model, rest } = this;
    while (model.previewed && !this.ended && model.connection !== 'denied' && model.connection !== 'deleted') {
      const { epoch, read } = model;
      let wait = AGAIN_MS;
      try {
        const page = await rest.events!({ since: read, limit: PAGE, epoch: epoch! });
        if (model.previewed && model.epoch === epoch && page.epoch === epoch && page.next > read) {
          model.readOn(page.events, page.next);
          continue;
        }
      } catch (error: any) {
        wait = error?.retryAfterMs ?? wait;
      }
      await new Promise(resolve => setTimeout(resolve, wait));
    }
    this.reading = false;
  }
}
