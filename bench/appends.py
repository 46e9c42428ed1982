"""Appends: the log beside raw INSERTs and beside other logs, on the same server, as durable, the same bytes."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import NamedTuple

from bench import message_db
from bench.effort import Effort
from bench.figures import Figure, compared
from bench.order import watched
from bench.our_log import our_log
from bench.pyeventsourcing import pyeventsourcing
from bench.raw_insert import raw_insert
from bench.rival import Rival, write_rate
from bench.rounds import in_turn
from bench.servers import Servers, database_servers
from deploy.local.platform import Say
from deploy.local.settings import Settings

AT_ONCE = (1, 16, 64)


class Peer(NamedTuple):
    """``goals``: the least ratio wanted, by commands at once."""

    rival: Rival
    goals: Mapping[int, float]


async def measure(settings: Settings, effort: Effort, say: Say) -> Sequence[Figure]:
    """Compare with 1, 16 and 64 commands at once."""
    async with database_servers(settings, say) as servers, AsyncExitStack() as open_:
        ours = await open_.enter_async_context(our_log(servers))
        peers = await _peers(servers, open_, say)
        return [figure for at_once in AT_ONCE for figure in await _beside(ours, peers, at_once, effort)]


async def _peers(servers: Servers, open_: AsyncExitStack, say: Say) -> Sequence[Peer]:
    peers = [Peer(await open_.enter_async_context(raw_insert(servers)), {1: 0.7, 16: 1.3})]
    if message_db.PLACE.is_dir():
        peers.append(Peer(await open_.enter_async_context(message_db.message_db(servers)), {16: 5, 64: 8}))
    else:
        say("message-db is left out: its SQL, ../shared/peers/message-db, is absent")
    return [*peers, Peer(await open_.enter_async_context(pyeventsourcing(servers)), {16: 15})]


async def _beside(ours: Rival, peers: Sequence[Peer], at_once: int, effort: Effort) -> Sequence[Figure]:
    """The readers that count what is lost follow behind the rounds, so that they slow none of them."""
    rounds, seconds, following = effort.choose((7, 0.6, 1.5), (2, 0.3, 0.5))
    rivals = {rival.called(at_once): rival for rival in (ours, *(peer.rival for peer in peers))}
    rates = await in_turn(
        {name: partial(write_rate, rival, at_once, seconds) for name, rival in rivals.items()}, rounds
    )
    orders = {name: await watched(rival, at_once, following) for name, rival in rivals.items()}
    name = ours.called(at_once)
    return [
        compared(
            f"{name} / {other}",
            rates[name],
            rates[other],
            "facts/s",
            peer.goals.get(at_once),
            orders=(orders[name], orders[other]),
        )
        for peer in peers
        for other in [peer.rival.called(at_once)]
    ]
