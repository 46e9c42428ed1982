"""Rounds: rivals in turn, and how fast something goes."""

from bench.rounds import in_turn, rate, repeated


class TestInTurn:
    async def test_turns_the_order_round_and_leaves_out_the_first_round(self) -> None:
        order: list[str] = []

        async def a() -> float:
            order.append("a")
            return float(len(order))

        async def b() -> float:
            order.append("b")
            return float(len(order))

        assert await in_turn({"a": a, "b": b}, 2) == {"a": [3, 6], "b": [4, 5]}
        assert order == ["b", "a", "a", "b", "b", "a"]


class TestRate:
    async def test_counts_the_calls_of_all_workers(self) -> None:
        calls = 0

        async def work() -> None:
            nonlocal calls
            calls += 1

        found = await rate(work, at_once=3, seconds=0.01)
        assert calls >= 3
        assert 0 < found <= calls / 0.01


class TestRepeated:
    async def test_gives_what_each_worker_got_in_order(self) -> None:
        calls = 0

        async def work() -> int:
            nonlocal calls
            calls += 1
            return calls

        got = await repeated(work, at_once=3, seconds=0.01)
        assert len(got) == 3
        assert all(each == sorted(each) for each in got)
        assert sorted(one for each in got for one in each) == list(range(1, calls + 1))
