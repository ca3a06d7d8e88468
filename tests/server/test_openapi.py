"""schemathesis asks a real server what its OpenAPI document says can be asked, and more; the answers must fit it.

``JUPYTER_PIPELINE_API_EXAMPLES=500`` asks that often for each call.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi_checks

from jupyter_pipeline.server.limits import DEFAULT_RATES
from jupyter_pipeline.server.openapi import document

from .conftest import TOKEN, Server

EXAMPLES = int(os.environ.get("JUPYTER_PIPELINE_API_EXAMPLES", "8"))
CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.unsupported_method,
]


@pytest.fixture(scope="module")
def api_server(start_server: Callable[..., Server]) -> Server:
    return start_server(
        f"--PipelineApp.rate_limits={dict.fromkeys(DEFAULT_RATES)}",
        "--PipelineApp.long_poll_limit_s=0.05",
        "--PipelineApp.max_workers=1",
        "--PipelineApp.upload_limit=100000",
        base_url="/a%40b/",
    )


SCHEMA = schemathesis.openapi.from_dict(document("/"))
OPERATIONS = {result.ok().label: result.ok() for result in SCHEMA.get_all_operations()}


def test_every_call_is_asked() -> None:
    assert len(OPERATIONS) >= 13
    assert "POST /api/projects/{project_id}/messages" in OPERATIONS


@pytest.mark.parametrize("label", OPERATIONS)
def test_answers_fit_the_document(api_server: Server, label: str) -> None:
    url = f"http://127.0.0.1:{api_server.port}{api_server.base_url}"

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=OPERATIONS[label].as_strategy())
    def ask(case: Any) -> None:
        headers = {"Authorization": f"token {TOKEN}"}
        case.call_and_validate(base_url=url, headers=headers, checks=CHECKS, timeout=60)

    ask()
