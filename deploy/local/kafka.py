"""KafkaServer: a real Kafka for one home, one broker that is its own controller, as a child process."""

import asyncio
import base64
import contextlib
import os
import shutil
import signal
import struct
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local.errors import ChildFailed
from deploy.local.files import write_whole
from deploy.local.home import Home
from deploy.local.jars import Jars
from deploy.local.java import find_java
from deploy.local.logs import Logs, in_brief
from deploy.local.process import Process
from deploy.local.waiting import until_ready

_PATIENCE = 90.0  # seconds, on a busy small machine
_LOGGING = Path(__file__).with_name("log4j2.xml")
_MACHINE = ("-Xmx512m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")
_ENVIRONMENT = {"LC_ALL": "C.UTF-8"}  # Java reads file names by the locale; a home may have a Chinese name
_PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    # After a kill the broker's old registration must time out before it may come back: by default 9 s, and long waits.
    "broker.session.timeout.ms": "1500",
    "broker.heartbeat.interval.ms": "500",
    # One broker: nothing can be replicated, and the internal topics need not be spread.
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "4",
    "log.cleaner.dedupe.buffer.size": "16777216",  # 128 MB by default, held for good
}


@dataclass(frozen=True)
class Door:
    """A listener of its own for some clients, on ``port``, that sends them on to ``advertised``.

    Clients dial what a broker advertises: whoever wants to stand between a client and the broker needs one of these.
    """

    port: int
    advertised: int


class KafkaServer:
    """Keeps what it acknowledged through a kill of its process (not through a power cut: Kafka is our copy)."""

    name = "kafka"

    def __init__(
        self, home: Home, port: int, controller_port: int, jars: Jars, doors: Mapping[str, Door] | None = None
    ) -> None:
        """``doors``: listeners beside the usual one, by name."""
        self._home = home
        self._doors = dict(doors or {})
        self._port = port
        self._controller_port = controller_port
        self._jars = jars
        self._process = Process(self.name, home, signal.SIGTERM, grace=3.0)

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        return self._process.pid

    async def start(self) -> None:
        """Format the storage if that was not done, and launch. Raises NoJava, JarMissing, JarDamaged, ChildFailed."""
        self._process.start(await asyncio.to_thread(self._prepare), env=_ENVIRONMENT)

    async def ready(self) -> None:
        """Once it lists itself as a broker; its port is open before that."""
        await until_ready(self._process, self._serves, _PATIENCE, str(Logs(self._home.logs).file("kafka-server")))

    async def stop(self) -> None:
        await self._process.stop()

    def alive(self) -> bool:
        return self._process.alive()

    def why(self) -> str:
        return self._process.why()

    async def _serves(self) -> bool:
        # A plain connection first: the client logs every refused one as an error.
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=5000)
        try:
            await admin.start()
            return bool((await admin.describe_cluster())["brokers"])
        except KafkaError:
            return False
        finally:
            await admin.close()

    def _prepare(self) -> list[str | Path]:
        """What to run."""
        self._home.kafka.mkdir(mode=0o700, exist_ok=True)
        properties = self._home.kafka / "server.properties"
        write_whole(properties, "".join(f"{name}={_escaped(value)}\n" for name, value in self._properties().items()))
        command: list[str | Path] = [find_java(), f"-Dlog4j2.configurationFile={_LOGGING.as_uri()}"]
        command += [f"-Dshangyi.logs={self._home.logs}", "-cp", self._jars.class_path()]
        self._format(command, properties)
        return [command[0], *_MACHINE, *command[1:], "kafka.Kafka", properties]

    def _properties(self) -> dict[str, str]:
        usual = {"PLAINTEXT": self._port, "CONTROLLER": self._controller_port}
        names = [*usual, *self._doors]
        return {
            **_PROPERTIES,
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in names),
            "listeners": _listeners(usual | {name: door.port for name, door in self._doors.items()}),
            "advertised.listeners": _listeners(usual | {name: door.advertised for name, door in self._doors.items()}),
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self._controller_port}",
            "log.dirs": str(self._data()),
        }

    def _format(self, command: list[str | Path], properties: Path) -> None:
        """Give the storage its identity. Without the mark nothing was ever stored, so a half-made one goes.

        Where a marked one is gone, so are all topics: `shangyi kafka rebuild` writes them again into a new one.
        """
        mark = self._home.kafka / "cluster-id"
        if mark.exists() and self._data().exists():
            return
        shutil.rmtree(self._data(), ignore_errors=True)
        cluster = _cluster_id()
        result = subprocess.run(  # noqa: S603 - Kafka's own program
            [*command, "kafka.tools.StorageTool", "format", "--standalone", "-t", cluster, "-c", properties],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **_ENVIRONMENT},
        )
        if result.returncode != 0:
            raise ChildFailed(
                f"Kafka's storage could not be formatted: {in_brief(result.stderr or result.stdout)}.",
                f"Check that {self._home.kafka} can be written and has space.",
            )
        write_whole(mark, cluster)

    def _data(self) -> Path:
        return self._home.kafka / "data"


def _listeners(ports: Mapping[str, int]) -> str:
    return ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())


def _escaped(value: str) -> str:
    """``value`` as a Java properties file has it: Latin letters, everything else as UTF-16 escapes."""
    return "".join(
        letter if letter.isascii() else "".join(f"\\u{unit:04x}" for unit in _utf16(letter))
        for letter in value.replace("\\", "\\\\")
    )


def _utf16(letter: str) -> tuple[int, ...]:
    encoded = letter.encode("utf-16-be")
    return struct.unpack(f">{len(encoded) // 2}H", encoded)


def _cluster_id() -> str:
    """A random id as Kafka writes it: 16 bytes, URL-safe; it must not look like an option."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return text
