/** What a threshold does, read from a curve of precision and recall. */

export interface PrecisionRecall {
  precision: number[];
  recall: number[];
  /** From which probability on rows are called positive, ascending; null at the end, where none is. */
  threshold: (number | null)[];
}

/** Precision and recall of the curve's point that is next to a threshold from above; null where no row is called so. */
export function atThreshold(curve: PrecisionRecall, threshold: number): { precision: number; recall: number } | null {
  const at = curve.threshold.findIndex(cut => cut !== null && cut >= threshold);
  return at < 0 || !curve.recall[at] ? null : { precision: curve.precision[at], recall: curve.recall[at] };
}
