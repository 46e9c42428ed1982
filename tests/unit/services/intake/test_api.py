"""The routes of intake over a log and keys in memory."""

from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from eventlog.memory_keys import MemoryKeys
from eventlog.sealed import Clear, Sealed
from facts.intake.submission import SubmissionReceived, SubmissionWithdrawn
from services.intake import contexts
from services.intake.api import calendars, divisions, issues, submissions
from tests.unit.services.desk import Desk, json_of, open_desk
from web.messages import Messages
from web.testing import codes_raised_in, wrong_examples

TOWN, VILLAGE, ELSEWHERE = "620724100", "620724100701", "620724101"
ORGAN = f"{VILLAGE}.village-committee"
SERVICE = Path(contexts.__file__).parent
CLERK = {"role": "village-clerk", "at": TOWN}
SECRETARY = {"role": "town-secretary", "at": TOWN}
SAID: dict[str, Any] = {
    "organ": ORGAN,
    "channel": "visit",
    "words": "路灯坏了三天",
    "name": "张三",
    "phone": "13800000000",
}
RAISED: dict[str, Any] = {"organ": ORGAN, "headline": "村口路灯", "category": "livelihood"}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    routers = [divisions.router, calendars.router, submissions.router, issues.router]
    async with open_desk("intake", SERVICE / "messages.toml", routers, contexts.register, tmp_path) as desk:
        yield desk


async def submitted(desk: Desk, **more: Any) -> str:
    created = json_of(await desk.post("/submissions", {**SAID, **more}, **CLERK))
    assert created["matter"].startswith("620724-")
    return str(created["id"])


async def raised(desk: Desk, **more: Any) -> str:
    return str(json_of(await desk.post("/issues", {**RAISED, **more}, **CLERK))["id"])


class TestCalendar:
    table: Mapping[str, Any] = {"rest": [{"first": "2026-10-01", "last": "2026-10-07"}], "work": ["2026-10-10"]}
    said: Mapping[str, Any] = {**table, "source": "国办发明电〔2025〕7号"}
    admin: Mapping[str, str] = {"role": "sys-admin", "at": "620724"}

    async def test_is_published_and_corrected_by_the_county(self, desk: Desk) -> None:
        assert json_of(await desk.post("/calendars", {**self.said, "year": 2026}, **self.admin))["id"] == "2026"
        shown = json_of(await desk.get("/calendars/2026", **CLERK))
        assert shown == {"year": 2026, "table": self.table, "source": self.said["source"]}
        corrected: Mapping[str, Any] = {"rest": self.table["rest"], "work": [], "source": "更正"}
        json_of(await desk.post("/calendars/2026/correct", corrected, **self.admin))
        assert json_of(await desk.get("/calendars/2026", **CLERK))["table"]["work"] == []
        facts, _ = await desk.log.after(0, 10)
        assert {(fact.organ, fact.published) for fact in facts} == {("620724.county-government", True)}

    async def test_is_nobody_elses(self, desk: Desk) -> None:
        answer = await desk.post("/calendars", {**self.said, "year": 2026}, role="town-officer", at=TOWN)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
        json_of(await desk.post("/calendars", {**self.said, "year": 2026}, **self.admin))
        assert (await desk.post("/calendars/2026/correct", self.said, **CLERK)).status_code == 404

    async def test_of_another_county_is_another(self, desk: Desk) -> None:
        json_of(await desk.post("/calendars", {**self.said, "year": 2026}, **self.admin))
        answer = await desk.get("/calendars/2026", role="sys-admin", at="620725")
        assert answer.status_code == 404

    @pytest.mark.parametrize("year", ["1899", "2201", "+2026", "２０２６", "soon"])
    async def test_is_of_a_year(self, desk: Desk, year: str) -> None:
        assert (await desk.get(f"/calendars/{year}", **self.admin)).status_code == 422


