"""The routes of deliberation, and what follows from them: a topic all the way, and who may do what."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from eventlog.errors import Rejected
from tests.unit.services.deliberation.office import ISSUE, MATTER, ORGAN, TOWN, UNIT, VILLAGE, Office
from vocabulary.calendar import day_of
from vocabulary.kinds import DisputeType, Route
from web.testing import wrong_examples

MEMBERS = [str(UUID(int=n)) for n in range(11, 18)]
PRESIDER, CPPCC = MEMBERS[0], MEMBERS[6]
RECORDER, WANG, LI, ZHAO = (str(UUID(int=n)) for n in range(21, 25))
KINDS = ["first-convener", *["fixed"] * 5, "cppcc"]
SEATS: list[dict[str, object]] = [
    {"person": person, "kind": kind, "woman": person == MEMBERS[1]} for person, kind in zip(MEMBERS, KINDS, strict=True)
]
TWO_MORE: list[dict[str, object]] = [{"person": str(UUID(int=n)), "kind": "fixed", "woman": False} for n in (61, 62)]
PRESENT = [
    (PRESIDER, "fixed-member", None),
    (MEMBERS[1], "fixed-member", None),
    (RECORDER, "guest", None),
    (WANG, "side", "三社"),
    (LI, "side", "施工队"),
]


@pytest.fixture(scope="module")
def keys_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One key signs every token of this file."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
async def office(keys_dir: Path) -> AsyncIterator[Office]:
    office = Office(keys_dir)
    async with office.client:
        yield office


async def committee_stands(office: Office, division: str = VILLAGE, more: Sequence[Mapping[str, object]] = ()) -> None:
    until = day_of(await office.day(700)).isoformat()
    body = {"division": division, "name": "协商议事委员会", "members": [*SEATS, *more], "term_until": until}
    await office.do("officer", "/committees", body)


async def opened(office: Office, dispute: DisputeType | None = None) -> UUID:
    await committee_stands(office)
    key = await office.routed(dispute=dispute)
    await office.do("convener", f"/deliberations/{key}/open")
    return key


async def planned(office: Office, item: UUID, **changes: object) -> str:
    body: dict[str, object] = {
        "committee": VILLAGE,
        "form": "meeting",
        "scale": "micro",
        "agenda": [str(item)],
        "presider": PRESIDER,
        "recorder": RECORDER,
        "sides": ["三社", "施工队"],
        "begins_at": (await office.day(2)).isoformat(),
    }
    created: dict[str, str] = await office.do("convener", "/sessions", {**body, **changes})
    return created["id"]


async def held(office: Office, item: UUID) -> str:
    """A session all the way to its signed minutes."""
    session = await planned(office, item)
    await office.do("convener", f"/sessions/{session}/notice")
    await office.pass_days(2)
    for person, capacity, side in PRESENT:
        body = {"person": person, "capacity": capacity, "side": side}
        await office.do("clerk", f"/sessions/{session}/check-in", body)
    await office.do("convener", f"/sessions/{session}/open")
    words = {"item": str(item), "speaker": WANG, "words": "路雨后泥泞，老人出行不便。"}
    await office.do("clerk", f"/sessions/{session}/statements", words)
    await office.do("clerk", f"/sessions/{session}/waivers", {"side": "施工队"})
    await office.do("convener", f"/sessions/{session}/close")
    await office.do("convener", f"/sessions/{session}/sign", {"signed_by": [PRESIDER, RECORDER, WANG, LI]})
    return session


async def submitted(office: Office, item: UUID, kind: str = "agreement") -> str:
    session = await held(office, item)
    body = {"deliberation_id": str(item), "session_id": session, "kind": kind, "summary": "先铺砂后硬化"}
    created: dict[str, str] = await office.do("convener", "/outcomes", body)
    return created["id"]


async def adopted(office: Office, item: UUID, days: int = 30) -> str:
    """An adopted outcome with one promise of the town; return its commitment."""
    outcome = await submitted(office, item)
    promise = {"what": "铺砂三公里", "unit": UNIT, "due": day_of(await office.day(days)).isoformat()}
    await office.do("secretary", f"/outcomes/{outcome}/adopt", {"promises": [promise]})
    shown = await office.show(f"/outcomes/{outcome}")
    assert (shown["status"], shown["matter"], shown["organ"]) == ("adopted", MATTER, ORGAN)
    (commitment,) = shown["commitments"]
    return str(commitment)


async def last(office: Office) -> tuple[str, dict[str, Any]]:
    stored = (await office.facts())[-1]
    return stored.name, stored.read().data.model_dump(mode="json")


class TestATopic:
    async def test_is_talked_over_and_every_promise_kept(self, office: Office) -> None:
        key = await opened(office)
        commitment = await adopted(office, key)
        shown = await office.show(f"/deliberations/{key}")
        assert (shown["status"], shown["result"], shown["left"]) == ("concluded", "consensus", [commitment])
        await office.do("worker", f"/commitments/{commitment}/complete", {"proof": "照片三张"})
        await office.do("supervisor", f"/commitments/{commitment}/verify")
        assert await last(office) == (
            "deliberation-closed",
            {"deliberation_id": str(key), "issue_id": str(ISSUE), "settled": True},
        )
        assert {fact.matter for fact in await office.facts() if fact.stream.category == "commitment"} == {MATTER}
        assert office.refusals == []

    async def test_without_promises_closes_with_the_adoption(self, office: Office) -> None:
        key = await opened(office, DisputeType.NEIGHBOUR)
        outcome = await submitted(office, key)
        await office.do("secretary", f"/outcomes/{outcome}/adopt", {"partly": True})
        names = await office.names()
        concluding = ["deliberation-concluded", "dispute-resolved-by-deliberation", "deliberation-closed"]
        assert names[-3:] == concluding

    async def test_that_is_referred_goes_back(self, office: Office) -> None:
        key = await opened(office)
        outcome = await submitted(office, key, "referral")
        await office.do("secretary", f"/outcomes/{outcome}/adopt")
        assert (await office.show(f"/deliberations/{key}"))["result"] == "referred"
        assert (await last(office))[1]["settled"] is False

    async def test_may_be_refused_and_submitted_again(self, office: Office) -> None:
        key = await opened(office)
        outcome = await submitted(office, key)
        await office.do("secretary", f"/outcomes/{outcome}/refuse", {"reasons": "资金未落实"})
        assert (await office.show(f"/outcomes/{outcome}"))["status"] == "refused"
        assert (await office.show(f"/deliberations/{key}"))["status"] == "opened"

    @pytest.mark.parametrize("result", ["no-consensus", "referred"])
    async def test_without_consensus_goes_back(self, office: Office, result: str) -> None:
        key = await opened(office)
        consensus = {"result": "consensus"}
        assert await office.refused("convener", f"/deliberations/{key}/conclude", consensus) == (422, "invalid-input")
        await office.do("convener", f"/deliberations/{key}/conclude", {"result": result})
        assert (await last(office))[1]["settled"] is False

    async def test_is_declined_at_once_where_no_committee_stands(self, office: Office) -> None:
        key = await office.routed()
        assert (await office.names()) == ["deliberation-declined"]
        assert (await office.show(f"/deliberations/{key}"))["status"] == "declined"

    async def test_is_taken_by_the_towns_committee_where_the_village_has_none(self, office: Office) -> None:
        await committee_stands(office, TOWN, TWO_MORE)
        key = await office.routed()
        assert (await office.show(f"/deliberations/{key}"))["status"] == "proposed"

    async def test_is_declined_once_the_committees_term_is_over(self, office: Office) -> None:
        await committee_stands(office)
        await office.pass_days(701)
        await office.routed()
        assert (await office.names())[-1] == "deliberation-declined"

    async def test_routed_twice_is_deliberated_twice(self, office: Office) -> None:
        first = await opened(office)
        await office.do("convener", f"/deliberations/{first}/conclude", {"result": "no-consensus"})
        second = await office.routed()
        assert first != second
        assert (await office.show(f"/deliberations/{second}"))["status"] == "proposed"

    async def test_may_be_declined_with_a_reason(self, office: Office) -> None:
        await committee_stands(office)
        key = await office.routed()
        await office.do("convener", f"/deliberations/{key}/decline", {"reason": "非本级事权"})
        assert (await last(office))[1]["reason"] == "非本级事权"


class TestAnAdoptionOvertaken:
    """What happened to the deliberation between the adoption and the reaction to it decides about the promises."""

    async def adopt(self, office: Office, outcome: str) -> str:
        """Adopt with one promise, and leave the reaction for later; return the promise."""
        promise = {"what": "铺砂三公里", "unit": UNIT, "due": day_of(await office.day(30)).isoformat()}
        answer = await office.post("secretary", f"/outcomes/{outcome}/adopt", {"promises": [promise]})
        assert answer.is_success, answer.text
        (commitment,) = (await office.show(f"/outcomes/{outcome}"))["commitments"]
        return str(commitment)

    async def test_by_a_withdrawal_promises_nothing(self, office: Office) -> None:
        key = await opened(office)
        await self.adopt(office, await submitted(office, key))
        await office.withdrawn(Route.DELIBERATION, key)
        assert (await office.show(f"/deliberations/{key}"))["status"] == "cancelled"
        assert "commitment-opened" not in await office.names()
        assert office.codes() == ["deliberation-ended", "commitment-not-awaited"]

    async def test_by_another_conclusion_promises_nothing(self, office: Office) -> None:
        key = await opened(office)
        await self.adopt(office, await submitted(office, key))
        await office.do("convener", f"/deliberations/{key}/conclude", {"result": "no-consensus"})
        assert (await office.show(f"/deliberations/{key}"))["result"] == "no-consensus"
        assert "commitment-opened" not in await office.names()
        assert office.codes() == ["deliberation-ended", "commitment-not-awaited"]

    async def test_by_another_adoption_leaves_only_the_promises_of_the_first(self, office: Office) -> None:
        key = await opened(office)
        session = await held(office, key)
        body = {"deliberation_id": str(key), "session_id": session, "kind": "agreement", "summary": "先铺砂后硬化"}
        one, other = [(await office.do("convener", "/outcomes", body))["id"] for _ in range(2)]
        first = await self.adopt(office, one)
        await self.adopt(office, other)
        await office.rest()
        assert (await office.show(f"/deliberations/{key}"))["left"] == [first]
        assert [fact.stream.key for fact in await office.facts() if fact.name == "commitment-opened"] == [first]
        assert office.codes() == ["deliberation-concluded", "commitment-not-awaited"]


class TestAWithdrawnIssue:
    async def test_cancels_its_deliberation_and_releases_what_was_promised(self, office: Office) -> None:
        key = await opened(office)
        commitment = await adopted(office, key)
        await office.withdrawn(Route.DELIBERATION, key)
        assert (await office.show(f"/deliberations/{key}"))["status"] == "cancelled"
        assert (await office.show(f"/commitments/{commitment}"))["status"] == "cancelled"
        await office.pass_days(60)
        assert "commitment-deadline-missed" not in await office.names()

    async def test_stops_direct_handling(self, office: Office) -> None:
        key = await office.routed(Route.DIRECT_HANDLING)
        await office.withdrawn(Route.DIRECT_HANDLING, key)
        assert (await office.show(f"/commitments/{key}"))["status"] == "cancelled"

    async def test_that_ended_before_changes_nothing(self, office: Office) -> None:
        key = await office.routed()
        await office.withdrawn(Route.DELIBERATION, key)
        (refusal,) = office.refusals
        assert isinstance(refusal, Rejected)
        assert refusal.code == "deliberation-ended"

    async def test_of_other_routes_is_not_ours(self, office: Office) -> None:
        await office.routed(Route.MEDIATION)
        await office.withdrawn(Route.MEDIATION, UUID(int=9))
        assert await office.names() == []


class TestDirectHandling:
    async def test_is_promised_by_the_organ_that_took_it_in(self, office: Office) -> None:
        key = await office.routed(Route.DIRECT_HANDLING)
        shown = await office.show(f"/commitments/{key}")
        assert (shown["status"], shown["unit"], shown["issue_id"], shown["what"]) == ("opened", ORGAN, str(ISSUE), None)
        await office.do("clerk", f"/commitments/{key}/complete", {"proof": "已修好"})
        await office.do("supervisor", f"/commitments/{key}/verify")
        assert await last(office) == (
            "commitment-closed",
            {"commitment_id": str(key), "deliberation_id": None, "issue_id": str(ISSUE)},
        )


class TestACommitment:
    async def test_is_missed_on_its_day_and_the_miss_revoked_by_what_was_done_in_time(self, office: Office) -> None:
        commitment = await adopted(office, await opened(office), days=3)
        in_time = await office.day(1)
        await office.pass_days(5)
        missed = (await office.facts())[-1]
        due = (await office.show(f"/commitments/{commitment}"))["due"]
        assert (missed.name, missed.occurred_at.isoformat().replace("+00:00", "Z")) == (
            "commitment-deadline-missed",
            due,
        )
        proof = {"proof": "照片三张", "done_at": in_time.isoformat()}
        await office.do("worker", f"/commitments/{commitment}/complete", proof)
        assert (await office.names())[-2:] == ["commitment-miss-revoked", "commitment-completed"]
        assert (await office.show(f"/commitments/{commitment}"))["in_time"] is True

    async def test_is_kept_and_rated_with_an_account_as_long_as_may_be(self, office: Office) -> None:
        key = await opened(office)
        commitment = await adopted(office, key)
        await office.do("w" * 255, f"/commitments/{commitment}/complete", {"proof": "照片三张"})
        await office.do("supervisor", f"/commitments/{commitment}/verify")
        survey = (await office.do("convener", "/surveys", {"deliberation_id": str(key), "eligible": 2}))["id"]
        rating = {"rater": ZHAO, "rating": "satisfied"}
        await office.do("clerk", f"/surveys/{survey}/ratings", rating)

    async def test_is_not_kept_by_what_was_done_before_it_was_promised(self, office: Office) -> None:
        before = await office.day(-1)
        commitment = await adopted(office, await opened(office))
        proof = {"proof": "照片三张", "done_at": before.isoformat()}
        early = await office.refused("worker", f"/commitments/{commitment}/complete", proof)
        assert early == (409, "completed-before-promised")

    async def test_may_be_contested(self, office: Office) -> None:
        commitment = await adopted(office, await opened(office))
        await office.do("worker", f"/commitments/{commitment}/complete", {"proof": "照片三张"})
        await office.do("resident", f"/commitments/{commitment}/contest", {"reason": "只铺了一半"})
        assert (await office.show(f"/commitments/{commitment}"))["status"] == "opened"

    async def test_is_neither_completed_nor_verified_by_the_wrong_people(self, office: Office) -> None:
        path = f"/commitments/{await adopted(office, await opened(office))}"
        proof = {"proof": "照片三张"}
        assert await office.refused("clerk", f"{path}/complete", proof) == (409, "commitment-of-another-unit")
        assert await office.refused("supervisor", f"{path}/complete", proof) == (403, "forbidden")
        await office.do("worker", f"{path}/complete", proof)
        assert await office.refused("worker", f"{path}/verify") == (404, "not-found")


class TestASession:
    async def test_without_quorum_is_called_again(self, office: Office) -> None:
        session = await planned(office, await opened(office))
        await office.do("convener", f"/sessions/{session}/notice")
        await office.pass_days(2)
        await office.do("convener", f"/sessions/{session}/open")
        assert (await office.show(f"/sessions/{session}"))["status"] == "quorum-missed"
        in_an_hour = (await office.day() + timedelta(hours=1)).isoformat()
        soon = {"begins_at": in_an_hour, "waived_by": ["三社", "施工队"]}
        await office.do("convener", f"/sessions/{session}/notice", soon)
        assert (await office.show(f"/sessions/{session}"))["status"] == "noticed"

    async def test_meets_on_open_topics_of_its_division_only(self, office: Office) -> None:
        await committee_stands(office)
        with pytest.raises(AssertionError, match="agenda-not-open"):
            await planned(office, await office.routed())

    async def test_needs_a_committee(self, office: Office) -> None:
        with pytest.raises(AssertionError, match="no-committee-in-term"):
            await planned(office, UUID(int=9))

    async def test_shows_who_is_there_and_keeps_their_words_sealed(self, office: Office) -> None:
        session = await held(office, await opened(office))
        assert (await office.show(f"/sessions/{session}"))["status"] == "signed"
        assert "泥泞" not in "".join(fact.json for fact in await office.facts())

    async def test_without_signed_minutes_arrives_at_nothing(self, office: Office) -> None:
        key = await opened(office)
        body = {"deliberation_id": str(key), "kind": "opinion", "summary": "先铺砂", "session_id": str(UUID(int=9))}
        assert await office.refused("convener", "/outcomes", body) == (409, "minutes-not-signed")


class TestASurvey:
    async def test_is_taken_once_a_person_and_never_by_the_handler(self, office: Office) -> None:
        key = await opened(office)
        early = {"deliberation_id": str(key), "eligible": 2}
        assert await office.refused("clerk", "/surveys", early) == (409, "deliberation-not-concluded")
        commitment = await adopted(office, key)
        survey = (await office.do("clerk", "/surveys", early))["id"]
        assert await office.refused("clerk", "/surveys", early) == (409, "survey-exists")
        rating = {"rater": WANG, "rating": "satisfied"}
        await office.do("clerk", f"/surveys/{survey}/ratings", rating)
        assert await office.refused("clerk", f"/surveys/{survey}/ratings", rating) == (409, "rated-already")
        await office.do("worker", f"/commitments/{commitment}/complete", {"proof": "照片三张"})
        await office.do("clerk", f"/surveys/{survey}/ratings", {"rater": ZHAO, "rating": "dissatisfied"})
        await office.do("clerk", f"/surveys/{survey}/close")
        shown = await office.show(f"/surveys/{survey}")
        assert (shown["status"], shown["eligible"], shown["ratings"], shown["matter"]) == ("closed", 2, 2, MATTER)

    async def test_is_not_entered_by_the_unit(self, office: Office) -> None:
        key = await opened(office)
        outcome = await submitted(office, key)
        promise = {"what": "铺砂", "unit": ORGAN, "due": day_of(await office.day(9)).isoformat()}
        await office.do("secretary", f"/outcomes/{outcome}/adopt", {"promises": [promise]})
        survey = (await office.do("convener", "/surveys", {"deliberation_id": str(key), "eligible": 2}))["id"]
        rating = {"rater": WANG, "rating": "satisfied"}
        assert await office.refused("clerk", f"/surveys/{survey}/ratings", rating) == (409, "rated-by-handler")


class TestBodies:
    async def test_a_committee_stands_until_it_is_dissolved(self, office: Office) -> None:
        await committee_stands(office)
        shown = await office.show(f"/committees/{VILLAGE}")
        assert (shown["status"], len(shown["members"])) == ("standing", 7)
        await office.do("officer", f"/committees/{VILLAGE}/dissolve", {"reason": "并村"})
        assert (await office.show(f"/committees/{VILLAGE}"))["status"] == "dissolved"
        await committee_stands(office)
        assert (await office.show(f"/committees/{VILLAGE}"))["status"] == "standing"

    async def test_a_workstation_stands_once_in_a_town(self, office: Office) -> None:
        body = {"division": TOWN, "name": "委员工作站", "head": WANG}
        await office.do("officer", "/workstations", body)
        assert await office.refused("officer", "/workstations", body) == (409, "workstation-exists")
        assert (await office.show(f"/workstations/{TOWN}", "officer"))["head"] == WANG
        await office.do("officer", f"/workstations/{TOWN}/close", {"reason": "合并"})
        assert (await office.show(f"/workstations/{TOWN}", "officer"))["status"] == "closed"


class TestWorkRecords:
    @pytest.mark.parametrize(
        ("path", "body", "kind"),
        [
            ("meetings", {"kind": "party-committee", "topic": "协商", "attendees": 9}, "leadership-meeting-held"),
            ("documents", {"number": 7, "year": 2026, "title": "协商"}, "document-issued"),
            ("learning", {"topic": "协商", "members": [WANG, LI]}, "learning-session-held"),
            ("publicity", {"lead": "cadres", "channel": "公众号", "title": "协商"}, "publicity-recorded"),
        ],
    )
    async def test_are_recorded(self, office: Office, path: str, body: Mapping[str, object], kind: str) -> None:
        created = await office.do("officer", f"/work-records/{path}", {"organ": UNIT, **body})
        shown = await office.show(f"/work-records/{created['id']}", "officer")
        assert (shown["kind"], shown["organ"], shown["title"]) == (kind, UNIT, "协商")

    async def test_a_documents_number_is_given_once_a_year_and_organ(self, office: Office) -> None:
        body: dict[str, object] = {"organ": UNIT, "number": 7, "year": 2026, "title": "实施方案"}
        await office.do("officer", "/work-records/documents", body)
        taken = await office.refused("officer", "/work-records/documents", {**body, "title": "另一个"})
        assert taken == (409, "work-record-exists")
        for other in ({"number": 8}, {"year": 2025}, {"organ": f"{TOWN}.town-party-committee"}):
            await office.do("officer", "/work-records/documents", {**body, **other})

    async def test_an_error_is_withdrawn(self, office: Office) -> None:
        body = {"organ": UNIT, "kind": "cadre-staff", "topic": "协商", "attendees": 9}
        created = await office.do("officer", "/work-records/meetings", body)
        await office.do("officer", f"/work-records/{created['id']}/withdraw", {"reason": "重复登记"})
        shown = await office.show(f"/work-records/{created['id']}", "officer")
        assert (shown["status"], shown["title"]) == ("withdrawn", "协商")

    async def test_keep_the_day_they_were_held(self, office: Office) -> None:
        before = await office.day(-30)
        body = {"organ": UNIT, "kind": "cadre-staff", "topic": "协商", "attendees": 9, "held_at": before.isoformat()}
        await office.do("officer", "/work-records/meetings", body)
        assert (await office.facts())[-1].occurred_at == before


class TestWhoMay:
    async def test_another_village_finds_nothing(self, office: Office) -> None:
        key = await opened(office)
        session = await planned(office, key)
        words = {"item": str(key), "speaker": ZHAO, "words": "……"}
        assert await office.refused("neighbour", f"/deliberations/{key}/open") == (404, "not-found")
        assert await office.refused("neighbour", f"/sessions/{session}/statements", words) == (404, "not-found")
        answer = await office.client.get(f"/deliberations/{key}", headers=office.headers("neighbour"))
        assert answer.status_code == 404

    async def test_a_resident_adopts_nothing(self, office: Office) -> None:
        outcome = await submitted(office, await opened(office))
        assert await office.refused("resident", f"/outcomes/{outcome}/adopt") == (403, "forbidden")


def test_every_example_is_valid(keys_dir: Path) -> None:
    assert wrong_examples(Office(keys_dir).app) == []
