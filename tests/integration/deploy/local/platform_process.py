"""A whole platform in a process of its own: starts, says so in one line, runs until it is told to stop or killed."""

import asyncio
import json
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

from deploy.local import leftovers, ports
from deploy.local.home import Home
from deploy.local.jars import Jars
from deploy.local.kafka import KafkaServer
from deploy.local.logs import Logs
from deploy.local.postgres import PostgresServer
from deploy.local.supervisor import Supervisor


async def main(home: Home, cache: Path) -> None:
    told_to_stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told_to_stop.set)
    with ExitStack() as held:
        held.enter_context(home.locked())
        ended = leftovers.end(home)
        given = held.enter_context(ports.claimed(home))
        postgres = PostgresServer(home, given["postgres"])
        kafka = KafkaServer(home, given["kafka"], given["kafka-controller"], Jars(cache))
        async with Supervisor(Logs(home.logs)) as supervisor:
            await supervisor.start(postgres, kafka)
            says = {
                "uid": os.geteuid(),
                "dsn": postgres.databases.admin_dsn("postgres"),
                "bootstrap": kafka.bootstrap,
                "pids": [postgres.pid, kafka.pid],
                "ended": ended,
            }
            sys.stdout.write(json.dumps(says) + "\n")
            sys.stdout.flush()
            await told_to_stop.wait()


if __name__ == "__main__":
    asyncio.run(main(Home(Path(sys.argv[1])), Path(sys.argv[2])))