class TestReceiving:
    async def test_seals_words_name_and_phone_under_the_person(self, desk: Desk) -> None:
        await submitted(desk)
        [stored], _ = await desk.log.after(0, 10)
        fact = stored.read().data
        assert isinstance(fact, SubmissionReceived)
        assert fact.submitter is not None
        assert "张三" not in stored.json
        assert "路灯" not in stored.json
        assert fact.words.key_id == fact.submitter.person
        assert await desk.keys.open("620724", fact.words) == Clear("路灯坏了三天")

    async def test_seals_place_and_reason_of_withdrawal_under_the_same_key(self, desk: Desk) -> None:
        key = await submitted(desk, place="三社张家门口")
        json_of(await desk.post(f"/submissions/{key}/withdraw", {"reason": "张三说错了"}, **CLERK))
        (received, withdrawn), _ = await desk.log.after(0, 10)
        said, why = received.read().data, withdrawn.read().data
        assert isinstance(said, SubmissionReceived)
        assert isinstance(why, SubmissionWithdrawn)
        assert said.place is not None
        assert said.place.key_id == why.reason.key_id == said.words.key_id
        assert "张" not in received.json + withdrawn.json
        assert await desk.keys.open("620724", why.reason) == Clear("张三说错了")

    async def test_without_a_name_is_anonymous_and_still_sealed(self, desk: Desk) -> None:
        await submitted(desk, name=None, phone=None)
        [stored], _ = await desk.log.after(0, 10)
        fact = stored.read().data
        assert isinstance(fact, SubmissionReceived)
        assert fact.submitter is None
        assert fact.words.key_id == fact.submission_id

    async def test_of_another_system_is_known_by_its_reference(self, desk: Desk) -> None:
        origin = {"system": "letters", "reference": "7"}
        await submitted(desk, origin=origin)
        again = await desk.post("/submissions", {**SAID, "origin": origin}, **CLERK)
        assert (again.status_code, again.json()["code"]) == (409, "submission-exists")

    async def test_what_was_said_in_the_future_is_refused(self, desk: Desk) -> None:
        answer = await desk.post("/submissions", {**SAID, "said_at": "2199-01-01T00:00:00+08:00"}, **CLERK)
        assert (answer.status_code, answer.json()["code"]) == (409, "occurred-in-future")

    async def test_of_another_town_looks_absent(self, desk: Desk) -> None:
        key = await submitted(desk)
        answer = await desk.get(f"/submissions/{key}", role="village-clerk", at=ELSEWHERE)
        assert answer.status_code == 404


class CountedKeys(MemoryKeys):
    """Knows what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.sealed: list[str] = []
        self.under: list[UUID] = []

    async def seal(self, tenant: str, key_id: UUID, kind: str, text: str) -> Sealed[str]:
        self.sealed.append(kind)
        self.under.append(key_id)
        return await super().seal(tenant, key_id, kind, text)


class TestWhoMayNot:
    """Nobody has a key made who may not say it here."""

    AUDITOR: Mapping[str, str] = {"role": "auditor", "at": TOWN}

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/submissions", SAID),
            ("/issues", RAISED),
            ("/issues/{issue}/reply", {"reply": "已更换灯头。"}),
            ("/submissions/{submission}/withdraw", {"reason": "重复"}),
        ],
    )
    async def test_makes_no_key(self, desk: Desk, path: str, body: Mapping[str, object]) -> None:
        there = {"issue": await raised(desk), "submission": await submitted(desk)}
        desk.app.state.keys = keys = CountedKeys()
        answer = await desk.post(path.format(**there), body, **self.AUDITOR)
        assert (answer.status_code, keys.sealed) == (403, [])

    async def test_makes_no_key_by_a_file(self, desk: Desk) -> None:
        desk.app.state.keys = keys = CountedKeys()
        answer = await desk.upload(TestImporting.PATH, TestImporting.FILE.encode(), **CLERK)
        assert (answer.status_code, keys.sealed) == (403, [])


async def asked_again(
    desk: Desk, path: str, body: Mapping[str, object], at: str
) -> tuple[httpx2.Response, httpx2.Response]:
    """Send a clerk's request, and send it again, the clerk being at ``at`` by now; return both answers."""
    headers = desk.headers("li", **CLERK)
    again = {**desk.headers("li", "village-clerk", at), "Idempotency-Key": headers["Idempotency-Key"]}
    first = await desk.client.post(path, json=body, headers=headers)
    assert first.is_success
    return first, await desk.client.post(path, json=body, headers=again)


