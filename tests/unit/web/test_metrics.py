"""Metrics: what is counted, in which words, and that no word of anybody's is among them."""

from collections.abc import Mapping

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from eventlog.vitals import Fence
from tests.unit.web.town import ALL_IS_WELL, Town, body, key
from web.lookout import Working

Labels = frozenset[tuple[str, str]]


def told(text: str) -> Mapping[tuple[str, Labels], float]:
    """Every sample by its name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(name: str, **labels: str) -> tuple[str, Labels]:
    return f"shangyi_{name}", frozenset(labels.items())


async def asked(client: httpx2.AsyncClient) -> Mapping[tuple[str, Labels], float]:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return told(answer.text)


class TestRequests:
    async def test_are_counted_by_action_and_status(self, clerk: httpx2.AsyncClient) -> None:
        for n in range(3):
            await clerk.post("/notices", json=body(), headers=key(f"k{n}"))
        await clerk.post("/notices", json=body(title=7), headers=key("k9"))
        await clerk.get("/canary-in-a-path")
        seen = await asked(clerk)
        assert seen[of("http_requests_total", action="post_notice", status="201")] == 3
        assert seen[of("http_requests_total", action="post_notice", status="422")] == 1
        assert seen[of("http_requests_total", action="-", status="404")] == 1
        assert seen[of("http_request_seconds_count", action="post_notice")] == 4

    async def test_have_no_label_that_a_caller_chooses(self, clerk: httpx2.AsyncClient) -> None:
        await clerk.post("/notices", json=body(title="canary"), headers=key("canary"))
        for method in ("GET", "CANARY"):
            await clerk.request(method, "/canary/canary?canary=canary", headers={"X-Correlation-Id": "canary"})
        text = (await clerk.get("/metrics")).text
        assert "canary" not in text.lower()
        names = {name for _, labels in told(text) for name, _ in labels}
        assert names <= {"action", "status", "outcome", "le", "work", "state"}

    async def test_of_one_app_are_not_anothers(self, town: Town, tmp_path_factory: pytest.TempPathFactory) -> None:
        other = Town(tmp_path_factory.mktemp("other"), 0.0)
        async with town.client() as client:
            await client.get("/notices")
        async with other.client() as client:
            assert of("http_requests_total", action="list_notices", status="200") not in await asked(client)


class TestLookedUp:
    async def test_tells_what_was_seen(self, town: Town, clerk: httpx2.AsyncClient) -> None:
        town.seen = SEEN
        seen = await asked(clerk)
        expected = {
            of("stuck"): 1,
            of("database_answers"): 1,
            of("kafka_answers"): 0,
            of("keys_waiting"): 4,
            of("pool_connections", state="limit"): 8,
            of("pool_connections", state="used"): 1,
            of("pool_connections", state="idle"): 2,
            of("log_position"): 9,
            of("log_settled_position"): 7,
            of("log_horizon_age_seconds"): 12.5,
            of("log_oldest_fence_seconds"): 12.5,
            of("log_oldest_fence_pid"): 4711,
            of("timers_due"): 2,
            of("timers_late_seconds"): 3.5,
            of("refusals"): 5,
            of("parked"): 6,
            of("lag_facts", work="relay/shangyi.town"): 3,
            of("lag_seconds", work="relay/shangyi.town"): 40,
            of("stalled_seconds", work="relay/shangyi.town"): 35,
            of("led", work="relay/shangyi.town"): 0,
        }
        assert {name: seen.get(name) for name in expected} == expected

    async def test_leaves_out_what_it_could_not_ask(self, town: Town, clerk: httpx2.AsyncClient) -> None:
        town.seen = ALL_IS_WELL.model_copy(update={"vitals": None, "keys_waiting": None, "working": False})
        seen = await asked(clerk)
        assert seen[of("database_answers")] == 0
        assert not {of("log_position"), of("timers_due"), of("keys_waiting")} & seen.keys()

    async def test_tells_of_the_process(self, clerk: httpx2.AsyncClient) -> None:
        seen = await asked(clerk)
        assert seen[of("start_time_seconds")] > 1.7e9


def _seen() -> Working:
    assert ALL_IS_WELL.vitals is not None
    relay = ALL_IS_WELL.vitals.works[0].model_copy(
        update={"facts": 3, "seconds": 40.0, "stalled": 35.0, "led": False, "position": 4}
    )
    vitals = ALL_IS_WELL.vitals.model_copy(
        update={
            "drawn": 9,
            "settled": 7,
            "fence": Fence(pid=4711, seconds=12.5),
            "timers_due": 2,
            "timers_late": 3.5,
            "refusals": 5,
            "parked": 6,
            "works": (relay,),
        }
    )
    stuck = ("the relay stands still",)
    return ALL_IS_WELL.model_copy(
        update={"working": False, "stuck": stuck, "kafka": False, "keys_waiting": 4, "vitals": vitals}
    )


SEEN = _seen()
