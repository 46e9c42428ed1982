"""Bad input: each item of the catalogue gets a 4xx with a stable code; nothing is stored, nothing repeated."""

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx2
import pytest

from tests.unit.web.town import OFFICE, Town, body, key

CANARY = "canary-7731"
JSON = {"Content-Type": "application/json"}


def text(**changes: object) -> str:
    return json.dumps(body(title=CANARY, **changes))


def nested(depth: int) -> str:
    return '{"tags": ' * depth + "1" + "}" * depth


BODIES: dict[str, tuple[bytes | str, int, str]] = {
    "NaN": (f'{{"organ": "{OFFICE}", "title": "{CANARY}", "copies": NaN}}', 422, "json-number-out-of-range"),
    "-Infinity": ('{"copies": -Infinity}', 422, "json-number-out-of-range"),
    "1e400": ('{"copies": 1e400}', 422, "json-number-out-of-range"),
    "1e100000": ('{"copies": 1e100000}', 422, "json-number-out-of-range"),
    "2^63": (f'{{"copies": {1 << 63}}}', 422, "json-number-out-of-range"),
    "4000 digits": ('{"copies": %s}' % ("9" * 4000), 422, "json-number-out-of-range"),
    "5000 digits": ('{"copies": %s}' % ("9" * 5000), 422, "json-number-out-of-range"),
    "lone surrogate": (f'{{"title": "{CANARY}\\ud800"}}', 422, "text-invalid"),
    "lone surrogate as a key": ('{"\\udfff": 1}', 422, "text-invalid"),
    "CESU-8": (b'{"title": "\xed\xa0\x80"}', 422, "text-invalid"),
    "U+0000": (f'{{"title": "{CANARY}\\u0000"}}', 422, "text-invalid"),
    "escape": ('{"title": "\\u001b[31m"}', 422, "text-invalid"),
    "C1": ('{"title": "\\u009b"}', 422, "text-invalid"),
    "raw control": (b'{"title": "\x01"}', 400, "json-invalid"),
    "BOM": (b"\xef\xbb\xbf{}", 415, "content-type"),
    "UTF-16": (text().encode("utf-16"), 415, "content-type"),
    "UTF-16 without a mark": (text().encode("utf-16-le"), 415, "content-type"),
    "GBK": ('{"title": "村道"}'.encode("gbk"), 400, "json-invalid"),
    "overlong": (b'{"title": "\xc0\xaf"}', 400, "json-invalid"),
    "trailing bytes": (text() + "x", 400, "json-invalid"),
    "not JSON": (f"title={CANARY}", 400, "json-invalid"),
    "duplicate keys": ('{"title": "a", "title": "b"}', 400, "json-duplicate-key"),
    "duplicate keys below": ('{"tags": {"a": 1, "a": 2}}', 400, "json-duplicate-key"),
    "depth 33": (nested(33), 422, "json-too-deep"),
    "depth 900": (nested(900), 422, "json-too-deep"),
    "depth 100000": ("[" * 100_000 + "]" * 100_000, 422, "json-too-deep"),
    "1001 items": (json.dumps(body(tags=[1] * 1001)), 422, "json-array-too-long"),
    "extra key": (text(**{CANARY: 1}), 422, "invalid-input"),
    "__proto__": (text(__proto__={"a": CANARY}), 422, "invalid-input"),
    "number as text": (text(copies="1_000"), 422, "invalid-input"),
    "true as a number": (text(copies=True), 422, "invalid-input"),
    "full-width digits": (text(copies="１２３"), 422, "invalid-input"),
    "beyond the limit": (text(copies=1_000_001), 422, "invalid-input"),
    "too long": (text(text="x" * 20_001), 422, "invalid-input"),
    "two lines": (json.dumps(body(title=f"{CANARY}\n2")), 422, "invalid-input"),
    "year 10000": (text(posted_at="10000-01-01T00:00:00Z"), 422, "invalid-input"),
    "no zone": (text(posted_at="2026-03-02T09:00:00"), 422, "invalid-input"),
    "a second more": (text(posted_at="2026-03-02T23:59:60+08:00"), 422, "invalid-input"),
    "lunar": (text(posted_at="正月初三"), 422, "invalid-input"),
    "caller's own map key": (text(tags={CANARY: "x"}), 422, "invalid-input"),
    "no object": (json.dumps([CANARY]), 422, "invalid-input"),
    "null": ("null", 422, "invalid-input"),
    "nothing": ("", 422, "invalid-input"),
    "1 MiB and a byte": (" " * (1 << 20) + "1", 413, "body-too-large"),
}


