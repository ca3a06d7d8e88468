"""The view in real Chromium: what of people and data reaches the page, and how it is drawn."""

import re
from collections.abc import Callable

from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, expect

from .conftest import Console, Work
from .jobs import STAGES, axe
from .pages import ask, attach, confirm, expect_stage, iris, wait_gate


def test_of_two_browsers_at_one_gate_one_wins(
    new_context: Callable[..., BrowserContext], show: Callable[[Page, str], Locator], work: Work
) -> None:
    first, second = (new_context().new_page() for _ in range(2))
    one, two = show(first, "race"), show(second, "race")
    attach(one, iris())
    ask(one, "Predict target within 3 seconds, only linear")
    wait_gate(one, "PARSE_INTENT")
    wait_gate(two, "PARSE_INTENT")
    # The second browser has not heard yet of the first one's confirmation when its own button is pressed.
    late = "(apply => frame => setTimeout(() => apply.call(model, frame), 1500))(model.apply)"
    second.evaluate(f"void (model.apply = {late})")
    one.get_by_role("button", name="Confirm").click()
    expect_stage(one, "PARSE_INTENT", "COMPLETED")
    two.get_by_role("button", name="Confirm").click()
    expect(two.get_by_role("alert")).to_have_attribute("data-code", re.compile("GATE_STALE|NOT_WAITING"))
    wait_gate(one, "DATA_SOURCE")
    wait_gate(two, "DATA_SOURCE")
    expect_stage(two, "PROFILE_DATA", "PENDING")
    # Both speak, and each hears the other. Of a long conversation earlier lines are put before what one reads.
    for n in range(30):
        said = {"type": "chat", "text": f"What is the target? {n}"}
        while (answer := work.request("POST", "api/projects/race/messages", said)).status == 429:
            first.wait_for_timeout(answer.json["retry_after_ms"])  # twenty at once, then two a second
        assert answer.status == 200
    conversation = one.get_by_role("list", name="Conversation")
    expect(conversation.get_by_text("What is the target? 29")).to_be_visible()
    expect(conversation.get_by_text("Predict target within 3 seconds")).to_have_count(0)
    earlier = conversation.get_by_role("button", name="Show earlier lines")
    earlier.focus()
    read = conversation.get_by_role("listitem").nth(1).element_handle()
    before = read.bounding_box()
    earlier.press("Enter")
    expect(conversation.get_by_text("Predict target within 3 seconds")).to_have_count(1)
    after = read.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) < 3, "what was being read has moved"
    expect(earlier).to_have_count(0)
    expect(conversation).to_be_focused()


def test_nothing_from_data_becomes_part_of_the_page(
    page: Page, show: Callable[[Page, str], Locator], work: Work
) -> None:
    name = "<img src=x onerror=window.hacked=1>"
    # And three hundred more columns, with names of any length and direction.
    more = [f"{'עמודה ארוכה מאוד' if n % 2 else 'avery' + 'long' * 30}{n}" for n in range(300)]
    rows = "\n".join(
        f"{i % 7},{'yes' if i % 3 else 'no'},<b onclick=alert(1)>{i % 2}</b>,"
        + ",".join(str(i * (n + 1) % 11) for n in range(300))
        for i in range(60)
    )
    file: FilePayload = {
        "name": "odd.csv",
        "mimeType": "text/csv",
        "buffer": f"{name},target,<script>window.hacked=2</script>,{','.join(more)}\n{rows}\n".encode(),
    }
    view = show(page, "hostile")
    attach(view, file)
    ask(view, f"Predict target within 3 seconds, only linear {name}")
    for here in STAGES[:4]:
        wait_gate(view, here)
        for width in (1280, 700, 360):
            page.set_viewport_size({"width": width, "height": 900})
            # What is drawn follows within a picture or two.
            page.wait_for_function("document.querySelector('.jppl-root').scrollWidth <= innerWidth")
        if here != "PREPROCESS":
            confirm(view, here)
    assert page.evaluate("window.hacked") is None
    assert view.locator("img, script, b").count() == 0
    expect(view.get_by_text(name).first).to_be_visible()
    change_many_at_once(page, view, work)


