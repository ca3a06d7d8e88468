"""What one pass over a table can keep in bounded memory: moments, distinct values, repeated rows, a random sample."""

import math
from dataclasses import dataclass, field

import numpy as np
import polars as pl

#: Distinct values are counted exactly up to this number, beyond it estimated (standard error below one percent).
EXACT_DISTINCT = 16_384
#: Row fingerprints that are kept at once; beyond it a random part of them stands for all.
KEPT_ROWS = 2_000_000
_SPACE = float(2**64)


@dataclass
class Moments:
    """Count, mean and central moments of numbers, put together part by part (Chan, Pébay)."""

    n: int = 0
    mean: float = 0.0
    m2: float = 0.0
    m3: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    def add(self, n: int, mean: float, variance: float, skew: float, low: float, high: float) -> None:
        """Add a part by its count, mean, population variance, biased skewness and range."""
        if n == 0:
            return
        with np.errstate(all="ignore"):  # Numbers near the end of float64 become infinite here, and then None.
            v, own = np.float64(variance), np.float64(n)
            m2 = v * own
            m3 = skew * v**1.5 * own if math.isfinite(skew) else np.float64(0.0)
            total = self.n + own
            delta = np.float64(mean) - self.mean
            m3 += (
                delta**3 * self.n * own * (self.n - own) / total**2 + 3 * delta * (self.n * m2 - own * self.m2) / total
            )
            self.m3 = float(self.m3 + m3)
            self.m2 = float(self.m2 + m2 + delta**2 * self.n * own / total)
            self.mean = float(self.mean + delta * own / total)
        self.n += n
        self.low, self.high = min(self.low, low), max(self.high, high)

    @property
    def std(self) -> float | None:
        """Sample standard deviation; None below two numbers."""
        return math.sqrt(self.m2 / (self.n - 1)) if self.n > 1 else None

    @property
    def skew(self) -> float | None:
        """Skewness, adjusted for the sample as pandas does; None where there is none."""
        if self.n < 3 or not math.isfinite(self.m2) or self.m2 <= 1e-28 * self.mean**2 * self.n or self.m2 == 0:
            return None
        with np.errstate(all="ignore"):
            biased = math.sqrt(self.n) * self.m3 / np.float64(self.m2) ** 1.5
        return float(biased * math.sqrt(self.n * (self.n - 1)) / (self.n - 2))


@dataclass
class Distinct:
    """How many distinct values there are, from the smallest hashes seen: exact up to ``size``."""

    size: int = EXACT_DISTINCT
    hashes: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    full: bool = False

    def add(self, hashes: np.ndarray) -> None:
        """Add the hashes of values that are not missing."""
        if self.full:
            hashes = hashes[hashes < self.hashes[-1]]
        if not len(hashes):
            return
        merged = np.unique(np.concatenate([self.hashes, hashes]))
        self.full = self.full or len(merged) > self.size
        self.hashes = merged[: self.size]

    @property
    def exact(self) -> bool:
        """Whether the count is exact."""
        return not self.full

    @property
    def count(self) -> int:
        """The number of distinct values, estimated when there are more than ``size``."""
        if not self.full:
            return len(self.hashes)
        return max(self.size + 1, round((self.size - 1) / (float(self.hashes[-1]) / _SPACE)))


@dataclass
class RepeatedRows:
    """How many rows repeat an earlier one, from the fingerprints of a random part of the fingerprint space."""

    limit: int = KEPT_ROWS
    parts: list[np.ndarray] = field(default_factory=list)
    kept: int = 0
    below: int = 2**64 - 1
    _base: dict[int, int] = field(default_factory=dict)

    def add(self, fingerprints: np.ndarray) -> None:
        """Add one fingerprint for each row."""
        if self.below < 2**64 - 1:
            fingerprints = fingerprints[fingerprints < np.uint64(self.below)]
        self.parts.append(fingerprints)
        self.kept += len(fingerprints)
        if self.kept > self.limit:
            self._compact()

    def _compact(self) -> None:
        values, counts = self._merged()
        while len(values) > self.limit // 2:
            self.below //= 2
            keep = values < np.uint64(self.below)
            values, counts = values[keep], counts[keep]
        # What repeats is kept by number: rows stay rows of the part that is looked at.
        self._base = dict(zip(values[counts > 1].tolist(), (counts[counts > 1] - 1).tolist(), strict=True))
        self.parts, self.kept = [values], len(values)

    def _merged(self) -> tuple[np.ndarray, np.ndarray]:
        if not self.parts:
            return np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64)
        values, counts = np.unique(np.concatenate(self.parts), return_counts=True)
        if self._base:
            known = np.fromiter(self._base, dtype=np.uint64, count=len(self._base))
            more = np.fromiter(self._base.values(), dtype=np.int64, count=len(self._base))
            inside = known < np.uint64(self.below)
            counts[np.searchsorted(values, known[inside])] += more[inside]
        return values, counts

    def result(self, n_rows: int) -> tuple[int, bool]:
        """The number of rows that repeat an earlier row, and whether it is exact (but for chance of hashing)."""
        values, counts = self._merged()
        repeats = int((counts - 1).sum()) if len(values) else 0
        if self.below == 2**64 - 1:
            return repeats, True
        return min(n_rows, round(repeats / (self.below / _SPACE))), False


@dataclass
class RandomRows:
    """A uniform random sample of rows, in their order; all of them while there are few."""

    size: int
    rng: np.random.Generator
    frames: list[pl.DataFrame] = field(default_factory=list)
    keys: list[np.ndarray] = field(default_factory=list)
    below: float = 1.0
    kept: int = 0

    def add(self, frame: pl.DataFrame) -> None:
        """Add a part of the table."""
        keys = self.rng.random(frame.height)
        if self.below < 1.0:
            chosen = keys < self.below
            frame, keys = frame.filter(pl.Series(chosen)), keys[chosen]
        if frame.height:
            self.frames.append(frame)
            self.keys.append(keys)
            self.kept += frame.height
        if self.kept > 2 * self.size:
            self._cut()

    def _cut(self) -> None:
        keys = np.concatenate(self.keys)
        self.below = float(np.partition(keys, self.size)[self.size])
        chosen = keys < self.below
        self.frames = [pl.concat(self.frames).filter(pl.Series(chosen))]
        self.keys = [keys[chosen]]
        self.kept = int(chosen.sum())

    def result(self) -> pl.DataFrame:
        """The sampled rows, at most ``size``."""
        if self.kept > self.size:
            self._cut()
        return pl.concat(self.frames) if self.frames else pl.DataFrame()
