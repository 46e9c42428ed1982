"""``python -m bench.log``: the log, its relay and its read models, beside raw limits and beside their peers."""

from bench import appends, commands, debezium, growth, kafka_streams, read_model, relay, seen
from bench.command import run

PARTS = {
    "appends": appends.measure,
    "commands": commands.measure,
    "relay": relay.measure,
    "read-model": read_model.measure,
    "seen": seen.measure,
    "growth": growth.measure,
}

WITH_MAVEN = {"debezium": debezium.measure, "kafka-streams": kafka_streams.measure}

if __name__ == "__main__":
    run("bench.log", __doc__, PARTS, WITH_MAVEN)
