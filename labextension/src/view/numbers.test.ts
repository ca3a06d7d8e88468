// @ts-nocheck: Node's types are not among the front end's.
/** Numbers as people read them. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { axisNumber, bytes, clock, count, dateTime, duration, evenly, number, percent, setLanguage } from './numbers';

afterEach(() => setLanguage(null));

test('measured values have as many digits as one can compare', () => {
  assert.deepEqual(
    [0, 1, 0.5, 0.93418, 3.14159, 1234.5, 12345, 1.5e6, 0.00001, NaN, null].map(v => number(v)),
    ['0.0000', '1.0000', '0.5000', '0.9342', '3.142', '1,235', '12,345', '1.50e+6', '1.00e-5', '–', '–']
  );
  assert.deepEqual([0, 0.04, 3.21, 42, 200, 3900].map(duration), ['0 s', '<0.1 s', '3.2 s', '42 s', '3 min 20 s', '1 h 5 min']);
  assert.deepEqual([9.96, 99.6, 119.7, 3599.6].map(duration), ['10 s', '1 min 40 s', '2 min', '1 h']);
});

test('a share that is neither nothing nor all is not written as if it were', () => {
  assert.deepEqual([0, 0.0002, 0.0005, 0.5, 0.9996, 1].map(v => percent(v, 1)), ['0\u00a0%', '<0.1\u00a0%', '0.1\u00a0%', '50.0\u00a0%', '>99.9\u00a0%', '100.0\u00a0%']);
  assert.deepEqual([0.004, 0.005, 0.995, 0.998, 1].map(v => percent(v)), ['<1\u00a0%', '1\u00a0%', '100\u00a0%', '>99\u00a0%', '100\u00a0%']);
});

test('the ticks of an axis have the same places, those of its step', () => {
  assert.deepEqual([0.88, 0.9, 1].map(v => axisNumber(v, 0.02)), ['0.88', '0.90', '1.00']);
  assert.deepEqual([0, 0.25].map(v => axisNumber(v, 0.25)), ['0.00', '0.25']);
  assert.deepEqual([0, 50000].map(v => axisNumber(v, 50000)), ['0', '50,000']);
  assert.deepEqual([0, 2e8].map(v => axisNumber(v, 1e8)), ['0', '2.0e+8']);
});

test('values below each other have the same places', () => {
  assert.deepEqual([0.058, 0.00088, 0].map(evenly([0.058, 0.00088])), ['0.0580', '0.0009', '0.0000']);
  assert.deepEqual([14.72, 0.18].map(evenly([14.72, -0.18])), ['14.7', '0.2']);
  assert.deepEqual([0.208, -0.0004, -0.0006].map(evenly([0.208])), ['0.208', '0.000', '-0.001']);
  assert.deepEqual([5200, 3].map(evenly([5200])), ['5,200', '3']);
});

test('numbers are written in the language of the text', () => {
  setLanguage('de_DE');
  assert.deepEqual([number(0.93418), count(12345), percent(0.125, 1), bytes(1500)], ['0,9342', '12.345', '12,5\u00a0%', '1,5 kB']);
  assert.deepEqual([number(1.234e-5), axisNumber(2.5e8, 1e8)], ['1,23e-5', '2,5e+8']);
  setLanguage('no language at all!');
  assert.equal(number(0.5), '0.5000');
});

test('the time of another day has its day', () => {
  const now = Date.now();
  assert.match(clock(now), /^\d\d:\d\d (AM|PM)$/);
  assert.equal(clock(now - 86_400_000), dateTime(now - 86_400_000));
});