class TestBodies:
    @pytest.mark.parametrize("name", BODIES)
    async def test_are_refused_with_a_stable_code(self, town: Town, clerk: httpx2.AsyncClient, name: str) -> None:
        sent, status, code = BODIES[name]
        response = await clerk.post("/notices", content=sent, headers={**key("k1"), **JSON})
        assert (response.status_code, response.json()["code"]) == (status, code)
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["type"] == f"urn:shangyi:problem:{code}"
        assert CANARY not in response.text
        assert await town.facts() == 0

    async def test_are_counted_while_they_come(self, town: Town, clerk: httpx2.AsyncClient) -> None:
        async def stream() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield b" " * 100_000

        response = await clerk.post("/notices", content=stream(), headers={**key("k1"), **JSON})
        assert response.json()["code"] == "body-too-large"
        assert await town.facts() == 0

    async def test_a_named_route_takes_more(self, town: Town, clerk: httpx2.AsyncClient) -> None:
        line = "长" * 190 + "\n"
        many = line * ((1 << 21) // len(line.encode()))
        refused = await clerk.post("/notices/import", params={"organ": OFFICE}, content=many * 3, headers=key("k1"))
        assert refused.status_code == 413
        assert await town.facts() == 0
        taken = await clerk.post("/notices/import", params={"organ": OFFICE}, content=many, headers=key("k1"))
        assert taken.status_code == 204

    async def test_point_to_places_without_repeating_them(self, clerk: httpx2.AsyncClient) -> None:
        wrong = {"organ": CANARY, CANARY: 1, "copies": "1", "tags": {CANARY: CANARY}}
        response = await clerk.post("/notices", json=wrong, headers=key("k1"))
        assert {(error["pointer"], error["code"]) for error in response.json()["errors"]} == {
            ("/body/organ", "string-pattern-mismatch"),
            ("/body/title", "missing"),
            ("/body/copies", "int-type"),
            ("/body/tags", "int-type"),
            ("/body", "unknown-field"),
        }

    @pytest.mark.parametrize(
        "kind",
        [
            None,
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=gbk",
            "application/merge+json",
        ],
    )
    async def test_are_json_by_name(self, clerk: httpx2.AsyncClient, kind: str | None) -> None:
        headers = key("k1") if kind is None else {**key("k1"), "Content-Type": kind}
        response = await clerk.post("/notices", content=text(), headers=headers)
        assert (response.status_code, response.json()["code"]) == (415, "content-type")

    async def test_are_not_compressed(self, clerk: httpx2.AsyncClient) -> None:
        headers = {**key("k1"), **JSON, "Content-Encoding": "gzip"}
        assert (await clerk.post("/notices", content=text(), headers=headers)).status_code == 415

    async def test_of_unknown_fields_are_no_oracle(self, clerk: httpx2.AsyncClient) -> None:
        """Depth 32, 1,000 items, line breaks and astral characters are all fine."""
        good = body(text="一\n二\t𠮷\r\n", tags={"a": 1})
        response = await clerk.post("/notices", json=good, headers=key("k1"))
        assert response.status_code == 201


class TestHeaders:
    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            ({}, "idempotency-key-missing"),
            ({"Idempotency-Key": ""}, "idempotency-key-invalid"),
            ({"Idempotency-Key": "k" * 256}, "idempotency-key-invalid"),
            ({"Idempotency-Key": "a b"}, "idempotency-key-invalid"),
            ({"Idempotency-Key": "é".encode("latin-1")}, "idempotency-key-invalid"),
            (key("k1", If_Match="3"), "if-match-invalid"),
            (key("k1", If_Match='W/"3"'), "if-match-invalid"),
            (key("k1", If_Match="*"), "if-match-invalid"),
            (key("k1", If_Match='"-1"'), "if-match-invalid"),
            (key("k1", If_Match='"１"'.encode().decode("latin-1")), "if-match-invalid"),
        ],
    )
    async def test_are_refused(self, clerk: httpx2.AsyncClient, headers: dict[str, str], code: str) -> None:
        sent = [
            (name, value if isinstance(value, bytes) else value.encode("latin-1")) for name, value in headers.items()
        ]
        response = await clerk.post(
            f"/notices/{uuid4()}/take-down",
            json={"reason": "x"},
            headers=[(name.encode(), value) for name, value in sent],
        )
        assert (response.status_code, response.json()["code"]) == (400, code)

    async def test_are_given_once(self, clerk: httpx2.AsyncClient) -> None:
        twice = [("Idempotency-Key", "k1"), ("Idempotency-Key", "k2")]
        response = await clerk.post("/notices", json=body(), headers=twice)
        assert response.json()["code"] == "idempotency-key-invalid"


class TestQueries:
    @pytest.mark.parametrize(
        ("query", "status", "error"),
        [
            ("limit=201", 422, ("/query/limit", "less-than-equal")),
            ("limit=0", 422, ("/query/limit", "greater-than-equal")),
            ("limit=1_0", 422, ("/query/limit", "int-parsing")),
            ("limit=%2B1", 422, ("/query/limit", "int-parsing")),
            ("limit=1.0", 422, ("/query/limit", "int-parsing")),
            ("limit=%EF%BC%91", 422, ("/query/limit", "int-parsing")),
            ("limit=1&limit=2", 422, ("/query/limit", "repeated")),
            (f"{CANARY}=1", 422, ("/query", "unknown-field")),
            ("division=%00", 422, ("/query/division", "text-invalid")),
            ("cursor=%25%25", 400, None),
            ("cursor=e30=", 400, None),
            ("cursor=%EF%BC%91", 400, None),
            ("after=intake", 400, None),
            ("after=intake-0", 400, None),
        ],
    )
    async def test_are_refused(
        self, clerk: httpx2.AsyncClient, query: str, status: int, error: tuple[str, str] | None
    ) -> None:
        response = await clerk.get(f"/notices?{query}")
        assert response.status_code == status
        assert CANARY not in response.text
        if error is not None:
            assert [(e["pointer"], e["code"]) for e in response.json()["errors"]] == [error]
        else:
            assert response.json()["code"] in {"cursor-invalid", "after-invalid"}

    async def test_paths_must_fit(self, clerk: httpx2.AsyncClient) -> None:
        response = await clerk.get(f"/notices/{CANARY}%00")
        assert response.json()["errors"] == [{"pointer": "/path/notice_id", "code": "uuid-parsing"}]
        assert CANARY not in response.text
