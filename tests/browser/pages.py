"""What the tests of the view on a page of its own do over and over: data, stages and gates."""

import io
import re

import pandas
from playwright.sync_api import FilePayload, Locator, expect
from sklearn.datasets import load_breast_cancer, load_iris

WORK_MS = 100_000
"""So long a stage may take on a busy machine."""


def stage(view: Locator, stage_id: str) -> Locator:
    return view.locator(f"[data-stage={stage_id}]")


def expect_stage(view: Locator, stage_id: str, *status: str) -> None:
    expect(stage(view, stage_id)).to_have_attribute("data-status", re.compile("|".join(status)), timeout=WORK_MS)


def wait_gate(view: Locator, stage_id: str) -> None:
    expect_stage(view, stage_id, "WAITING_CONFIRMATION", "FAILED")
    expect_stage(view, stage_id, "WAITING_CONFIRMATION")
    expect(view.get_by_role("button", name="Confirm")).to_be_enabled()


def confirm(view: Locator, stage_id: str) -> None:
    wait_gate(view, stage_id)
    view.get_by_role("button", name="Confirm").click()
    expect_stage(view, stage_id, "COMPLETED")


def ask(view: Locator, text: str) -> None:
    box = view.get_by_role("textbox", name="Message")
    box.fill(text)
    box.press("Enter")


def cancer() -> FilePayload:
    frame = load_breast_cancer(as_frame=True).frame.iloc[:240, [0, 1, 4, 6, 20, -1]]
    return {"name": "cells.csv", "mimeType": "text/csv", "buffer": frame.to_csv(index=False).encode()}


def iris() -> FilePayload:
    frame = load_iris(as_frame=True).frame
    return {"name": "flowers.csv", "mimeType": "text/csv", "buffer": frame.to_csv(index=False).encode()}


def workbook() -> FilePayload:
    """The flowers, and on a smaller sheet some of them without the widths."""
    frame = load_iris(as_frame=True).frame
    out = io.BytesIO()
    with pandas.ExcelWriter(out) as writer:
        frame.to_excel(writer, sheet_name="All flowers", index=False)
        frame.iloc[::2, [0, 2, 4]].to_excel(writer, sheet_name="Lengths", index=False)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return {"name": "flowers.xlsx", "mimeType": kind, "buffer": out.getvalue()}


def attach(view: Locator, file: FilePayload) -> None:
    view.locator("input[type=file]").set_input_files(file)
    expect(view.get_by_text(file["name"]).first).to_be_visible()
