import datetime
import functools
import gzip
import http.server
import io
import json
import random
import threading
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import polars as pl
import pytest

from jupyter_pipeline.automl.reading import TableSpec, read
from jupyter_pipeline.protocol.events import (
    ArtifactAdded,
    Dataset,
    DatasetCandidates,
    DatasetSampleReady,
    DatasetSelected,
    FileTreeUpdate,
    LogLine,
    Payload,
)
from jupyter_pipeline.protocol.jobs import Job, Upstream
from jupyter_pipeline.protocol.plans import DataPlan, IntentPlan
from jupyter_pipeline.protocol.stages import StageId
from jupyter_pipeline.stages import target_choice as choice
from jupyter_pipeline.stages.base import Result, StageContext, StageError
from jupyter_pipeline.stages.data_source import run


class Channel:
    def __init__(self) -> None:
        self.events: list[Payload] = []

    def emit(self, payload: Payload) -> None:
        self.events.append(payload)

    def finish_requested(self) -> bool:
        return False

    def last_run(self) -> int | None:
        return None

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


class Bench:
    """A project folder in a workspace, and the stage run in it."""

    def __init__(self, root: Path) -> None:
        self.workspace = root
        self.project = root / "pipelines" / "p1"
        (self.project / "data").mkdir(parents=True)
        self.out = self.project / "artifacts" / "data_source-2.partial"
        self.out.mkdir(parents=True)
        self.channel = Channel()
        self.attached: list[dict[str, Any]] = []

    def attach(self, name: str, content: str | bytes) -> None:
        path = self.project / "data" / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        meta = {"path": f"data/{name}", "size": path.stat().st_size}
        dataset = Dataset(id=f"upload:{name}", name=name, source="upload", desc="Attached.", meta=meta)
        self.attached.insert(0, msgspec.to_builtins(dataset))

    def run(self, params: dict[str, Any] | None = None, **intent: Any) -> Result:
        plan = msgspec.to_builtins(IntentPlan(**intent))
        job = Job(
            project_id="p1",
            stage_id=StageId.DATA_SOURCE,
            attempt=2,
            project_dir=str(self.project),
            workspace_dir=str(self.workspace),
            out_dir=str(self.out),
            result_dir=str(self.project / "artifacts" / "data_source-2"),
            asset_base_url="/api/projects/p1/assets",
            params=params or {},
            upstream={StageId.PARSE_INTENT: Upstream(plan=plan, result_dir=str(self.project))},
            datasets=tuple(self.attached),
        )
        return run(StageContext(job, self.channel))

    def plan(self, params: dict[str, Any] | None = None, **intent: Any) -> DataPlan:
        plan = self.run(params, **intent).plan
        assert isinstance(plan, DataPlan)
        return plan

    def fails(self, params: dict[str, Any] | None = None, **intent: Any) -> str:
        with pytest.raises(StageError) as caught:
            self.run(params, **intent)
        return str(caught.value)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def churn(n: int = 60) -> str:
    rng = random.Random(0)
    rows = [f"c{i},{rng.randint(18, 80)},{rng.uniform(1, 90):.2f},{'yes' if i % 4 == 0 else 'no'}" for i in range(n)]
    return "\n".join(["customer_id,Age,fee,Churned", *rows]) + "\n"


