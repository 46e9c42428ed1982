"""Health, and time in development."""

from datetime import timedelta
from pathlib import Path

import httpx2

from tests.unit.web.town import ALL_IS_WELL, Town
from web.lookout import Working


def anybody(town: Town) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(town.app), base_url="http://town")


class TestHealth:
    async def test_is_open_to_anybody(self, town: Town) -> None:
        async with anybody(town) as client:
            assert (await client.get("/health/live")).status_code == 204
            assert (await client.get("/health/ready")).json() == {"ready": True, "reasons": [], "degraded": []}
            assert (await client.get("/health/progress")).json()["end"] == 3

    async def test_names_the_reasons_when_not_ready(self, town: Town) -> None:
        town.reasons = ["the database does not answer"]
        async with anybody(town) as client:
            answer = await client.get("/health/ready")
            assert (await client.get("/health/live")).status_code == 204
        assert (answer.status_code, answer.json()["reasons"]) == (503, ["the database does not answer"])

    async def test_stays_ready_when_only_the_work_behind_is_stuck(self, town: Town) -> None:
        town.seen = stuck = ALL_IS_WELL.model_copy(update={"working": False, "stuck": ("the relay stands still",)})
        async with anybody(town) as client:
            ready, working = await client.get("/health/ready"), await client.get("/health/working")
        assert (ready.status_code, ready.json()) == (
            200,
            {"ready": True, "reasons": [], "degraded": ["the relay stands still"]},
        )
        assert (working.status_code, Working.model_validate_json(working.content)) == (503, stuck)

    async def test_says_that_all_goes_on(self, town: Town) -> None:
        async with anybody(town) as client:
            answer = await client.get("/health/working")
        assert (answer.status_code, Working.model_validate_json(answer.content)) == (200, ALL_IS_WELL)


class TestDevelopment:
    async def test_moves_the_clock_forward_only(self, tmp_path: Path) -> None:
        town = Town(tmp_path, 0.0, development=True)
        ahead = await town.log.now() + timedelta(days=30)
        async with anybody(town) as client:
            assert (await client.post("/development/timers/pause")).status_code == 204
            assert (await client.post("/development/clock", json={"to": ahead.isoformat()})).status_code == 204
            assert (await client.post("/development/timers/resume")).status_code == 204
            back = await client.post("/development/clock", json={"to": "2020-01-01T00:00:00Z"})
            wrong = await client.post("/development/clock", json={"to": "canary"})
        assert await town.log.now() >= ahead
        assert (back.status_code, back.json()["code"]) == (409, "clock-not-forward")
        assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/body/to")

    async def test_is_absent_in_earnest(self, town: Town) -> None:
        async with anybody(town) as client:
            assert (await client.post("/development/clock", json={})).status_code == 404
            assert "/development/clock" not in (await client.get("/openapi.json")).json()["paths"]
