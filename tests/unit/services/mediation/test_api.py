"""The routes of mediation over a log and keys in memory: a case all the way, and who is shown what is sealed."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from uuid import UUID, uuid4

import httpx2
import pytest

from eventlog.decider import Actor
from eventlog.facts import StreamId
from eventlog.handler import Opening, Request
from services.mediation import contexts
from services.mediation.api import cases, committees
from services.mediation.domain.case import OpenCase, case
from tests.unit.services.desk import Desk
from vocabulary.calendar import day_of
from vocabulary.kinds import DisputeSource, DisputeType
from web.testing import wrong_examples

TOWN, VILLAGE, ELSEWHERE = "620724100", "620724100701", "620724100702"
ORGAN = f"{VILLAGE}.mediation-committee"
MESSAGES = Path(contexts.__file__).with_name("messages.toml")
NAMES = {"李某", "王某"}


class Door(Desk):
    """The desk of mediation: where nobody else is named, Chen asks, a mediator of the village."""

    def __init__(self, keys_dir: Path) -> None:
        super().__init__("mediation", MESSAGES, [committees.router, cases.router], keys_dir)
        contexts.register(self.contexts)

    async def ask(
        self,
        path: str,
        body: Mapping[str, object] | None = None,
        who: str = "chen",
        role: str = "mediator",
        at: str = VILLAGE,
    ) -> httpx2.Response:
        return await self.post(path, body, who=who, role=role, at=at)

    async def done(
        self, path: str, body: Mapping[str, object], who: str = "chen", role: str = "mediator", at: str = VILLAGE
    ) -> httpx2.Response:
        answer = await self.ask(path, body, who, role, at)
        assert answer.status_code in {201, 204}, answer.text
        return answer

    async def show(self, case_id: str, who: str = "chen", role: str = "mediator", at: str = VILLAGE) -> httpx2.Response:
        return await self.get(f"/cases/{case_id}", who=who, role=role, at=at)

    async def reads(self, case_id: str) -> list[str]:
        """Who was shown the names of a case, in order."""
        return [fact.actor for fact in await self.log.stream(VILLAGE[:6], StreamId("access", case_id))]

    async def open(self, role: str = "mediator", source: str = "applied") -> str:
        body = {"organ": ORGAN, "source": source, "dispute": "neighbour", "words": "院墙占了我家的地。"}
        opened: str = (await self.done("/cases", body, role=role)).json()["id"]
        return opened

    async def assigned(self) -> tuple[str, list[str]]:
        """A case with two consenting parties, their rights told, accepted, with Chen as mediator."""
        case_id = await self.open()
        persons: list[str] = []
        for name in sorted(NAMES):
            answer = await self.done(f"/cases/{case_id}/parties", {"name": name})
            persons.append(answer.json()["person"])
            await self.done(f"/cases/{case_id}/consent", {"person": persons[-1], "given": True})
        await self.done(f"/cases/{case_id}/rights", {})
        director = ("ma", "mediation-director")
        await self.done(f"/cases/{case_id}/accept", {"pending_elsewhere": False}, *director)
        await self.done(f"/cases/{case_id}/mediator", {"mediator": "chen", "disclosed": True}, *director)
        return case_id, persons

    async def agreed(self) -> str:
        """As above, with an agreement to be performed today."""
        case_id, _ = await self.assigned()
        today = day_of(await self.log.now()).isoformat()
        await self.done(f"/cases/{case_id}/hold", {})
        terms = {"written": True, "terms": "王某三日内拆墙。", "perform_by": today}
        await self.done(f"/cases/{case_id}/agreement", terms)
        return case_id


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Door]:
    door = Door(tmp_path)
    yield door
    await door.close()


class TestACase:
    async def test_is_settled_performed_and_closed(self, desk: Door) -> None:
        case_id = await desk.agreed()
        await desk.done(f"/cases/{case_id}/performance", {})
        await desk.done(f"/cases/{case_id}/close", {})
        shown = (await desk.show(case_id)).json()
        assert (shown["status"], shown["mediator"], shown["source"]) == ("closed", "chen", "applied")
        assert shown["matter"] is not None

    async def test_a_breach_is_made_good(self, desk: Door) -> None:
        case_id = await desk.agreed()
        await desk.done(f"/cases/{case_id}/breach", {})
        assert (await desk.show(case_id)).json()["status"] == "breached"
        await desk.done(f"/cases/{case_id}/performance", {})
        assert (await desk.show(case_id)).json()["status"] == "performed"

    async def test_fails_with_remedies_told(self, desk: Door) -> None:
        case_id, _ = await desk.assigned()
        await desk.done(f"/cases/{case_id}/fail", {"reason": "positions-apart", "remedies_told": True})
        assert (await desk.show(case_id)).json()["status"] == "failed"

    async def test_a_party_withdraws(self, desk: Door) -> None:
        case_id, (person, _) = await desk.assigned()
        await desk.done(f"/cases/{case_id}/withdraw", {"person": person, "remedies_told": True})
        assert (await desk.show(case_id)).json()["status"] == "failed"

    async def test_a_refusal_declines_it(self, desk: Door) -> None:
        case_id = await desk.open()
        person = (await desk.done(f"/cases/{case_id}/parties", {"name": "李某"})).json()["person"]
        await desk.done(f"/cases/{case_id}/consent", {"person": person, "given": False})
        assert (await desk.show(case_id)).json()["status"] == "declined"

    async def test_is_performed_in_time_though_recorded_late(self, desk: Door) -> None:
        case_id = await desk.agreed()
        in_time = (await desk.log.now()).isoformat()
        await desk.done(f"/cases/{case_id}/performance", {"performed_at": in_time})
        (*_, last) = await desk.log.stream(VILLAGE[:6], StreamId("case", case_id))
        assert (last.name, last.occurred_at.isoformat()) == ("case-agreement-performed", in_time)

    async def test_shows_no_name_of_a_party_who_was_erased_and_all_else(self, desk: Door) -> None:
        case_id, (person, _) = await desk.assigned()
        await desk.keys.destroy(VILLAGE[:6], UUID(person))
        shown = (await desk.show(case_id)).json()
        assert [party["name"] for party in shown["parties"]] == ["[已删除]", sorted(NAMES)[1]]
        assert shown["words"] == "院墙占了我家的地。"

    async def test_names_stand_nowhere_in_clear(self, desk: Door) -> None:
        case_id = await desk.agreed()
        history = "".join(fact.json for fact in await desk.log.stream(VILLAGE[:6], StreamId("case", case_id)))
        assert not [words for words in (*NAMES, "院墙", "拆墙") if words in history]


class TestWhoMay:
    async def test_a_resident_applies_and_nothing_else(self, desk: Door) -> None:
        body = {"organ": ORGAN, "source": "applied", "dispute": "neighbour", "words": "院墙"}
        resident = ("li", "resident")
        case_id = (await desk.done("/cases", body, *resident)).json()["id"]
        court = await desk.ask("/cases", {**body, "source": "court"}, *resident)
        assert (court.status_code, court.json()["code"]) == (409, "case-source-not-applied")
        accept = await desk.ask(f"/cases/{case_id}/accept", {"pending_elsewhere": False}, *resident)
        assert accept.status_code == 403

    async def test_another_mediator_does_not_act(self, desk: Door) -> None:
        case_id, _ = await desk.assigned()
        answer = await desk.ask(f"/cases/{case_id}/hold", {}, "sun")
        assert (answer.status_code, answer.json()["code"]) == (409, "not-the-assigned-mediator")

    async def test_another_village_finds_nothing_and_makes_no_key(self, desk: Door) -> None:
        case_id = await desk.open()
        bodies: dict[str, dict[str, object]] = {
            "parties": {"name": "李某"},
            "agreement": {"written": True, "terms": "……", "perform_by": "2026-03-02"},
            "accept": {"pending_elsewhere": False},
        }
        for path, body in bodies.items():
            answer = await desk.ask(f"/cases/{case_id}/{path}", body, "ma", "mediation-director", ELSEWHERE)
            assert answer.status_code == 404
        assert (await desk.show(case_id, at=ELSEWHERE)).status_code == 404

    async def test_a_withdrawal_is_not_a_failure(self, desk: Door) -> None:
        case_id, _ = await desk.assigned()
        answer = await desk.ask(f"/cases/{case_id}/fail", {"reason": "party-withdrew", "remedies_told": True})
        assert answer.status_code == 422


class TestShowCase:
    """Names are opened to the assigned mediator and to the director of the case's own division: a recorded read."""

    async def test_opens_to_the_mediator_and_the_director(self, desk: Door) -> None:
        case_id = await desk.agreed()
        before = (await desk.show(case_id, "sun")).headers["ETag"]
        for who, role in (("chen", "mediator"), ("ma", "mediation-director")):
            answer = await desk.show(case_id, who, role)
            shown = answer.json()
            assert {party["name"] for party in shown["parties"]} == NAMES
            assert shown["words"] == "院墙占了我家的地。"
            assert shown["agreement"]["terms"] == "王某三日内拆墙。"
            assert answer.headers["ETag"] == before
        assert await desk.reads(case_id) == ["chen", "ma"]

    @pytest.mark.parametrize(
        ("who", "role", "at"),
        [
            ("sun", "mediator", VILLAGE),
            ("zhou", "justice-officer", TOWN),
            ("ma", "mediation-director", TOWN),
        ],
        ids=["another-mediator", "justice-office", "the-town's-director"],
    )
    async def test_stays_closed_to_others(self, desk: Door, who: str, role: str, at: str) -> None:
        case_id = await desk.agreed()
        shown = (await desk.show(case_id, who, role, at)).json()
        assert {party["name"] for party in shown["parties"]} == {None}
        assert (shown["words"], shown["agreement"]["terms"], shown["status"]) == (None, None, "agreed")
        assert await desk.reads(case_id) == []

    async def test_a_read_is_never_published(self, desk: Door) -> None:
        case_id = await desk.agreed()
        await desk.show(case_id)
        assert [fact.published for fact in await desk.log.stream(VILLAGE[:6], StreamId("access", case_id))] == [False]

    async def test_a_routed_case_has_no_words_yet(self, desk: Door) -> None:
        case_id, issue_id = uuid4(), uuid4()
        command = OpenCase(
            case_id=case_id, issue_id=issue_id, source=DisputeSource.ROUTED, dispute=DisputeType.NEIGHBOUR
        )
        request = Request(
            tenant=VILLAGE[:6],
            actor=Actor(id="reaction/open_routed_case"),
            command_id=uuid4(),
            digest=b"",
            correlation=uuid4(),
            opens=Opening(f"{VILLAGE}.village-committee"),
        )
        await desk.handler.send(case, case_id, command, request)
        shown = (await desk.show(str(case_id), "ma", "mediation-director")).json()
        assert shown == {
            "case_id": str(case_id),
            "issue_id": str(issue_id),
            "matter": None,
            "organ": f"{VILLAGE}.village-committee",
            "status": "opened",
            "source": "routed",
            "dispute": "neighbour",
            "rights_told": False,
            "mediator": None,
            "words": None,
            "parties": [],
            "agreement": None,
        }


async def test_a_committee_is_registered_for_a_term(desk: Door) -> None:
    body = {
        "division": VILLAGE,
        "name": "东联村人民调解委员会",
        "members": [{"person": str(uuid4()), "woman": n == 0} for n in range(3)],
        "term_from": "2026-01-01",
    }
    officer = ("zhou", "justice-officer", TOWN)
    created = (await desk.done("/committees", body, *officer)).json()
    assert created == {"id": VILLAGE, "matter": None}
    again = await desk.ask("/committees", body, *officer)
    assert (again.status_code, again.json()["code"]) == (409, "committee-in-term")
    assert "2028-12-31" in again.json()["title"]
    assert (await desk.ask("/committees", body)).status_code == 403


async def test_the_examples_of_the_document_are_accepted(desk: Door) -> None:
    assert wrong_examples(desk.app) == []
