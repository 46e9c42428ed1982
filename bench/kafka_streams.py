"""KafkaStreams: it folds the same topic into a table of its own, exactly once as our consumers do; Maven at hand."""

from collections.abc import Sequence
from itertools import count

from bench.effort import Effort
from bench.figures import Figure, compared
from bench.java import program
from bench.read_model import HISTORY_TOPIC, history
from bench.rounds import in_turn
from bench.servers import database_servers
from deploy.local.platform import Say
from deploy.local.settings import Settings
from eventlog.kafka import AioKafka

STREAMS = {
    "processing.guarantee": "exactly_once_v2",
    "auto.offset.reset": "earliest",
    "replication.factor": "1",
}


async def measure(settings: Settings, effort: Effort, say: Say) -> Sequence[Figure]:
    """Drain a backlog. The Java program's start and first third do not count."""
    rounds, facts = effort.choose((3, 40_000), (1, 5_000))
    async with database_servers(settings, say) as servers, servers.kafka() as bootstrap:
        peer = await program("KafkaStreams", servers.home.path)
        if peer is None:
            say("Kafka Streams is left out: it needs Maven and a JDK")
            return []
        numbers = count()

        async def folded() -> float:
            own = {
                "bootstrap.servers": bootstrap,
                "application.id": f"bench-{next(numbers)}",
                "state.dir": str(servers.home.path / "streams"),
            }
            return await peer.run(peer.properties("streams", {**STREAMS, **own}), HISTORY_TOPIC, str(facts))

        async with history(servers, AioKafka(bootstrap), facts) as backlog:
            rates = await in_turn({"drained": backlog.drained, "folded": folded}, rounds)
    name = "read model, draining a backlog / Kafka Streams, exactly once"
    return [compared(name, rates["drained"], rates["folded"], "facts/s")]