def test_an_attached_file_is_read_and_a_plan_proposed(bench: Bench) -> None:
    bench.attach("churn.csv", churn())
    result = bench.run(target="churned")
    plan = result.plan
    assert isinstance(plan, DataPlan)
    assert (plan.dataset_id, plan.target, plan.task_type) == ("upload:churn.csv", "Churned", "binary")
    assert (plan.metric, plan.positive_class) == ("roc_auc", "yes")
    assert len(plan.data_sha256) == 64
    assert "60 rows, 4 columns" in result.summary
    table = json.loads((bench.out / "table.json").read_text())
    assert table["path"] == "data/churn.csv"
    assert (table["n_rows"], table["sha256"]) == (60, plan.data_sha256)
    assert table["columns"][1] == {"name": "Age", "dtype": "Int64"}
    table["path"] = str(bench.project / table["path"])
    assert read(TableSpec.from_dict(table)).shape == (60, 4)
    sample = json.loads((bench.out / "sample.json").read_text())
    assert sample["rows"][0]["customer_id"] == "c0"
    kinds = [type(event) for event in bench.channel.events]
    order = [DatasetCandidates, DatasetSelected, ArtifactAdded, DatasetSampleReady]
    assert [kind for kind in kinds if kind in order] == order
    ready = bench.channel.of(DatasetSampleReady)[0]
    assert (ready.columns, ready.n_rows) == (("customer_id", "Age", "fee", "Churned"), 60)
    assert ready.asset_url == bench.channel.of(ArtifactAdded)[0].artifact.url


def test_percent_of_nothing_is_no_metric(bench: Bench) -> None:
    bench.attach("visits.csv", "age,visits\n" + "".join(f"{20 + i},{i % 30}\n" for i in range(60)))
    said = bench.fails(target="visits", task_type="regression", metric="mape")
    assert said == "MAPE divides by the target, and 'visits' is 0 in 2 rows; choose another metric, such as MAE."
    assert bench.plan(target="visits", task_type="regression", metric="mae").metric == "mae"
    bench.attach("ages.csv", "age,visits\n" + "".join(f"{20 + i},{i % 30}\n" for i in range(60)))
    assert bench.plan(target="age", task_type="regression", metric="mape").metric == "mape"


def test_attached_before_workspace_before_bundled(bench: Bench) -> None:
    (bench.workspace / "own.csv").write_text(churn())
    assert bench.plan(target="Churned").dataset_id == "workspace:own.csv"
    bench.attach("up.csv", churn())
    assert bench.plan(target="Churned").dataset_id == "upload:up.csv"
    ids = [d.id for d in bench.channel.of(DatasetCandidates)[-1].datasets]
    assert ids[:2] == ["upload:up.csv", "workspace:own.csv"]
    assert set(ids[2:]) == {f"sklearn:{n}" for n in ("iris", "wine", "breast_cancer", "diabetes", "digits")}


def test_the_hint_wins_over_all_and_params_over_the_hint(bench: Bench) -> None:
    bench.attach("up.csv", churn())
    (bench.workspace / "sub").mkdir()
    (bench.workspace / "sub" / "own.csv").write_text(churn())
    assert bench.plan(dataset="iris").dataset_id == "sklearn:iris"
    assert bench.plan(dataset="sub/own.csv").dataset_id == "workspace:sub/own.csv"
    assert bench.plan({"dataset_id": "sklearn:wine"}, dataset="own.csv").dataset_id == "sklearn:wine"


def test_among_attached_files_the_one_with_the_target_wins(bench: Bench) -> None:
    bench.attach("churn.csv", churn())
    bench.attach("later.csv", "a,b\n" + "1,2\n3,4\n" * 10)
    assert bench.plan(target="Churned").dataset_id == "upload:churn.csv"


@pytest.mark.parametrize(
    ("name", "target", "task_type", "metric", "positive"),
    [
        ("iris", "species", "multiclass", "f1_macro", None),
        ("breast_cancer", None, "binary", "roc_auc", "malignant"),
        ("diabetes", "target", "regression", "rmse", None),
        ("digits", "digit", "multiclass", "f1_macro", None),
        ("wine", "Class", "multiclass", "f1_macro", None),
    ],
)
def test_bundled_sets(
    bench: Bench, name: str, target: str | None, task_type: str, metric: str, positive: str | None
) -> None:
    plan = bench.plan(dataset=name, target=target)
    assert (plan.target, plan.task_type, plan.metric, plan.positive_class) == ("target", task_type, metric, positive)
    assert plan.data_sha256 == bench.plan(dataset=name).data_sha256


