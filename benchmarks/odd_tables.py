"""Odd but plausible tables, as people have them, each through all eight stages of one running Jupyter server.

Run: ``pip install -e ".[test,bench]"`` and ``python benchmarks/odd_tables.py [NAME ...]``. A table either comes to a
bundle, whose ``predict.py`` is run on the person's own file, as is ``Pipeline.predict``, and both must come to the test
metrics that were reported; or a stage fails with the sentence that is expected here. Nothing may stand in the server's
log but its everyday lines, and at the end the server must be alive. Prints a line for each table; the exit status says
whether all went well.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import odd_files  # noqa: F401
import pandas as pd
from odd_kinds import TABLES, Odd
from server_process import TOKEN, Server, running

from jupyter_pipeline import Pipeline
from jupyter_pipeline.automl.evaluation import evaluate
from jupyter_pipeline.automl.frames import to_pandas
from jupyter_pipeline.automl.reading import TableSpec, read
from jupyter_pipeline.automl.targets import encode_target
from jupyter_pipeline.client.errors import PipelineError

LIMITS = "Use linear, lightgbm and random forest, within 3 seconds."


def through(server: Server, name: str, odd: Odd, folder: Path) -> str:
    """One table through all stages; what came of it."""
    (folder / name).mkdir()
    file = folder / name / odd.file
    file.write_bytes(odd.content)
    with Pipeline(name, url=f"http://127.0.0.1:{server.port}/", token=TOKEN) as p:
        try:
            p.attach(file)
            p.chat(f"Predict {odd.target}. {odd.more} {LIMITS}")
            if odd.category is not None:
                p.run(until="PREPROCESS", confirm=True, timeout=120, quiet=True)
                p.update_plan(columns={odd.category: "onehot"})
            p.run(until="EXPORT", confirm=True, timeout=180, quiet=True)
        except PipelineError as error:
            said = str(error)
            if error.code == "INTERNAL" or odd.fails is None or not re.search(odd.fails, said):
                raise AssertionError(f"failed: {said}") from None
            return f"failed as it should: {said}"
        assert odd.fails is None, f"came to the end, but should have failed: {odd.fails}"
        lines = [e["event"]["payload"] for e in p.events() if e["event"]["name"] == "LOG_LINE"]
        said = [line["text"] for line in lines if line["level"] in ("warning", "error")]
        assert not [text for text in said if re.search("Traceback|Error:|Warning:", text)], said
        board = p.leaderboard
        assert (board["status"] == "success").all(), board
        bundle = p.download(folder / name / "export.zip")
        told = p.predict(file) if odd.command else None
        metrics = [
            e["event"]["payload"]["final_metrics"] for e in p.events() if e["event"]["name"] == "TRAIN_RUN_FINISHED"
        ][-1]
        reported = {m["name"]: m["value"] for m in metrics["metrics"] if m["split"] == "test"}
    return " | ".join([check_bundle(bundle, file, folder / name, odd, reported, told), *said])


def close(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * max(1.0, abs(other))


def check_bundle(bundle: Path, file: Path, folder: Path, odd: Odd, reported: dict[str, Any], told: Any) -> str:
    """Predict the file anew, and measure on the test rows."""
    place = folder / "bundle"
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(place)
    config = json.loads((place / "config.json").read_text())
    spec = TableSpec.from_dict({**config["data"]["table"], "path": str(place / config["data"]["path"])})
    data = to_pandas(read(spec))
    task = json.loads((place / "metrics.json").read_text())["task"]
    kind, target = task["type"], task["target"]
    model = json.loads((place / "model" / "model.json").read_text())
    positive = model["positive_class"]
    _, y, _ = encode_target(data[target], kind, target, None if positive is None else str(positive))
    split = pd.read_csv(place / "split.csv")
    test = split.loc[split["part"] == "test", "row"].to_numpy()
    rows = file
    if not odd.command:
        rows = folder / "rows.csv"
        data.drop(columns=target).to_csv(rows, index=False)
    out = folder / "predictions.csv"
    ended = subprocess.run(
        [sys.executable, "-I", "-W", "error", str(place / "predict.py"), str(rows), "--out", str(out)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, f"predict.py: {ended.stderr[-800:]}"
    assert "Warning" not in ended.stderr, ended.stderr[-800:]
    predicted = pd.read_csv(out, dtype=str, keep_default_na=False)
    assert len(predicted) == len(data), f"predict.py wrote {len(predicted)} lines of {len(data)}"
    differ = []
    for what, output in (("predict.py", predicted), ("p.predict", told)):
        if output is None:
            continue
        output = output.iloc[test]
        if kind == "regression":
            found = evaluate(kind, y[test], output["prediction"].astype(float).to_numpy())
        else:
            raw = output[[f"proba_{c}" for c in model["classes"]]].astype(float).to_numpy()
            found = evaluate(kind, y[test], raw, model["threshold"])
        for metric, value in reported.items():
            mine = found[metric]
            if value != mine and not (value is not None and mine is not None and close(mine, value)):
                differ.append(f"{what} {metric} {mine} instead of {value}")
    assert not differ, "; ".join(differ[:3])
    return f"{task['metric']} {reported.get(task['metric'])}" + (f" [{ended.stderr.strip()}]" if ended.stderr else "")


#: A record of a server's log begins with its level; a stage's failure has the places in the code in lines below.
_RECORDS = re.compile(r"^(?=\[)", re.MULTILINE)
#: Records that are everyday life.
_EVERYDAY = re.compile(r"^\[(I|W .* 4\d\d (GET|POST) )")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"tables: {', '.join(TABLES)}")
    names = parser.parse_args().names or list(TABLES)
    bad = 0
    with tempfile.TemporaryDirectory() as scratch, running(Path(scratch), ready="api/projects") as server:
        log = Path(scratch) / "server.log"
        seen = len(log.read_text())
        for name in names:
            begun = time.perf_counter()
            try:
                verdict, said = "ok ", through(server, name, TABLES[name](), Path(scratch))
            except Exception as error:
                bad += 1
                verdict, said = "BAD", f"{type(error).__name__}: {error}"
            text = log.read_text()
            fresh, seen = text[seen:], len(text)
            if odd := [record for record in _RECORDS.split(fresh) if record.strip() and not _EVERYDAY.search(record)]:
                bad += 1
                said += "\n   LOG: " + "\n   ".join("".join(odd).splitlines()[:20])
            print(f"{verdict} {time.perf_counter() - begun:5.1f} s  {name}: {said}", flush=True)
        status, _ = server.request("GET", "api/projects")
        print(f"{len(names)} tables, {bad} bad; the server answers {status}")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
