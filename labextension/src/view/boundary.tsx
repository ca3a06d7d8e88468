/** A part of the view that cannot be drawn says so, and the rest of it stays. */

import { Component, ComponentChildren } from 'preact';
import type { Translation } from '../translation';

interface Props {
  trans: Translation;
  /** Tried again when this changes. */
  again: string;
  children: ComponentChildren;
}

export class Boundary extends Component<Props, { error: string | null }> {
  override state: { error: string | null } = { error: null };

  static override getDerivedStateFromError(error: unknown): { error: string } {
    return { error: String((error as Error)?.message ?? error) };
  }

  override componentDidCatch(error: unknown): void {
    console.error(error);
  }

  override componentDidUpdate(before: Props): void {
    if (before.again !== this.props.again && this.state.error !== null) {
      this.setState({ error: null });
    }
  }

  override render({ trans, children }: Props) {
    const { error } = this.state;
    return error === null ? (
      children
    ) : (
      <div class="jppl-note jppl-note-bad jppl-problem" role="alert">
        <span>
          {trans.__('This part cannot be shown (%1). The project itself is not touched by that.', error)}
        </span>
        <button type="button" class="jppl-link" onClick={() => this.setState({ error: null })}>
          {trans.__('Try again')}
        </button>
      </div>
    );
  }
}
