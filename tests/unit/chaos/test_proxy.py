"""A proxy carries everything unless it is told to fail, fails as told, and counts what it did."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from tests.chaos.proxy import Proxy, Way


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Client:
    """Says a line and hears its echo."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def ask(self, word: bytes, patience: float = 2.0) -> bytes:
        self.writer.write(word + b"\n")
        return await asyncio.wait_for(self._reader.readline(), patience)


Connect = Callable[[], Awaitable[Client]]


@pytest.fixture
async def heard() -> list[bytes]:
    """What reached the server."""
    return []


@pytest.fixture
async def proxy(heard: list[bytes]) -> AsyncGenerator[Proxy]:
    """A proxy before a server that says back what it hears."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                heard.append(line)
                writer.write(line)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    proxy = Proxy("link", free_port(), server.sockets[0].getsockname()[1])
    await proxy.listen()
    async with server:
        yield proxy
        await proxy.close()
        await asyncio.sleep(0.05)  # the tasks of cut connections see their end


@pytest.fixture
async def connect(proxy: Proxy) -> AsyncGenerator[Connect]:
    clients: list[Client] = []

    async def connected() -> Client:
        clients.append(Client(*await asyncio.open_connection("127.0.0.1", proxy.port)))
        return clients[-1]

    yield connected
    for client in clients:
        client.writer.close()


class TestProxy:
    async def test_carries_and_counts_both_ways(self, proxy: Proxy, connect: Connect) -> None:
        client = await connect()
        assert await client.ask(b"hello") == b"hello\n"
        assert (proxy.tally.carried, proxy.tally.held, proxy.tally.cut) == (12, 0, 0)

    async def test_cuts_between_request_and_reply(self, proxy: Proxy, connect: Connect, heard: list[bytes]) -> None:
        client = await connect()
        await client.ask(b"first")
        proxy.cut_after(0)
        with pytest.raises(ConnectionError):
            await client.ask(b"second")
        assert heard == [b"first\n", b"second\n"]
        assert proxy.tally.cut == 1

    async def test_cuts_in_the_middle_of_an_answer(self, proxy: Proxy, connect: Connect) -> None:
        proxy.cut_after(3)
        client = await connect()
        [heard] = await asyncio.gather(client.ask(b"hello"), return_exceptions=True)
        assert proxy.tally.cut == 1
        assert heard == b"hel" or isinstance(heard, ConnectionError)  # an RST may overtake what came before it

    async def test_holds_answers_while_requests_arrive(
        self, proxy: Proxy, connect: Connect, heard: list[bytes]
    ) -> None:
        client = await connect()
        proxy.hold(Way.BACK)
        with pytest.raises(TimeoutError):
            await client.ask(b"hello", patience=0.2)
        assert heard == [b"hello\n"]
        assert proxy.tally.held == 6

    async def test_delivers_what_a_black_hole_held_once_it_is_healed(
        self, proxy: Proxy, connect: Connect, heard: list[bytes]
    ) -> None:
        client = await connect()
        proxy.hold(Way.THERE, Way.BACK)
        asking = asyncio.create_task(client.ask(b"hello"))
        await asyncio.sleep(0.2)
        assert (heard, proxy.tally.held) == ([], 6)
        proxy.heal()
        assert await asking == b"hello\n"

    async def test_delays_in_order(self, proxy: Proxy, connect: Connect) -> None:
        client = await connect()
        proxy.delay(lambda: 0.01)
        assert [await client.ask(word) for word in (b"one", b"two")] == [b"one\n", b"two\n"]
        assert proxy.tally.delayed >= 4

    async def test_refuses_newcomers_and_cuts_off_others_until_it_listens_again(
        self, proxy: Proxy, connect: Connect
    ) -> None:
        client = await connect()
        await client.ask(b"hello")
        await proxy.close()
        with pytest.raises(ConnectionError):
            await client.ask(b"again")
        with pytest.raises(ConnectionError):
            await connect()
        assert proxy.tally.cut == 1
        await proxy.listen()
        assert await (await connect()).ask(b"hello") == b"hello\n"

    async def test_resets_without_refusing(self, proxy: Proxy, connect: Connect) -> None:
        client = await connect()
        await client.ask(b"hello")
        proxy.reset()
        with pytest.raises(ConnectionError):
            await client.ask(b"again")
        assert await (await connect()).ask(b"hello") == b"hello\n"