class TestRepeated:
    """What was answered is answered again, whatever became of the right to ask for it, or of the keys."""

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/submissions", SAID),
            ("/issues", RAISED),
            ("/issues/{issue}/reply", {"reply": "已更换灯头。"}),
            ("/submissions/{submission}/withdraw", {"reason": "重复"}),
        ],
    )
    async def test_by_one_whose_role_has_moved(self, desk: Desk, path: str, body: Mapping[str, object]) -> None:
        there = {"issue": await raised(desk), "submission": await submitted(desk)}
        for step, said, who in TestAnIssue.TO_A_DEPARTMENT:
            json_of(await desk.post(f"/issues/{there['issue']}/{step}", said, **who))
        first, again = await asked_again(desk, path.format(**there), body, ELSEWHERE)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["ETag"] == first.headers["ETag"]
        other = await desk.post(path.format(**there), body, who="li", role="village-clerk", at=ELSEWHERE)
        assert other.status_code == 404

    async def test_saying_something_else_is_another_request(self, desk: Desk) -> None:
        headers = desk.headers("li", **CLERK)
        moved = {**desk.headers("li", "village-clerk", ELSEWHERE), "Idempotency-Key": headers["Idempotency-Key"]}
        json_of(await desk.client.post("/issues", json=RAISED, headers=headers))
        answer = await desk.client.post("/issues", json={**RAISED, "headline": "水渠"}, headers=moved)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")

    async def test_makes_no_second_key_for_a_published_text(self, desk: Desk) -> None:
        desk.app.state.keys = keys = CountedKeys()
        await asked_again(desk, "/issues", RAISED, TOWN)
        assert keys.under == [keys.under[0]] * 2

    async def test_after_the_erasure_of_who_said_it(self, desk: Desk) -> None:
        headers = desk.headers("li", **CLERK)
        first = await desk.client.post("/submissions", json=SAID, headers=headers)
        shown = json_of(await desk.get(f"/submissions/{first.json()['id']}", **CLERK))
        await desk.keys.destroy("620724", UUID(shown["subject"]))
        again = await desk.client.post("/submissions", json=SAID, headers=headers)
        assert (again.status_code, again.content) == (201, first.content)

    async def test_of_a_file_after_the_erasure_of_who_is_in_it(self, desk: Desk) -> None:
        headers = {**desk.headers("li", "town-officer", TOWN), "Content-Type": "text/csv"}
        path, file = TestImporting.PATH, TestImporting.FILE.encode()
        first = json_of(await desk.client.post(path, content=file, headers=headers))
        shown = json_of(await desk.get(f"/submissions/{first['rows'][0]['submission_id']}", **CLERK))
        await desk.keys.destroy("620724", UUID(shown["subject"]))
        assert json_of(await desk.client.post(path, content=file, headers=headers)) == first


class TestImporting:
    FILE = "编号,主题,内容,时间,姓名\n1,路灯,坏了,2019/2/28 11:25:05,A1\n,无号,话,,A2\n3,路,泥,去年,A3\n4,水,停了,,\n"
    PATH = f"/submissions/import?organ={ORGAN}&system=letters"

    async def test_takes_or_refuses_each_row_on_its_own(self, desk: Desk) -> None:
        told = json_of(await desk.upload(self.PATH, self.FILE.encode(), role="town-officer", at=TOWN))
        assert (told["accepted"], told["repeated"], told["refused"]) == (2, 0, 2)
        assert [(row["row"], row["outcome"], row["code"]) for row in told["rows"]] == [
            (2, "accepted", None),
            (3, "refused", "row-reference"),
            (4, "refused", "row-said-at"),
            (5, "accepted", None),
        ]

    async def test_adds_nothing_the_second_time(self, desk: Desk) -> None:
        await desk.upload(self.PATH, self.FILE.encode(), role="town-officer", at=TOWN)
        before = await desk.log.after(0, 100)
        told = json_of(await desk.upload(self.PATH, self.FILE.encode(), role="town-officer", at=TOWN))
        assert (told["accepted"], told["repeated"], told["refused"]) == (0, 2, 2)
        assert await desk.log.after(0, 100) == before

    async def send(self, desk: Desk, rows: str, *, key: str = "k1", path: str = PATH, at: str = TOWN) -> Any:
        """What became of each row, by its code or its outcome."""
        headers = desk.headers("officer", "town-officer", at) | {"Idempotency-Key": key, "Content-Type": "text/csv"}
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(desk.app), base_url="http://desk") as client:
            told = json_of(await client.post(path, content=f"编号,内容\n{rows}".encode(), headers=headers))
        return [row["code"] or row["outcome"] for row in told["rows"]]

    async def test_refuses_a_reference_that_comes_twice_in_a_file(self, desk: Desk) -> None:
        assert await self.send(desk, "1,路\n2,水\n1,灯\n") == ["accepted", "accepted", "row-reference-twice"]

    async def test_another_file_under_the_same_key_is_held_to_its_rows(self, desk: Desk) -> None:
        assert await self.send(desk, "1,路\n2,水\n") == ["accepted", "accepted"]
        assert await self.send(desk, "3,灯\n2,水\n1,桥\n") == ["accepted", "accepted", "row-changed"]
        assert len((await desk.log.after(0, 100))[0]) == 3

    async def test_two_towns_may_use_the_same_number(self, desk: Desk) -> None:
        assert await self.send(desk, "1,路\n") == ["accepted"]
        there = f"/submissions/import?organ={ELSEWHERE}.town-government&system=letters"
        assert await self.send(desk, "1,桥\n", path=there, at=ELSEWHERE) == ["accepted"]

    async def test_a_record_of_another_body_of_the_town_is_refused_alone(self, desk: Desk) -> None:
        assert await self.send(desk, "1,路\n", path=self.PATH.replace(ORGAN, f"{TOWN}.town-government")) == ["accepted"]
        assert await self.send(desk, "1,路\n2,水\n", key="k2", at=VILLAGE) == ["row-elsewhere", "accepted"]

    async def test_is_not_for_a_clerk(self, desk: Desk) -> None:
        answer = await desk.upload(self.PATH, self.FILE.encode(), **CLERK)
        assert answer.status_code == 403


