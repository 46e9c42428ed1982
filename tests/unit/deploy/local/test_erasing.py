"""Erasing asks every service that may have something, and says so only where it was done."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from deploy.local.erasing import SERVICES, NotErased, NothingSealed, erase
from deploy.local.person import Person, Refused

SUBJECT = uuid4()


class Officer(Person):
    """Knows what each service has of a subject, and notes which is asked to destroy it."""

    def __init__(self, standings: Mapping[str, str], refusals: Mapping[str, str] | None = None) -> None:
        self.standings = standings
        self.refusals = refusals or {}
        self.asked: list[str] = []

    async def get(self, service: str, path: str, params: Mapping[str, Any] | None = None) -> httpx2.Response:
        return httpx2.Response(200, json={"subject": path.rpartition("/")[2], "key": self.standings[service]})

    async def post(
        self, service: str, path: str, body: Mapping[str, Any] | None = None, key: str | None = None
    ) -> object:
        assert body is not None
        assert UUID(body["subject"]) == SUBJECT
        self.asked.append(service)
        if service in self.refusals:
            raise Refused(409, self.refusals[service], "refused")
        return None


NOWHERE: Mapping[str, str] = dict.fromkeys(SERVICES, "none")
PUBLISHED: Mapping[str, str] = {**NOWHERE, "deliberation": "there"}


@pytest.mark.parametrize(
    ("standings", "text", "unknown", "asked"),
    [
        (PUBLISHED, False, False, [*SERVICES]),  # a person's: nobody may seal under it later, either
        (PUBLISHED, True, False, ["deliberation"]),
        ({**NOWHERE, "intake": "destroyed"}, True, False, ["intake"]),  # again, should a backup have brought it back
        (PUBLISHED, True, True, [*SERVICES]),
        (NOWHERE, False, True, [*SERVICES]),
        (NOWHERE, True, True, [*SERVICES]),  # its service lost it with a backup, others may open it
    ],
)
async def test_asks_whoever_may_have_something(
    standings: Mapping[str, str], text: bool, unknown: bool, asked: list[str]
) -> None:
    officer = Officer(standings)
    assert await erase(officer, SUBJECT, "asked", text=text, unknown=unknown) == standings
    assert officer.asked == asked


@pytest.mark.parametrize("text", [False, True])
async def test_asks_nobody_where_nothing_is_known_unless_told_to(text: bool) -> None:
    officer = Officer(NOWHERE)
    with pytest.raises(NothingSealed):
        await erase(officer, SUBJECT, "asked", text=text, unknown=False)
    assert officer.asked == []


async def test_is_not_done_where_one_service_refused() -> None:
    with pytest.raises(NotErased, match="mediation: 409 not-now"):
        await erase(Officer(PUBLISHED, {"mediation": "not-now"}), SUBJECT, "asked", text=False, unknown=False)
    again = Officer(PUBLISHED, {"mediation": "subject-erased"})
    assert await erase(again, SUBJECT, "asked", text=False, unknown=False) == PUBLISHED
