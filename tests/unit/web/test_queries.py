"""Questions: pages that join without gap, and waiting for what one has just done."""

import asyncio
import time

import httpx2
import pytest

from tests.unit.web.town import Town
from web import after


class TestPaging:
    async def test_pages_join_without_gap_or_overlap(self, clerk: httpx2.AsyncClient) -> None:
        titles: list[str] = []
        cursor: dict[str, str] = {}
        sizes: list[int] = []
        while True:
            page = (await clerk.get("/notices", params={"limit": 2, **cursor})).json()
            titles += [item["title"] for item in page["items"]]
            sizes.append(len(page["items"]))
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert titles == ["0", "1", "2", "3", "4"]
        assert sizes == [2, 2, 1]

    async def test_the_last_full_page_has_no_next(self, clerk: httpx2.AsyncClient) -> None:
        assert (await clerk.get("/notices", params={"limit": 5})).json()["next"] is None


class TestAfter:
    async def test_waits_until_all_is_reached(self, town: Town, clerk: httpx2.AsyncClient) -> None:
        town.reached.add(("intake", 57))
        question = asyncio.create_task(clerk.get("/notices", params={"after": ["intake-57", "mediation-3"]}))
        await asyncio.sleep(0.05)
        assert not question.done()
        town.reached.add(("mediation", 3))
        assert (await question).status_code == 200

    async def test_gives_up_after_a_while(self, clerk: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(after, "PATIENCE", 0.05)
        began = time.monotonic()
        answer = await clerk.get("/notices", params={"after": "intake-58"})
        assert (answer.status_code, answer.json()["code"]) == (504, "not-caught-up")
        assert answer.headers["retry-after"] == "1"
        assert time.monotonic() - began < 2
