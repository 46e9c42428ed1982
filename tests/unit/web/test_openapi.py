"""The OpenAPI document: every operation says what it needs and how it may refuse, and its example works."""

import json
import re
from typing import Any

import httpx2
import pytest
from pydantic import ValidationError

from tests.unit.web.town import OFFICE, NoticeBody, Town
from web.examples import example
from web.testing import wrong_examples


def can_be_read(sent: dict[str, str]) -> bool:
    try:
        NoticeBody.model_validate(sent)
    except ValidationError:
        return False
    return True


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

    @pytest.mark.parametrize(
        ("field", "text", "fits"),
        [
            ("title", "村道硬化", True),
            ("title", " 村道 硬化 ", True),
            ("title", "村道\n硬化", False),
            ("title", "村道\u2028硬化", False),
            ("title", "\u3000 ", False),
            ("title", "村\x9f道", False),
            ("text", "三社\n\t村部", True),
            ("text", "三社\x00村部", False),
            ("text", "\n ", False),
        ],
    )
    def test_says_what_text_may_not_be(self, town: Town, field: str, text: str, fits: bool) -> None:
        body = town.app.openapi()["components"]["schemas"]["NoticeBody"]
        schema = body["properties"][field]
        pattern = schema.get("pattern") or schema["anyOf"][0]["pattern"]
        assert (re.search(pattern, text) is not None) == fits
        sent = {"organ": OFFICE, "title": "停水", field: text}
        assert can_be_read(sent) == fits

    def test_says_what_else_its_words_refuse(self, town: Town) -> None:
        document = town.app.openapi()
        instant, _ = document["components"]["schemas"]["NoticeBody"]["properties"]["posted_at"]["anyOf"]
        parameters = {one["name"]: one["schema"] for one in document["paths"]["/notices"]["get"]["parameters"]}
        assert instant["description"] == "With its zone, 1900-2200"
        assert re.search(parameters["after"]["items"]["pattern"], "intake-57")
        assert not re.search(parameters["after"]["items"]["pattern"], "intake-057")
        assert "format" not in parameters["X-Correlation-Id"], "what is no UUID is taken for none, and not refused"

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
