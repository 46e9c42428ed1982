"""Caller: what is sent, and what is read of an answer."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest

from bench.caller import Caller, NotAnswered, Post, Reply, get


@asynccontextmanager
async def server(answers: Sequence[bytes], *, hang_up: bool = False) -> AsyncGenerator[str]:
    """Answer request after request in pieces, whoever asks."""
    left = iter(answers)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(10_000):
            for piece in (whole := next(left))[:20], whole[20:]:
                writer.write(piece)
                await writer.drain()
            if hang_up:
                break
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


CREATED = b"HTTP/1.1 201 Created\r\nShangyi-Position: intake-57\r\nContent-Length: 4\r\n\r\nbody"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
REFUSED = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno"


class TestCaller:
    async def test_reads_answers_one_after_the_other_on_one_connection(self) -> None:
        async with server([CREATED, EMPTY]) as url, Caller(url, 1) as caller:
            created = await caller.call(get("/", "t"))
            assert (created.position, created.body) == ("intake-57", b"body")
            assert await caller.call(get("/", "t")) == Reply(b"HTTP/1.1 204 No Content", b"")

    async def test_connects_again_where_the_server_hung_up_between_two_calls(self) -> None:
        async with server([EMPTY, CREATED], hang_up=True) as url, Caller(url, 1) as caller:
            await caller.call(get("/", "t"))
            await asyncio.sleep(0.05)
            assert (await caller.call(get("/", "t"))).body == b"body"

    async def test_lets_no_refusal_count(self) -> None:
        async with server([REFUSED]) as url, Caller(url, 1) as caller:
            with pytest.raises(NotAnswered, match="403: no"):
                await caller.call(get("/", "t"))

    async def test_says_so_when_an_answer_without_a_position_is_asked_for_it(self) -> None:
        with pytest.raises(NotAnswered, match="no position"):
            _ = Reply(b"HTTP/1.1 200 OK", b"").position


class TestPost:
    def test_is_the_same_but_for_its_key(self) -> None:
        post = Post("/notes", "t", {"words": "灯坏了"}).prepared()
        first, second = post.once(), post.once()
        assert first != second
        head, _, body = first.partition(b"\r\n\r\n")
        assert head.startswith(b"POST /notes HTTP/1.1\r\n")
        assert f"Content-Length: {len(body)}\r\n".encode() in head
        assert json.loads(body) == {"words": "灯坏了"}
