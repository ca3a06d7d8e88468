"""JupyterLab with the extension in it."""

from playwright.sync_api import Page, expect

from .conftest import Lab


def test_jupyterlab_starts_with_the_plugin_and_without_an_error_in_the_console(lab: Lab, page: Page) -> None:
    page.goto(lab.lab_url())
    page.wait_for_function("window.jupyterapp && window.jupyterapp.restored")
    page.evaluate("window.jupyterapp.restored")
    assert page.evaluate("window.jupyterapp.hasPlugin('jupyter-pipeline:plugin')")
    expect(page.get_by_role("main")).to_be_visible()