def test_a_target_that_tells_a_bundled_set(bench: Bench) -> None:
    assert bench.plan(target="species").dataset_id == "sklearn:iris"


def test_the_target_tells_between_files_and_bundled_sets(bench: Bench) -> None:
    (bench.workspace / "sales.csv").write_text("month,amount\n" + "1,2\n3,4\n" * 10)
    assert bench.plan(target="digit").dataset_id == "sklearn:digits"
    assert "No file has a column 'digit'" in bench.run(target="digit").summary
    assert bench.plan(target="amounts", task_type="binary").dataset_id == "workspace:sales.csv"
    (bench.workspace / "scans.csv").write_text("pixel,digit\n" + "1,2\n3,4\n" * 10)
    assert bench.plan(target="digit").dataset_id == "workspace:scans.csv"
    assert bench.plan(target="digit", dataset="digits").dataset_id == "sklearn:digits"


def test_a_bare_name_without_the_target_yields_to_data_that_hold_it(bench: Bench) -> None:
    bench.attach("bottles.csv", "acidity,price\n" + "1,2.5\n3,4.5\n" * 10)
    result = bench.run(dataset="wine", target="price")
    assert isinstance(result.plan, DataPlan)
    assert result.plan.dataset_id == "upload:bottles.csv"
    assert "wine has no column 'price'; bottles.csv, which has one, was taken." in result.summary
    assert bench.plan(dataset="wine", target="cultivar").dataset_id == "sklearn:wine"
    assert "no column 'price'" in bench.fails(dataset="sklearn:wine", target="price")


def test_no_data(bench: Bench) -> None:
    message = bench.fails(target="price")
    assert "attach a file" in message
    assert bench.channel.of(DatasetCandidates)[0].datasets[0].source == "bundled"
    assert "no-such.csv" in bench.fails(dataset="no-such.csv")
    assert "upload:gone.csv" in bench.fails({"dataset_id": "upload:gone.csv"})


def test_files_outside_the_workspace_are_not_read(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.csv"
    outside.write_text(churn())
    assert "secret.csv" in bench.fails(dataset=str(outside))
    assert "secret.csv" in bench.fails({"dataset_id": f"workspace:../{outside.parent.name}/secret.csv"})


def test_the_target_is_found_by_close_names_or_named_in_the_error(bench: Bench) -> None:
    bench.attach("churn.csv", churn())
    assert bench.plan(target="CHURNED").target == "Churned"
    assert bench.plan(target="churn").target == "Churned"
    assert bench.plan({"target": "fee"}, target="Churned").task_type == "regression"
    message = bench.fails(target="chrnd x")
    assert "no column 'chrnd x'" in message
    assert "'Churned'" in message
    assert "Age" in bench.fails(target="zzz")


def test_a_column_that_is_called_by_a_number_wins_over_its_place(bench: Bench) -> None:
    rows = "".join(f"{i % 7},{i % 5},{i % 3}\n" for i in range(40))
    bench.attach("numbers.csv", f"0,1,2\n{rows}")
    assert bench.plan(target="column 2").target == "2"
    assert bench.plan(target="column 3").target == "2", "its place, as none is called so"
    assert bench.plan(target="last column").target == "2"
    assert bench.plan(target="column 1").target == "1"


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("a,target,b", "{i},{t},x", "target"),
        ("id,flag,amount", "{i},{t},{i}.5", "flag"),
        ("a,b,c", "{i},q{t},{i}.25", "b"),
        ("a,b,amount,row_id", "{i},{m},{i}.5,{i}", "amount"),
    ],
)
def test_a_target_is_proposed(bench: Bench, header: str, row: str, expected: str) -> None:
    rows = [row.format(i=i, t=i % 2, m=i % 3) for i in range(40)]
    bench.attach("d.csv", "\n".join([header, *rows]))
    result = bench.run()
    assert isinstance(result.plan, DataPlan)
    assert result.plan.target == expected
    assert "Nobody said what to predict; " in result.summary


