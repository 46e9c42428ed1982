"""The OpenAPI document: every operation says what it needs and how it may refuse, and its example works."""

import json
import re
from typing import Any

import httpx2
import pytest

from tests.unit.web.town import Town
from web.examples import example
from web.testing import wrong_examples


class TestDocument:
    async def test_is_served_with_its_pages(self, clerk: httpx2.AsyncClient) -> None:
        assert (await clerk.get("/openapi.json")).json()["info"]["title"] == "Town"
        assert "swagger" in (await clerk.get("/docs")).text

    def test_describes_commands_and_questions(self, town: Town) -> None:
        document = town.app.openapi()
        command = document["paths"]["/notices/{notice_id}/take-down"]["post"]
        question = document["paths"]["/notices"]["get"]
        assert {(p["name"], p["required"]) for p in command["parameters"] if p["in"] == "header"} == {
            ("Idempotency-Key", True),
            ("If-Match", False),
            ("Accept-Language", False),
            ("X-Correlation-Id", False),
        }
        assert {p["name"] for p in question["parameters"] if p["in"] == "query"} == {
            "limit",
            "cursor",
            "after",
            "division",
        }
        refusals = {"400", "401", "403", "404", "422", "500", "503"}
        assert set(command["responses"]) == refusals | {"204", "409", "412", "413", "415"}
        assert set(question["responses"]) == refusals | {"200", "504"}
        assert set(command["responses"]["204"]["headers"]) == {"ETag", "Shangyi-Position"}
        assert command["security"] == question["security"] == [{"token": []}]

    def test_refers_to_nothing_that_is_not_there(self, town: Town) -> None:
        document = town.app.openapi()

        for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)):
            found: Any = document
            for step in reference.split("/"):
                found = found[step]

    def test_has_examples_that_work(self, town: Town) -> None:
        assert wrong_examples(town.app) == []
        notices = town.app.openapi()["paths"]["/notices"]["post"]
        assert notices["requestBody"]["content"]["application/json"]["example"]["title"] == "村道硬化"

    def test_is_checked_for_examples_that_do_not(self, town: Town) -> None:
        notices = town.app.openapi()["paths"]["/notices"]["post"]
        notices["requestBody"]["content"]["application/json"]["example"]["organ"] = "nowhere"
        assert wrong_examples(town.app) == ["POST /notices: [('organ',)]"]


class TestExample:
    @pytest.mark.parametrize(
        ("schema", "made"),
        [
            ({"type": "object", "properties": {"a": {"type": "integer", "minimum": 3}}}, {"a": 3}),
            ({"anyOf": [{"type": "null"}, {"type": "boolean"}]}, True),
            ({"type": "array", "items": {"type": "string", "format": "date"}}, ["2026-03-02"]),
            ({"enum": ["x", "y"]}, "x"),
            ({"$ref": "#/components/schemas/A"}, {"own": 1}),
        ],
    )
    def test_is_made_of_what_the_types_say(self, schema: dict[str, Any], made: object) -> None:
        assert example(schema, {"A": {"type": "object", "examples": [{"own": 1}]}}) == made

    def test_cannot_be_made_of_a_bare_pattern(self) -> None:
        with pytest.raises(ValueError, match="no example"):
            example({"type": "string", "pattern": "^x$"}, {})
