"""Events of PARSE_INTENT, DATA_SOURCE, PROFILE_DATA and PREPROCESS."""

from typing import Any, ClassVar

import msgspec

from .base import Payload, Pct


class PromptParsed(Payload, frozen=True, kw_only=True):
    """What the request was understood to say."""

    NAME: ClassVar[str] = "PROMPT_PARSED"
    STATE: ClassVar[bool] = False
    task_type: str
    target: str | None
    dataset_hint: str | None
    constraints: dict[str, Any]


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """Data that the project can use. ``source`` is one of upload, workspace, url, bundled."""

    id: str
    name: str
    source: str
    desc: str
    meta: dict[str, Any] = {}


class DatasetCandidates(Payload, frozen=True, kw_only=True):
    """Data to choose from, best first."""

    NAME: ClassVar[str] = "DATASET_CANDIDATES"
    datasets: tuple[Dataset, ...]


class DatasetSelected(Payload, frozen=True, kw_only=True):
    """The data that the stage works with."""

    NAME: ClassVar[str] = "DATASET_SELECTED"
    dataset_id: str


class DatasetSampleReady(Payload, frozen=True, kw_only=True):
    """The first rows of the data; ``n_rows`` counts all rows of the data set."""

    NAME: ClassVar[str] = "DATASET_SAMPLE_READY"
    asset_url: str
    columns: tuple[str, ...]
    n_rows: int


class ProfileProgress(Payload, frozen=True, kw_only=True):
    """How far the profile is."""

    NAME: ClassVar[str] = "PROFILE_PROGRESS"
    STATE: ClassVar[bool] = False
    phase: str
    pct: Pct


class ProfileSummary(Payload, frozen=True, kw_only=True):
    """The data at a glance; ``missing_pct`` is the fraction of cells that are missing."""

    NAME: ClassVar[str] = "PROFILE_SUMMARY"
    n_rows: int
    n_cols: int
    missing_pct: Pct
    types_breakdown: dict[str, int]
    warnings: tuple[str, ...]


class MissingnessTableReady(Payload, frozen=True, kw_only=True):
    """Missing values for each column."""

    NAME: ClassVar[str] = "MISSINGNESS_TABLE_READY"
    STATE: ClassVar[bool] = False
    asset_url: str


class TargetDistributionReady(Payload, frozen=True, kw_only=True):
    """How the target is distributed."""

    NAME: ClassVar[str] = "TARGET_DISTRIBUTION_READY"
    STATE: ClassVar[bool] = False
    asset_url: str


class SplitSummary(Payload, frozen=True, kw_only=True):
    """How many rows each part of the split has."""

    NAME: ClassVar[str] = "SPLIT_SUMMARY"
    train_rows: int
    val_rows: int
    test_rows: int
    stratified: bool
    seed: int


class PreprocessSteps(Payload, frozen=True, kw_only=True):
    """What is done to the columns, step by step, in words."""

    NAME: ClassVar[str] = "PREPROCESS_PLAN"
    steps: tuple[dict[str, Any], ...]