@pytest.mark.parametrize(
    ("values", "positive"),
    [
        (["0", "1"], "1"),
        (["true", "false"], "True"),
        (["good", "bad"], "bad"),
        (["a", "b", "b"], "a"),
        (["1.0", "2.0", "2.0"], "1"),
        (["No", "Maybe"], "Maybe"),
    ],
)
def test_positive_class(bench: Bench, values: list[str], positive: str) -> None:
    bench.attach("d.csv", "x,y\n" + "".join(f"{i},{values[i % len(values)]}\n" for i in range(60)))
    assert bench.plan(target="y").positive_class == positive


def test_words_before_a_column_say_whose_it_is(bench: Bench) -> None:
    bench.attach("d.csv", "age,species,kind\n" + "".join(f"{i},{'ab'[i % 2]},{'cd'[i % 2]}\n" for i in range(40)))
    result = bench.run(target="penguins species")
    assert isinstance(result.plan, DataPlan)
    assert result.plan.target == "species"
    assert "There is no column 'penguins species'; the column 'species' is taken for it." in result.summary
    assert "There is no column 'species weight'" in bench.fails(target="species weight")


def test_what_the_person_set_wins(bench: Bench) -> None:
    bench.attach("churn.csv", churn())
    plan = bench.plan({"positive_class": "NO", "metric": "f1"}, target="Churned", metric="accuracy")
    assert (plan.positive_class, plan.metric) == ("no", "f1")
    assert "'no' and 'yes'" in bench.fails({"positive_class": "perhaps"}, target="Churned")
    assert "RMSE has no meaning for a binary classification" in bench.fails(target="Churned", metric="rmse")
    # What was asked for one target does not stop another one that is chosen later.
    result = bench.run({"target": "Age"}, target="Churned", metric="accuracy")
    assert isinstance(result.plan, DataPlan)
    assert (result.plan.task_type, result.plan.metric) == ("regression", "rmse")
    assert "Accuracy of the request has no meaning for a regression, so RMSE is taken." in result.summary
    assert bench.plan({"target": "Age"}, target="Churned", metric="mae").metric == "mae"
    assert "two" in bench.fails(target="Age", task_type="binary")
    assert "no numbers" in bench.fails(target="Churned", task_type="regression")
    assert "too many to be classes" in bench.fails(target="customer_id")


def test_numbers_can_be_classes_when_asked(bench: Bench) -> None:
    bench.attach("churn.csv", churn(400))
    assert bench.plan(target="Age").task_type == "regression"
    assert bench.plan({"task_type": "multiclass"}, target="Age").task_type == "multiclass"
    assert bench.plan(target="Age", task_type="classification").task_type == "multiclass"
    assert bench.plan(target="Churned", task_type="classification").task_type == "binary"
    assert "too many to be classes" in bench.fails(target="fee", task_type="classification")


