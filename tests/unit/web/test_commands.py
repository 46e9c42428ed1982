"""Commands over HTTP: once whatever happens, only on what was seen, only by those who may."""

from datetime import timedelta
from uuid import uuid4

import httpx2
from pydantic import TypeAdapter

from tests.unit.web.town import ELSEWHERE, OFFICE, OFFICE_ELSEWHERE, Town, body, key
from vocabulary.calendar import SHANGHAI
from vocabulary.matter import MatterCode


def without_correlation(response: httpx2.Response) -> tuple[int, str, dict[str, str]]:
    correlation = response.headers["x-correlation-id"]
    headers = {name: value for name, value in response.headers.items() if value != correlation}
    return response.status_code, response.text.replace(correlation, "-"), headers


async def post(client: httpx2.AsyncClient, name: str = "k1", **changes: object) -> str:
    response = await client.post("/notices", json=body(**changes), headers=key(name))
    assert response.status_code == 201, response.text
    found: str = response.json()["id"]
    return found


class TestCreate:
    async def test_opens_a_stream_with_a_matter(self, town: Town, clerk: httpx2.AsyncClient) -> None:
        response = await clerk.post("/notices", json=body(), headers=key("k1"))
        assert response.status_code == 201
        assert response.headers["etag"] == '"1"'
        assert response.headers["shangyi-position"] == "town-1"
        matter = TypeAdapter(MatterCode).validate_python(response.json()["matter"])
        assert matter.startswith(f"620724-{(await town.log.now()).astimezone(SHANGHAI):%Y%m%d}-")

    async def test_answers_a_repetition_with_the_same_bytes(self, town: Town, clerk: httpx2.AsyncClient) -> None:
        first = await clerk.post("/notices", json=body(), headers=key("k1"))
        spaced = f'{{ "title": "停水通知",\n"organ": "{OFFICE}" }}'
        await town.log.move_clock(await town.log.now() + timedelta(days=3))
        again = await clerk.post(
            "/notices", content=spaced, headers={**key("k1"), "Content-Type": "application/json; charset=UTF-8"}
        )
        assert without_correlation(again) == without_correlation(first)
        assert await town.facts() == 1

    async def test_refuses_other_words_under_the_same_key(self, town: Town, clerk: httpx2.AsyncClient) -> None:
        await post(clerk)
        response = await clerk.post("/notices", json=body(title="别的"), headers=key("k1"))
        assert (response.status_code, response.json()["code"]) == (422, "idempotency-key-reused")
        assert await town.facts() == 1

    async def test_keeps_two_peoples_keys_apart(self, town: Town, clerk: httpx2.AsyncClient) -> None:
        mine = await post(clerk)
        async with town.client(sub="clerk-2") as other:
            assert await post(other) != mine

    async def test_tells_no_position_of_a_private_stream(self, clerk: httpx2.AsyncClient) -> None:
        response = await clerk.post("/notices/diary", json=body(), headers=key("k1"))
        assert response.status_code == 201
        assert response.json()["matter"] is None
        assert "shangyi-position" not in response.headers

    async def test_addresses_a_stream_by_its_natural_key(self, clerk: httpx2.AsyncClient) -> None:
        first = await clerk.post("/notices/named/gate", json=body(), headers=key("k1"))
        assert first.json() == {"id": "gate", "matter": None}
        second = await clerk.post("/notices/named/gate", json=body(), headers=key("k2"))
        assert (second.status_code, second.json()["code"]) == (409, "notice-not-so")

    async def test_tells_the_parts_of_one_request_apart(self, town: Town, clerk: httpx2.AsyncClient) -> None:
        for _ in range(2):
            response = await clerk.post(
                "/notices/import", params={"organ": OFFICE}, content="一\n二\n三", headers=key("k1")
            )
            assert response.status_code == 204
            assert response.headers["shangyi-position"] == "town-3"
            assert "etag" not in response.headers
        facts, _ = await town.log.after(0, 10)
        assert len({fact.matter for fact in facts}) == len(facts) == 3

    async def test_refuses_what_has_not_happened_yet(self, town: Town, clerk: httpx2.AsyncClient) -> None:
        tomorrow = (await town.log.now() + timedelta(days=1)).isoformat()
        response = await clerk.post("/notices", json=body(posted_at=tomorrow), headers=key("k1"))
        assert (response.status_code, response.json()["code"]) == (409, "occurred-in-future")
        yesterday = await town.log.now() - timedelta(days=1)
        await post(clerk, posted_at=yesterday.isoformat())
        facts, _ = await town.log.after(0, 10)
        assert [fact.occurred_at for fact in facts] == [yesterday]


