"""Splits: every row once, classes and groups and times where they belong, small and odd data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipeline.automl.splitting import Split, SplitError, keys_of, split_rows
from jupyter_pipeline.automl.targets import TargetError, encode_target


def everything(split: Split) -> list[int]:
    return sorted([*split.train.tolist(), *split.val.tolist(), *split.test.tolist()])


@settings(max_examples=150, deadline=None)
@given(
    y=st.lists(st.integers(0, 4), min_size=3, max_size=120),
    strategy=st.sampled_from(["random", "stratified", "time", "group"]),
    fractions=st.sampled_from([(0.2, 0.2), (0.1, 0.3), (0.4, 0.4), (0.01, 0.01)]),
    seed=st.integers(0, 5),
    missing=st.integers(0, 3),
)
def test_each_known_row_is_in_one_part(
    y: list[int], strategy: str, fractions: tuple[float, float], seed: int, missing: int
) -> None:
    codes = np.array([*y, *[-1] * missing])
    known = codes >= 0
    keys = np.arange(len(codes)) % 7 if strategy == "group" else np.arange(len(codes))[::-1] * 1.0
    options = {"strategy": strategy, "val_fraction": fractions[0], "test_fraction": fractions[1], "seed": seed}
    try:
        split = split_rows(codes, known, keys=keys, **options)
    except SplitError:
        assert strategy == "stratified"
        assert max(np.bincount(y)) < 3
        return
    assert everything(split) == np.flatnonzero(known).tolist()
    assert all(len(part) for part in (split.train, split.val, split.test))
    assert split.dropped == missing
    again = split_rows(codes, known, keys=keys, **options)
    assert all((a == b).all() for a, b in zip(_three(split), _three(again), strict=True))


def _three(split: Split) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return split.train, split.val, split.test


def test_classes_keep_their_shares() -> None:
    y = np.repeat([0, 1, 2], [700, 250, 50])
    split = split_rows(y, np.ones(1000, bool), strategy="stratified")
    for part in _three(split):
        assert np.bincount(y[part]) / len(part) == pytest.approx([0.7, 0.25, 0.05], abs=0.005)
    assert split.stratified
    assert (len(split.val), len(split.test)) == (200, 200)


def test_a_class_of_one_row_is_trained_on_and_said() -> None:
    y = np.array([0] * 40 + [1] * 40 + [2])
    split = split_rows(y, np.ones(81, bool), strategy="stratified")
    assert 80 in split.train
    assert any("one row only" in note for note in split.notes)


def test_the_latest_rows_are_tested() -> None:
    times = np.random.default_rng(0).permutation(100).astype(float)
    times[:3] = np.nan
    split = split_rows(np.zeros(100), np.ones(100, bool), strategy="time", keys=times)
    assert np.nanmax(times[split.train]) < times[split.val].min() <= times[split.val].max() < times[split.test].min()
    assert {0, 1, 2} <= set(split.train.tolist())
    assert "3 rows without a time" in split.notes[0]


def test_groups_stay_together() -> None:
    groups = np.random.default_rng(1).integers(0, 30, 400)
    split = split_rows(np.zeros(400), np.ones(400, bool), strategy="group", keys=groups)
    found = [set(groups[part]) for part in _three(split)]
    assert not found[0] & found[1]
    assert not found[1] & found[2]
    assert not found[0] & found[2]
    assert 50 <= len(split.test) <= 110


@pytest.mark.parametrize(
    ("strategy", "keys", "words"),
    [
        ("group", np.zeros(10), "at least 3"),
        ("time", np.full(10, np.nan), "no dates"),
        ("time", None, "time column"),
        ("group", None, "group column"),
    ],
)
def test_what_cannot_be_split(strategy: str, keys: np.ndarray | None, words: str) -> None:
    with pytest.raises(SplitError, match=words):
        split_rows(np.zeros(10), np.ones(10, bool), strategy=strategy, keys=keys)


def test_too_few_rows() -> None:
    with pytest.raises(SplitError, match="2 rows with a target"):
        split_rows(np.zeros(5), np.array([True, True, False, False, False]))


def test_targets_become_numbers() -> None:
    task, y, known = encode_target(pd.Series(["yes", None, "no", "yes"], dtype=object), "binary", "t")
    assert (task.classes, y.tolist(), known.tolist()) == (["no", "yes"], [1, -1, 0, 1], [True, False, True, True])
    task, y, _ = encode_target(pd.Series(["yes", "no"], dtype=object), "binary", "t", "no")
    assert (task.positive_class, y.tolist()) == ("no", [0, 1])
    task, y, _ = encode_target(pd.Series([1.0, np.nan, 0.0]), "binary", "t")
    assert (task.classes, y.tolist()) == ([0, 1], [1, -1, 0])
    task, _, _ = encode_target(pd.Series([True, False]), "binary", "t", "true")
    assert task.positive_class is True
    _, y, known = encode_target(pd.Series([1.5, np.inf, None, 2.0]), "regression", "t")
    assert known.tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    ("values", "task_type", "positive", "words"),
    [
        (["a", "a", None], "binary", None, "1 class "),
        (["a", "b", "c"], "binary", None, "3 classes"),
        (["a", "b"], "binary", "z", "'z' is not in the target"),
        (["a", "b", "c"], "regression", None, "no numbers"),
        ([1.0, 1.0], "regression", None, "the same in every row"),
        ([1.0, 2.0, 1.7e308], "regression", None, "as large as 1.7e\\+308, with which no error"),
        ([None, None], "multiclass", None, "0 classes"),
    ],
)
def test_targets_that_do_not_fit(values: list[object], task_type: str, positive: str | None, words: str) -> None:
    with pytest.raises(TargetError, match=words):
        encode_target(pd.Series(values, dtype=object), task_type, "t", positive)


def test_rows_of_one_time_stay_together_where_that_costs_little() -> None:
    days = np.repeat(np.arange(20.0), 10)  # ten rows a day: the 20 percent end within a day of a shifted table
    days = np.concatenate([days, np.full(7, 20.0)])
    split = split_rows(np.zeros(len(days)), np.ones(len(days), bool), strategy="time", keys=days)
    parts = [set(days[part]) for part in (split.train, split.val, split.test)]
    assert not parts[0] & parts[1]
    assert not parts[1] & parts[2]
    assert not any("same time" in note for note in split.notes)
    assert abs(len(split.test) - 41) <= 5
    assert abs(len(split.val) - 41) <= 10

    one = split_rows(np.zeros(100), np.ones(100, bool), strategy="time", keys=np.zeros(100))
    assert (len(one.train), len(one.val), len(one.test)) == (60, 20, 20)
    assert any("same time" in note for note in one.notes)


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%d.%m.%Y", "%m/%d/%Y", "%Y-%m-%d", "%d %b %Y"])
def test_days_and_months_are_told_apart_before_rows_are_divided_by_time(form: str) -> None:
    days = pd.Series(pd.date_range("2020-01-01", periods=100, freq="3D")).sample(frac=1, random_state=0)
    keys = keys_of(days.dt.strftime(form).astype(object), "time")
    split = split_rows(np.zeros(100), np.ones(100, bool), strategy="time", keys=keys)
    train, val, test = (days.to_numpy()[part] for part in _three(split))
    assert train.max() < val.min() <= val.max() < test.min()


def test_dots_say_that_the_day_comes_first() -> None:
    dates = pd.Series(["01.02.2021", "02.01.2021", "03.02.2021"])
    assert keys_of(dates, "time").argsort().tolist() == [1, 0, 2]
    assert keys_of(dates.str.replace(".", "/"), "time").argsort().tolist() == [0, 1, 2]