def change_many_at_once(page: Page, view: Locator, work: Work) -> None:
    """The treatments of the wide table at its gate: what a search finds, ranges by mouse and keyboard, the way back."""
    page.set_viewport_size({"width": 1280, "height": 900})

    def columns() -> dict[str, str]:
        state = work.request("GET", "api/projects/hostile/state").json
        found: dict[str, str] = state["stages"][3]["plan_json"]["columns"]
        return found

    before = columns()
    latin = [column for column in before if column.startswith("avery")]
    bulk = view.get_by_role("group", name="Treatment of the selected columns")
    choice = bulk.get_by_role("combobox")
    expect(choice).to_be_disabled()
    search = view.get_by_role("searchbox", name="Find a column")
    search.fill("AVERY")
    view.get_by_role("checkbox", name=f"Select the {len(latin)} columns found").check()
    search.fill("")
    expect(bulk).to_contain_text(f"{len(latin)} columns selected")
    choice.select_option("ordinal")
    bulk.get_by_role("button", name=f"Set for {len(latin)} columns").click()
    article = view.get_by_role("article")
    expect(article).to_contain_text(f"{len(latin)} changes; Preparation is worked out again")
    bulk.get_by_role("button", name="Take back").click()
    expect(article).not_to_contain_text("changes; Preparation")
    bulk.get_by_role("button", name="Clear").click()
    every = view.get_by_role("checkbox", name=f"Select all {len(before)} columns")
    expect(every).to_be_focused()
    # From one to another with Shift; some of them not. By keyboard, from the box that has the focus on.
    names = list(before)

    def box(n: int) -> Locator:
        return view.get_by_role("checkbox", name=f"Select {names[n]}", exact=True)

    box(2).click()
    box(7).click(modifiers=["Shift"])
    expect(bulk).to_contain_text("6 columns selected")
    expect(every).to_have_js_property("indeterminate", True)
    box(4).press("Space")
    box(4).press("ArrowDown")
    expect(box(5)).to_be_focused()
    box(10).focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowDown")
    expect(bulk).to_contain_text("9 columns selected")
    box(16).focus()
    page.keyboard.press("Shift+Space")
    expected = {2, 3, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16}
    expect(bulk).to_contain_text(f"{len(expected)} columns selected")
    assert axe(page) == []
    choice.select_option("drop")
    bulk.get_by_role("button", name=re.compile("^Set for")).press("Enter")
    seq = page.evaluate("model.seq")
    view.get_by_role("button", name="Apply changes").click()
    expect(article).not_to_contain_text("changes; Preparation")
    wait_gate(view, "PREPROCESS")
    assert columns() == {**before, **{names[n]: "drop" for n in expected}}
    events = work.request("GET", f"api/projects/hostile/events?since={seq}").json["events"]
    assert [e["event"]["name"] for e in events].count("WAITING_CONFIRMATION") == 1, "It was no single change."
    view.get_by_text("History").click()
    entry = view.locator(".jppl-history > li").first
    expect(entry).to_contain_text("Preparation")


GROW = """
async () => {
  document.body.innerHTML = '<div id="view" style="width: 1000px; height: 800px"></div>';
  const { mountView } = await import('./view.js');
  const frame = () => new Promise(requestAnimationFrame);
  let handlers;
  let seq = 0;
  mountView(document.getElementById('view'), {
    projectId: 'drawn',
    connect: given => ((handlers = given), { send: () => '', close: () => undefined }),
    rest: { upload: async () => ({}), predict: async () => ({ predictions: [] }), asset: async () => new Blob(['{}']) }
  });
  const tell = (name, payload) => handlers.onEvent({ seq: ++seq, ts: 1, stage: {}, event: { name, payload } });
  handlers.onStatusChange('open', {});
  handlers.onEvent({ event: { name: 'HELLO', payload: { epoch: 'e', seq: 0, server_version: '' } } });
  tell('STAGE_STATUS', { stage_id: 'TRAIN', status: 'IN_PROGRESS', attempt: 1, message: '' });
  const runs = Array.from({ length: 12 }, (_, i) => `r${i}`);
  for (const run_id of runs) {
    tell('TRAIN_RUN_STARTED', { run_id, model_id: run_id, metric_primary: 'loss', config: {} });
  }
  for (let step = 1; step <= 6000; step++) {
    runs.forEach((run_id, i) => {
      const value = Math.exp(-step / (500 + 90 * i)) + (step % 1500 === 700 ? 0.4 : 0) + i / 20;
      tell('METRIC_SCALAR', { run_id, name: 'loss', split: 'val', step, value });
    });
    if (step % 40 === 0) await frame();
  }
  // Where each column of pixels has the highest and the lowest ink.
  const ink = () => {
    const canvas = document.querySelector('.jppl-canvas:not(.jppl-canvas-labels)');
    const { width, height } = canvas;
    const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
    return Array.from({ length: width }, (_, x) => {
      const rows = [];
      for (let y = 0; y < height; y++) if (data[4 * (y * width + x) + 3] > 60) rows.push(y);
      return rows.length ? [rows[0], rows[rows.length - 1]] : [-1, -1];
    });
  };
  for (let i = 0; i < 30; i++) await frame();
  const grown = ink();
  document.body.setAttribute('data-jp-theme-name', 'another');  // everything is drawn anew
  for (let i = 0; i < 30; i++) await frame();
  const anew = ink();
  // While the axes stay as they are nothing is drawn anew.
  let cleared = 0;
  const clearRect = CanvasRenderingContext2D.prototype.clearRect;
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    cleared += Number(this.canvas.className === 'jppl-canvas');
    return clearRect.apply(this, box);
  };
  for (let step = 6001; step <= 6012; step++) {
    runs.forEach((run_id, i) => {
      tell('METRIC_SCALAR', { run_id, name: 'loss', split: 'val', step, value: i / 20 });
    });
    await new Promise(resolve => setTimeout(resolve, 80));
  }
  return [grown, anew, cleared];
}
"""


def test_curves_that_grew_look_like_curves_drawn_at_once(page: Page, site: str, console: Console) -> None:
    """Continued frame by frame over more points than are kept, while the axes grow, with peaks that must stay."""
    console.allow("favicon.ico")
    page.goto(f"{site}/static/build.json")
    grown, anew, cleared = page.evaluate(GROW)
    assert cleared <= 1
    assert len(grown) == len(anew) > 300
    assert sum(top >= 0 for top, _ in anew) > 0.5 * len(anew)
    apart = [max(abs(a - b) for a, b in zip(*pair, strict=True)) for pair in zip(grown, anew, strict=True)]
    assert sum(d > 3 for d in apart) <= 0.02 * len(apart), apart