class TestSend:
    async def test_goes_on_from_the_version_that_was_seen(self, town: Town, clerk: httpx2.AsyncClient) -> None:
        notice = await post(clerk)
        shown = await clerk.get(f"/notices/{notice}")
        assert shown.json() == {"title": "停水通知"}
        down = await clerk.post(
            f"/notices/{notice}/take-down", json={"reason": "已恢复"}, headers=key("k2", If_Match=shown.headers["etag"])
        )
        assert (down.status_code, down.headers["etag"], down.headers["shangyi-position"]) == (204, '"2"', "town-2")
        stale = await clerk.post(
            f"/notices/{notice}/take-down", json={"reason": "已恢复"}, headers=key("k3", If_Match='"1"')
        )
        assert (stale.status_code, stale.json()["code"]) == (412, "version-conflict")
        assert await town.facts() == 2

    async def test_is_answered_again_after_the_state_moved_on(self, clerk: httpx2.AsyncClient) -> None:
        notice = await post(clerk)
        sent = [
            await clerk.post(f"/notices/{notice}/take-down", json={"reason": "已恢复"}, headers=key("k2"))
            for _ in range(2)
        ]
        assert without_correlation(sent[0]) == without_correlation(sent[1])
        refused = await clerk.post(f"/notices/{notice}/take-down", json={"reason": "已恢复"}, headers=key("k3"))
        assert refused.status_code == 409
        assert refused.json()["title"] == "The notice is Gone."
        assert refused.json()["values"] == {"state": "Gone"}

    async def test_records_who_asked_and_why_it_belongs_together(self, town: Town, clerk: httpx2.AsyncClient) -> None:
        correlation = str(uuid4())
        response = await clerk.post("/notices", json=body(), headers=key("k1", X_Correlation_Id=correlation))
        facts, _ = await town.log.after(0, 10)
        assert response.headers["x-correlation-id"] == correlation
        assert [(str(fact.correlation), fact.actor, fact.tenant) for fact in facts] == [
            (correlation, "clerk-1", "620724")
        ]


class TestRights:
    async def test_another_towns_stream_looks_absent(self, town: Town, clerk: httpx2.AsyncClient) -> None:
        notice = await post(clerk)
        async with town.client(at=ELSEWHERE) as foreign:
            for method, path, sent in (("GET", "", None), ("POST", "/take-down", {"reason": "x"})):
                answers = [
                    await foreign.request(method, f"/notices/{which}{path}", json=sent, headers=key("k9"))
                    for which in (notice, uuid4())
                ]
                assert answers[0].status_code == 404
                assert without_correlation(answers[0]) == without_correlation(answers[1])
        assert await town.facts() == 1

    async def test_another_countys_stream_looks_absent(self, town: Town, clerk: httpx2.AsyncClient) -> None:
        notice = await post(clerk)
        async with town.client(role="sys-admin", at="620725") as foreign:
            assert (await foreign.get(f"/notices/{notice}")).status_code == 404

    async def test_a_role_without_the_right_is_told_so(self, town: Town, clerk: httpx2.AsyncClient) -> None:
        notice = await post(clerk)
        async with town.client(role="auditor") as auditor:
            response = await auditor.get(f"/notices/{notice}")
            assert (response.status_code, response.json()["code"]) == (403, "forbidden")
            assert (await auditor.get("/notices")).status_code == 403

    async def test_nothing_is_opened_for_a_foreign_organ(self, town: Town, clerk: httpx2.AsyncClient) -> None:
        response = await clerk.post("/notices", json=body(organ=OFFICE_ELSEWHERE), headers=key("k1"))
        assert (response.status_code, response.json()["code"]) == (404, "not-found")
        assert await town.facts() == 0