def test_what_is_asked_for_goes_before_what_the_values_look_like() -> None:
    def of(values: list[Any], asked: str) -> tuple[str, str]:
        return choice.task_of(pl.Series("y", values), asked)

    months = [*range(1, 13)] * 10
    assert of(months, "auto")[0] == "regression"
    assert of(months, "classification") == ("multiclass", "as asked; its 12 different values are as many classes")
    assert of([float(m) for m in months], "classification")[0] == "multiclass"
    assert of([0, 1] * 20, "classification")[0] == "binary"
    assert of([0, 1] * 20, "auto")[0] == "binary"
    assert of([0, 1] * 20, "regression") == (
        "regression", "as asked; it has two values, so classification would be usual",
    )  # fmt: skip
    for many in ([*range(300)] * 5, [*range(30)]):
        with pytest.raises(StageError, match="too many to be classes; choose regression"):
            of(many, "classification")
    frequent = [f"f{n}" for n in range(50)] * 30
    for values, advice in (
        ([*frequent, *(f"rare {n}" for n in range(250))], "the 50 most frequent are 86% of the rows"),
        ([f"name {n // 2}" for n in range(100)] + ["once"], "hardly two rows of each; choose another target"),
    ):
        with pytest.raises(StageError, match=advice) as refused:
            of(values, "auto")
        assert "regression" not in str(refused.value)
    rare = pl.Series("y", [*months, 13])
    assert any("1 class has one row only" in note for note in choice.check_target(rare, "multiclass", None, "f1_macro"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("x,y\n1,2\n2,3\n3,4\n", "3 rows"),
        ("y\n" + "1\n2\n" * 20, "only one column"),
        ("x,y\n" + "1,\n" * 20, "Every value of the target 'y' is missing"),
        ("x,y\n" + "1,NaN\n" * 20, "missing"),
        ("x,y\n" + "1,5\n" * 20, "in every row"),
        ("x,y\n" + "1,inf\n" * 20 + "1,2\n2,3\n", "Only 2 rows have"),
        ("x,y\n", "no rows"),
        ("", "empty"),
        (random.Random(0).randbytes(3000), "binary"),
        (b"\x80\x04\x95abc", "pickle"),
        ("x,y\n" + "".join(f"{i},2024-01-{i + 1:02d}\n" for i in range(28)), "holds dates, which cannot be"),
        ("x,y\n" + "".join(f"{i},{i % 14 + 1}.03.2024 10:30\n" for i in range(90)), "holds dates, which cannot be"),
    ],
)
def test_data_that_cannot_serve(bench: Bench, content: str | bytes, sentence: str) -> None:
    bench.attach("d.csv", content)
    assert sentence in bench.fails(target="y")


def test_odd_but_usable_data(bench: Bench) -> None:
    rows = "".join(f"{i},{'NaN' if i % 5 == 0 else i / 7},inf,{'' if i % 10 == 0 else i % 2},9\n" for i in range(50))
    bench.attach("odd.csv", "x,x,z,y,\n" + rows)
    result = bench.run(target="y")
    assert isinstance(result.plan, DataPlan)
    assert result.plan.task_type == "binary"
    assert result.plan.positive_class == "1"
    assert "'x.1'" in result.summary
    assert "5 of 50 rows have no value of the target" in result.summary
    sample = json.loads((bench.out / "sample.json").read_text())
    assert sample["rows"][0] == {"x": 0, "x.1": None, "z": None, "y": None, "Unnamed: 4": 9}


def test_a_broken_attached_file_is_said_not_passed_over(bench: Bench) -> None:
    (bench.workspace / "own.csv").write_text(churn())
    bench.attach("broken.csv", b"\x00\x01\x02" * 100)
    assert "broken.csv is binary" in bench.fails(target="Churned")


def test_columns_of_lists_and_dates_are_no_targets(bench: Bench) -> None:
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(i) for i in range(20)]
    frame = pl.DataFrame({"x": range(20), "y": [i % 2 for i in range(20)], "when": days, "tags": [["a"]] * 20})
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    bench.attach("d.parquet", buffer.getvalue())
    assert bench.plan().target == "y"
    assert "cannot be predicted" in bench.fails(target="tags")
    assert "cannot be predicted" in bench.fails(target="when")


def test_a_target_in_sorted_rows_is_recognised_by_its_name(bench: Bench) -> None:
    bench.attach("d.csv", "label,x\n" + "".join(f"{int(i > 1500)},{i}\n" for i in range(2000)))
    assert bench.plan().target == "label"