class TestAnIssue:
    TO_A_DEPARTMENT: tuple[tuple[str, dict[str, object], dict[str, str]], ...] = (
        ("classify", {"category": "livelihood", "key": True}, CLERK),
        ("admit", {"clause": "D07"}, CLERK),
        ("approve", {}, SECRETARY),
        ("route", {"route": "department"}, CLERK),
    )

    async def test_travels_to_a_recorded_reply(self, desk: Desk) -> None:
        key = await raised(desk, submissions=[await submitted(desk)])
        steps: tuple[tuple[str, dict[str, object], dict[str, str]], ...] = (
            *self.TO_A_DEPARTMENT,
            ("reply", {"reply": "已更换灯头。"}, CLERK),
            ("inform", {}, CLERK),
            ("close", {}, CLERK),
        )
        for step, body, who in steps:
            json_of(await desk.post(f"/issues/{key}/{step}", body, **who))
        shown = json_of(await desk.get(f"/issues/{key}", **CLERK))
        assert (shown["status"], shown["headline"], shown["category"]) == ("closed", "村口路灯", "livelihood")

    async def test_names_only_submissions_that_stand_here(self, desk: Desk) -> None:
        stranger = "01931c5e-7a52-7c3a-9f0d-6f2f1b6f0a11"
        answer = await desk.post("/issues", {**RAISED, "submissions": [stranger]}, **CLERK)
        assert (answer.status_code, answer.json()["code"]) == (409, "submissions-not-standing")

    async def test_is_approved_by_a_secretary_only(self, desk: Desk) -> None:
        key = await raised(desk)
        await desk.post(f"/issues/{key}/admit", {"clause": "D07"}, **CLERK)
        assert (await desk.post(f"/issues/{key}/approve", {}, **CLERK)).status_code == 403

    async def test_is_withdrawn_with_a_reason(self, desk: Desk) -> None:
        key = await raised(desk)
        json_of(await desk.post(f"/issues/{key}/withdraw", {"reason": "已修好"}, **CLERK))
        assert json_of(await desk.get(f"/issues/{key}", **CLERK))["status"] == "withdrawn"

    async def test_refused_is_told_why_and_where_to(self, desk: Desk) -> None:
        key = await raised(desk)
        json_of(
            await desk.post(f"/issues/{key}/refuse", {"clause": "X03", "redirect": "法院", "remedy": "起诉"}, **CLERK)
        )
        assert json_of(await desk.get(f"/issues/{key}", **CLERK))["status"] == "refused"


class TestSubmissions:
    async def test_are_merged_and_withdrawn(self, desk: Desk) -> None:
        first, second = await submitted(desk), await submitted(desk)
        json_of(await desk.post(f"/submissions/{second}/merge", {"into": first}, **CLERK))
        shown = json_of(await desk.get(f"/submissions/{second}", **CLERK))
        assert (shown["status"], shown["merged_into"]) == ("merged", first)
        json_of(await desk.post(f"/submissions/{second}/withdraw", {"reason": "重复"}, **CLERK))
        assert json_of(await desk.get(f"/submissions/{second}", **CLERK))["status"] == "withdrawn"


async def test_divisions_and_organs_are_registered_once(desk: Desk) -> None:
    body = {"division": TOWN, "name": "某镇", "kind": "town", "valid_from": "2024-01-01"}
    admin = {"role": "sys-admin", "at": "620724"}
    json_of(await desk.post("/divisions", body, **admin))
    assert (await desk.post("/divisions", body, **admin)).json()["code"] == "division-exists"
    office = {"organ": f"{TOWN}.town-government", "kind": "town-government", "division": TOWN, "name": "某镇人民政府"}
    json_of(await desk.post("/organs", {**office, "valid_from": "2024-01-01"}, **admin))


def test_every_code_is_a_sentence_in_both_languages() -> None:
    sentences = Messages.load(SERVICE / "messages.toml").codes() - Messages.load().codes()
    assert sentences == codes_raised_in(SERVICE)


async def test_every_body_has_an_example_its_own_model_takes(desk: Desk) -> None:
    assert wrong_examples(desk.app) == []
