"""The API does what its description says, whatever it is asked: hundreds of made-up requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from app.allowance import Allowance
from app.server import build_api, wrapped
from services.rate_limits import Rate, RateLimits
from tests.app.test_api_access import filled, fitting, things_of
from tests.support.api import Api, api_of, is_problem
from tests.support.invoices import invoice
from tests.support.serving import serving
from tests.support.shop import Shop

EXAMPLES = 5
MADE_UP = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CHECKED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)


class Unlimited(RateLimits):
    """Lets everything through: here it is counted how requests are answered, not how many."""

    def take(self, rule: str, name: str, rate: Rate) -> int:
        return 0


@dataclass
class Served:
    """A shop on a socket: where, an owner's key, and one thing of each kind by its name."""

    base_url: str
    key: str
    things: dict[str, str]
    document: dict[str, Any]
    new_invoice: Callable[[], str]

    def with_real_things(self, case: Case) -> None:
        """Have a request name what there is: made-up names would only find nothing."""
        case.path_parameters |= {name: self.things[name] for name in case.path_parameters}
        if isinstance(case.body, dict):
            real = self.things | {"currency": "SATS", "destination": self.new_invoice()}
            case.body |= {name: real[name] for name in case.body if name in real}


@pytest.fixture
def dialect() -> str:
    """What is taken and told is the same on both."""
    return "sqlite"


@pytest.fixture
async def served(shop: Shop) -> AsyncIterator[Served]:
    async with api_of(shop) as api:
        things, key = await things_of(api), await api.key()
    app = build_api(shop.container)
    app.state.allowance = Allowance(Unlimited(lambda: 0))
    async with serving(wrapped(app, shop.container), shop.container) as base_url:
        yield Served(base_url, key, things, app.openapi(), lambda: invoice(shop.clock))


@pytest.mark.parametrize("mode", GenerationMode)
async def test_whatever_is_asked_is_answered_as_described(
    served: Served, mode: GenerationMode
) -> None:
    load_all_checks()
    is_wrong = mode is GenerationMode.NEGATIVE
    names = [*CHECKED, "negative_data_rejection"] if is_wrong else CHECKED
    checks = CHECKS.get_by_names(names)
    answered: set[int] = set()

    def ask(operation: Any, session: requests.Session) -> None:
        @MADE_UP
        @given(case=operation.as_strategy(generation_mode=mode))
        def once(case: Case) -> None:
            if not is_wrong:
                served.with_real_things(case)
            headers = {"Authorization": f"Bearer {served.key}"}
            answer = case.call(served.base_url, session, headers=headers)
            answered.add(answer.status_code)
            more = {"session": session}
            case.validate_response(answer, checks, headers=headers, transport_kwargs=more)

        once()

    def ask_all() -> int:
        schema = schemathesis.openapi.from_dict(served.document)
        operations = [found.ok() for found in schema.get_all_operations()]
        with requests.Session() as session:
            for operation in operations:
                ask(operation, session)
        return len(operations)

    asked = await asyncio.to_thread(ask_all)

    assert asked == sum(map(len, served.document["paths"].values())) > 40
    assert answered & {200, 201} if not is_wrong else answered >= {401, 404, 422}


async def test_what_is_not_described_is_refused_by_name(api: Api) -> None:
    document, things = build_api(api.shop.container).openapi(), await things_of(api)
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        place = filled(path, things).removeprefix("/v1/")
        for method, told in operations.items():
            content = told.get("requestBody", {}).get("content", {}).get("application/json")
            body = None if content is None else fitting(content["schema"], schemas)
            if told.get("security") != []:
                answer = await api.call(method, place, params={"more": 1}, json=body, once="x")
                is_problem(answer, 422, "invalid", "more")
            if body is not None:
                answer = await api.call(method, place, json=body | {"more": 1}, once="x")
                is_problem(answer, 422, "invalid", "more")


async def test_every_route_says_what_it_answers_and_who_may_ask(api: Api) -> None:
    document = (await api.http.get("/v1/openapi.json")).json()
    assert document["security"] == [{"bearer": []}]
    problem = {"$ref": "#/components/schemas/ProblemShape"}
    for name, told in document["components"]["responses"].items():
        assert told["content"] == {"application/problem+json": {"schema": problem}}, name
    for path, operations in document["paths"].items():
        for method, told in operations.items():
            done = [each for status, each in told["responses"].items() if status < "400"]
            assert len(done) == 1, (path, method)
            if "export" not in path:
                assert "$ref" in done[0]["content"]["application/json"]["schema"], (path, method)
            assert {"401", "422", "429"} <= set(told["responses"]), (path, method)
            assert (told.get("security") == []) is path.startswith("/v1/auth/")