def test_an_address_is_fetched_and_told(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("site")
    (folder / "churn.csv.gz").write_bytes(gzip.compress(churn().encode()))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{site.server_port}/churn.csv.gz"
        plan = bench.plan(dataset=url, target="Churned")
        assert "gone.csv" in bench.fails(dataset=url.replace("churn.csv.gz", "gone.csv"), target="Churned")
        site.shutdown()
    assert (plan.dataset_id, plan.task_type) == (f"url:{url}", "binary")
    entry = bench.channel.of(FileTreeUpdate)[0].files[0]
    assert (bench.project / entry.path).read_bytes() == (folder / "churn.csv.gz").read_bytes()
    assert entry.sha == plan.data_sha256
    assert bench.channel.of(DatasetCandidates)[0].datasets[0].source == "url"


def test_an_attached_file_that_is_gone(bench: Bench) -> None:
    bench.attach("churn.csv", churn())
    (bench.project / "data" / "churn.csv").unlink()
    assert "attach a file" in bench.fails(target="Churned")
    assert "churn.csv is gone" in bench.channel.of(LogLine)[0].text


def workbook(**sheets: list[tuple[Any, ...]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name.replace("_", " "))
        for row in rows:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_a_sheet_is_the_largest_one_or_the_one_asked_for(bench: Bench) -> None:
    people = [("age", "left"), *((i % 50, "no" if i % 3 else "yes") for i in range(40))]
    sales = [("month", "shop", "revenue"), *((i % 12, f"s{i % 3}", i * 1.5) for i in range(30))]
    bench.attach("book.xlsx", workbook(People=people, Sales_2024=sales, Notes=[("about", "who"), ("a", "b")]))
    result = bench.run()
    plan = result.plan
    assert isinstance(plan, DataPlan)
    assert (plan.sheet, plan.target) == ("Sales 2024", "revenue")
    assert "book.xlsx, sheet 'Sales 2024': 30 rows, 3 columns." in result.summary
    assert "there are also 'People', 'Notes'" in result.summary
    assert 'Choose another sheet, such as: use the sheet "People".' in result.next_actions
    (candidates,) = bench.channel.of(DatasetCandidates)
    assert candidates.datasets[0].meta["sheets"] == ["People", "Sales 2024", "Notes"]

    assert bench.plan({"sheet": "People"}).target == "left"
    assert bench.plan(sheet="people").sheet == "People"
    assert bench.plan(sheet="people", target="age").task_type == "regression"
    assert bench.plan(sheet="1", target="left").sheet == "People"  # by its place
    assert bench.plan(target="left").sheet == "People"  # the only sheet that has it
    assert bench.plan({"sheet": None}, sheet="People").sheet == "Sales 2024"
    assert "has no sheet 'Costs' with a table; it has 'People'" in bench.fails({"sheet": "Costs"})


def test_a_sheet_of_data_without_sheets_is_of_no_account(bench: Bench) -> None:
    bench.attach("churn.csv", churn())
    result = bench.run(sheet="Sales", target="Churned")
    assert "churn.csv has no sheets, so 'Sales' is of no account." in result.summary
    assert isinstance(result.plan, DataPlan)
    assert result.plan.sheet is None


def test_classes_of_json_are_predicted_as_they_are_written(bench: Bench) -> None:
    rows = [{"age": str(20 + i % 40), "fee": f"${i * 100:,}", "left": str(i % 2)} for i in range(40)]
    bench.attach("t.json", json.dumps(rows))
    result = bench.run(target="left")
    spec = TableSpec.from_dict(json.loads((bench.out / "table.json").read_text("utf-8")))
    assert spec.columns == {"age": "Int64", "fee": "Float64", "left": "String"}
    assert "though they are stored as texts: 'age'." in result.summary
    assert isinstance(result.plan, DataPlan)
    assert (result.plan.task_type, result.plan.positive_class) == ("binary", "1")
    assert bench.plan(target="fee").task_type == "regression"


def test_classes_that_differ_in_spaces_or_case_are_told(bench: Bench) -> None:
    bench.attach("t.csv", "a,b,left\n" + "".join(f"{i},{i % 7},{('yes', 'no', 'Yes ')[i % 3]}\n" for i in range(30)))
    result = bench.run(target="left")
    assert "differ in case or spaces only are different classes here: 'Yes ' and 'yes'." in result.summary
