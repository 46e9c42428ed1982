"""A broker that makes topics by itself, with settings of its own: none of ours comes to be that way, or stays so."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from deploy.local import kafka as server
from deploy.local import ports
from deploy.local.home import Home
from deploy.local.jars import Jars
from deploy.local.kafka import KafkaServer
from deploy.local.settings import Settings
from eventlog import kafka as client
from eventlog.errors import CorruptHistory, Unavailable
from eventlog.kafka import FACTS_TOPIC, SEVERAL_REPLICAS, AioKafka


@pytest.fixture(scope="module")
async def willing() -> AsyncIterator[KafkaServer]:
    """A broker as many are set up."""
    jars = Jars(Settings().cache)
    jars.ensure()
    directory = Path(tempfile.mkdtemp(prefix="shangyi-tests-"))
    home = Home(directory / "home")
    with pytest.MonkeyPatch.context() as patched, home.locked(), ports.claimed(home) as given:
        properties = vars(server)["_PROPERTIES"]
        patched.setitem(properties, "auto.create.topics.enable", "true")
        patched.setitem(properties, "num.partitions", "3")
        broker = KafkaServer(home, given["kafka"], given["kafka-controller"], jars)
        try:
            await broker.start()
            await broker.ready()
            yield broker
        finally:
            await broker.stop()
            shutil.rmtree(directory)


@pytest.fixture
async def operator(willing: KafkaServer) -> AsyncIterator[Any]:
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=willing.bootstrap)
    await admin.start()
    yield admin
    await admin.close()


async def settings(operator: Any, topic: str) -> Mapping[str, str]:
    [answer] = await operator.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    return {name: value for name, value, *_ in answer.resources[0][4]}


async def test_whoever_only_looks_makes_no_topic(
    willing: KafkaServer, operator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PATIENCE", 2.0)
    kafka = AioKafka(willing.bootstrap)
    with pytest.raises(Unavailable):
        await kafka.ends(["looked.at"])
    reader = await kafka.reader("read", 0)
    assert await reader.read(1, 1.0) == []
    await reader.close()
    assert await operator.list_topics() == []


async def test_a_topic_that_another_made_gets_our_settings_and_keeps_its_others(
    willing: KafkaServer, operator: Any
) -> None:
    await operator.create_topics(
        [NewTopic("theirs", 1, 1, topic_configs={"retention.ms": "1000", "segment.ms": "77777"})]
    )
    for _ in range(2):
        await AioKafka(willing.bootstrap).ensure_topic("theirs", FACTS_TOPIC)
        found = await settings(operator, "theirs")
        assert {name: found[name] for name in (*FACTS_TOPIC, "segment.ms")} == {**FACTS_TOPIC, "segment.ms": "77777"}


async def test_a_topic_of_several_partitions_is_refused(willing: KafkaServer, operator: Any) -> None:
    await operator.create_topics([NewTopic("wide", 3, 1)])
    with pytest.raises(CorruptHistory, match="topic wide has 3 partitions"):
        await AioKafka(willing.bootstrap).ensure_topic("wide", FACTS_TOPIC)


def test_with_several_replicas_what_is_acknowledged_is_with_two() -> None:
    assert client.kept_by(FACTS_TOPIC, 3) == {**FACTS_TOPIC, **SEVERAL_REPLICAS}
    assert client.kept_by(FACTS_TOPIC, 1) == FACTS_TOPIC
