"""Erasing over HTTP: the key is gone before it is said to be, whoever asks twice is told the same, few may ask."""

from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import UUID

import pytest

from eventlog.erasure import Erased, EraseSubject, Reason, SubjectErased, erasure
from eventlog.errors import Rejected
from eventlog.keys import DIGESTS, Standing
from eventlog.memory_keys import MemoryKeys
from eventlog.sealed import Clear
from eventlog.sealed import Erased as Gone
from eventlog.testing import Scenario
from services.intake import contexts
from services.intake.api import submissions
from tests.unit.services.desk import Desk, json_of, open_desk
from web import erasing
from web.testing import wrong_examples

COUNTY, SUBJECT = "620724", UUID("01931c5e-7a52-7c3a-9f0d-6f2f1b6f0a11")
OFFICER = {"role": "privacy-officer", "at": COUNTY}
ASKED = {"subject": str(SUBJECT), "reason": "asked"}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    messages = Path(contexts.__file__).with_name("messages.toml")
    routers = [erasing.router, submissions.router]
    async with open_desk("intake", messages, routers, contexts.register, tmp_path) as desk:
        yield desk


async def standing(desk: Desk) -> str:
    return str(json_of(await desk.get(f"/erasures/{SUBJECT}", **OFFICER))["key"])


class TestErasing:
    async def test_destroys_the_key_and_keeps_who_had_it_done_and_why(self, desk: Desk) -> None:
        sealed = await desk.keys.seal(COUNTY, SUBJECT, "words", "路灯坏了")
        assert await standing(desk) == Standing.THERE
        answer = await desk.post("/erasures", ASKED, who="officer-li", **OFFICER)
        assert (answer.status_code, answer.json()) == (201, {"id": str(SUBJECT), "matter": None})
        assert await desk.keys.open(COUNTY, sealed) == Gone()
        assert await standing(desk) == Standing.DESTROYED
        [fact], _ = await desk.log.after(0, 10)
        assert fact.read().data == SubjectErased(subject=SUBJECT, reason=Reason.ASKED)
        assert (fact.actor, fact.published, "Shangyi-Position" in answer.headers) == ("officer-li", False, False)

    async def test_reaches_where_nothing_was_sealed_yet(self, desk: Desk) -> None:
        assert await standing(desk) == Standing.NONE
        json_of(await desk.post("/erasures", ASKED, **OFFICER))
        with pytest.raises(Rejected, match="key-destroyed"):
            await desk.keys.seal(COUNTY, SUBJECT, "words", "路灯坏了")

    async def test_again_is_refused_and_destroys_what_a_backup_brought_back(self, desk: Desk) -> None:
        json_of(await desk.post("/erasures", ASKED, **OFFICER))
        desk.app.state.keys = desk.keys = MemoryKeys()
        sealed = await desk.keys.seal(COUNTY, SUBJECT, "words", "路灯坏了")
        answer = await desk.post("/erasures", ASKED, **OFFICER)
        assert (answer.status_code, answer.json()["code"]) == (409, "subject-erased")
        assert await desk.keys.open(COUNTY, sealed) == Gone()

    async def test_repeated_gives_the_same_answer(self, desk: Desk) -> None:
        headers = desk.headers("officer-li", **OFFICER)
        first = await desk.client.post("/erasures", json=ASKED, headers=headers)
        again = await desk.client.post("/erasures", json=ASKED, headers=headers)
        assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)

    @pytest.mark.parametrize(
        ("role", "at"), [("sys-admin", COUNTY), ("town-officer", "620724103"), ("auditor", COUNTY)]
    )
    async def test_is_for_the_privacy_officer_alone(self, desk: Desk, role: str, at: str) -> None:
        sealed = await desk.keys.seal(COUNTY, SUBJECT, "words", "路灯坏了")
        asked = await desk.post("/erasures", ASKED, role=role, at=at)
        looked = await desk.get(f"/erasures/{SUBJECT}", role=role, at=at)
        assert {asked.status_code, looked.status_code} <= {403, 404}
        assert await desk.keys.open(COUNTY, sealed) == Clear("路灯坏了")

    async def test_of_the_key_of_digests_ends_no_county(self, desk: Desk) -> None:
        json_of(await desk.post("/erasures", {**ASKED, "subject": str(DIGESTS)}, **OFFICER))
        json_of(await desk.post("/erasures", ASKED, **OFFICER))

    async def test_reaches_no_other_county(self, desk: Desk) -> None:
        sealed = await desk.keys.seal(COUNTY, SUBJECT, "words", "路灯坏了")
        json_of(await desk.post("/erasures", ASKED, role="privacy-officer", at="620725"))
        assert await desk.keys.open(COUNTY, sealed) == Clear("路灯坏了")

    @pytest.mark.parametrize(
        "body", [{"subject": "张三", "reason": "asked"}, {**ASKED, "reason": "张三要求"}, {"subject": str(SUBJECT)}]
    )
    async def test_takes_no_name_and_no_words(self, desk: Desk, body: dict[str, str]) -> None:
        answer = await desk.post("/erasures", body, **OFFICER)
        assert answer.status_code == 422
        assert "张三" not in answer.text

    async def test_shows_an_example_its_own_model_takes(self, desk: Desk) -> None:
        assert wrong_examples(desk.app) == []


class TestAnErasedPerson:
    async def test_is_not_brought_back_by_the_file_they_came_with(self, desk: Desk) -> None:
        """The same row of the same file is the same person."""
        clerk = {"role": "town-officer", "at": "620724103"}
        path = "/submissions/import?organ=620724103.town-government&system=letters"
        rows = "编号,内容,姓名\n7,路灯坏了,张三\n".encode()
        [row] = json_of(await desk.upload(path, rows, **clerk))["rows"]
        shown = json_of(await desk.get(f"/submissions/{row['submission_id']}", **clerk))
        body = {"subject": shown["subject"], "reason": "asked"}
        json_of(await desk.post("/erasures", body, **OFFICER))
        [again] = json_of(await desk.upload(path, rows, **clerk))["rows"]
        assert (again["outcome"], again["code"]) == ("refused", "key-destroyed")


def test_a_subject_is_erased_once() -> None:
    command = EraseSubject(subject=SUBJECT, reason=Reason.ORDERED)
    Scenario(erasure).when(command).then(SubjectErased(subject=SUBJECT, reason=Reason.ORDERED))
    gone = Scenario(erasure).given(SubjectErased(subject=SUBJECT, reason=Reason.ASKED))
    assert gone.state == Erased()
    gone.when(command).then_rejected("subject-erased")
