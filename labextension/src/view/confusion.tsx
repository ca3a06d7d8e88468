/** Which classes are taken for which: a confusion matrix, as a table or as shades. */

import { useView } from './context';
import { count, number, percent } from './numbers';

interface Matrix {
  classes: unknown[];
  /** Rows of each true class, by predicted class. */
  matrix: number[][];
  threshold?: number | null;
}

/** Up to so many classes a table can be read, and up to so many shades can be told apart. */
export const FEW = 12;
export const MANY = 60;

/** A few classes: a table of rows and shares. */
export function Confusion({ data }: { data: Matrix }) {
  const { trans } = useView();
  return (
    <>
      <div class="jppl-scroll">
        <table class="jppl-confusion">
          <thead>
            <tr>
              <td />
              <th colSpan={data.classes.length} scope="colgroup">
                {trans.__('Predicted')}
              </th>
            </tr>
            <tr>
              <th scope="col">{trans.__('True')}</th>
              {data.classes.map((c, i) => (
                <th key={i} scope="col">
                  {String(c)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {data.matrix.map((row, i) => {
              const total = row.reduce((a, b) => a + b, 0);
              return (
                <tr key={i}>
                  <th scope="row">{String(data.classes[i])}</th>
                  {row.map((n, j) => {
                    const share = total ? n / total : 0;
                    return (
                      <td key={j} style={{ '--jppl-share': share }}>
                        <strong>{count(n)}</strong>
                        <span>{percent(share)}</span>
                      </td>
                    );
                  })}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {typeof data.threshold === 'number' ? (
        <p class="jppl-hint">{trans.__('Positive from a probability of %1.', number(data.threshold, 3))}</p>
      ) : null}
    </>
  );
}

/** Room for the names of the classes, and the whole picture, in the units of the picture. */
const NAMES = 96;
const WIDTH = 420;
/** Mistakes that are put into words. */
const WORST = 5;

/** More classes: shades, and in words what is mixed up most. */
export function Shades({ data: { classes, matrix } }: { data: Matrix }) {
  const { trans } = useView();
  const cell = (WIDTH - NAMES) / classes.length;
  const names = classes.map(String);
  const cells = matrix.flatMap((row, i) => {
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((n, j) => ({ i, j, n, share: total ? n / total : 0 })).filter(({ n }) => n > 0);
  });
  const said = (i: number, j: number, n: number): string =>
    i === j
      ? trans._n('%2: %1 row is right', '%2: %1 rows are right', n, names[i])
      : trans._n('%2 taken for %3: %1 row', '%2 taken for %3: %1 rows', n, names[i], names[j]);
  const worst = cells
    .filter(({ i, j }) => i !== j)
    .sort((a, b) => b.n - a.n)
    .slice(0, WORST);
  return (
    <>
      <svg class="jppl-svg jppl-svg-wide" viewBox={`0 0 ${WIDTH} ${WIDTH - NAMES}`} role="img" aria-label={trans.__('Confusion matrix')}>
        <rect class="jppl-shade-room" x={NAMES} width={WIDTH - NAMES} height={WIDTH - NAMES} />
        {cells.map(({ i, j, n, share }) => (
          <rect key={`${i} ${j}`} class="jppl-shade" x={NAMES + j * cell} y={i * cell} width={cell} height={cell} fill-opacity={0.12 + 0.88 * share}>
            <title>{said(i, j, n)}</title>
          </rect>
        ))}
        {names.map((name, i) => (
          <text key={i} x={NAMES - 4} y={(i + 0.5) * cell} dominant-baseline="central" text-anchor="end" style={{ fontSize: `${Math.min(10, cell)}px` }}>
            {name.length > 18 ? `${name.slice(0, 17)}…` : name}
          </text>
        ))}
      </svg>
      <p class="jppl-hint">{trans.__('A line for each true class, a column for each predicted one in the same order; a deeper shade is a greater share.')}</p>
      {worst.length ? (
        <ul class="jppl-hint">
          {worst.map(({ i, j, n }) => (
            <li key={`${i} ${j}`}>{said(i, j, n)}</li>
          ))}
        </ul>
      ) : null}
    </>
  );
}
