"""Footing: whether a topic still holds what its relay noted that it wrote, and up to where it is whole if not.

A broker may lose records that it acknowledged: its disks, a whole topic, or the last seconds before a power cut. The
log may lose facts that it relayed: restored from a backup, or a standby that lagged. So a checkpoint is trusted only
where the topic has the record that it names, and a topic only where its last record is a fact of this log.
"""

from dataclasses import dataclass

import asyncpg

from eventlog.connections import Connection
from eventlog.errors import CorruptHistory, Unavailable
from eventlog.kafka import Kafka, Received
from eventlog.records import headers_of, number_of

PIECE = 2_000
REMEDY = (
    "the log was wound back behind its topic, as by restoring a backup, or this is the topic of another log. "
    "Restore a later state of the database; or give up what it lost: all topics have to be made anew from the logs. "
    "What others have taken in of the lost facts stays with them"
)
PATIENCE = 10.0  # seconds until the broker has to give what it says it has


@dataclass(frozen=True)
class Checkpoint:
    """How far a relay has come: log position, dense number, and the topic's offset behind the fact of that number."""

    position: int = 0
    pseq: int = 0
    token: int = 0


BEGINNING = Checkpoint()


async def holds(connection: "Connection[asyncpg.Record]", kafka: Kafka, topic: str, checkpoint: Checkpoint) -> bool:
    """Whether the topic has the fact of ``checkpoint`` where it was written.

    Raises Unavailable, and CorruptHistory: the topic has facts that this log has not.
    """
    end = (await kafka.ends([topic]))[topic]
    last = await _record(kafka, topic, end - 1)
    if last is not None:
        await _known(connection, topic, last)
    if checkpoint.pseq == 0:
        return True
    if checkpoint.token > end:
        return False
    there = last if checkpoint.token == end else await _record(kafka, topic, checkpoint.token - 1)
    return there is not None and number_of(there) == checkpoint.pseq


async def whole_up_to(connection: "Connection[asyncpg.Record]", kafka: Kafka, topic: str) -> Checkpoint:
    """Read a topic through; return how far every number is in it, each in its turn.

    Raises Unavailable, and CorruptHistory: the fact there is not this log's.
    """
    end, number, last = (await kafka.ends([topic]))[topic], 0, None
    offset = 0
    if not end:
        return BEGINNING
    reader = await kafka.reader(topic, 0)
    try:
        while offset < end:
            records = await reader.read(PIECE, PATIENCE)
            if not records:
                raise Unavailable(f"{topic} did not give what follows offset {offset}")
            for record in records:
                if number_of(record) == number + 1:
                    number, last = number + 1, record
            offset = records[-1].offset + 1
    except CorruptHistory:  # its beginning is gone
        return BEGINNING
    finally:
        await reader.close()
    if last is None:
        return BEGINNING
    return Checkpoint(await _known(connection, topic, last), number, last.offset + 1)


async def _record(kafka: Kafka, topic: str, offset: int) -> Received | None:
    """The record at an offset before the end, None where it is gone."""
    if offset < 0:
        return None
    reader = await kafka.reader(topic, offset)
    try:
        records = await reader.read(1, PATIENCE)
    except CorruptHistory:
        return None
    finally:
        await reader.close()
    if not records:
        raise Unavailable(f"{topic} did not give what lies at offset {offset}")
    return records[0]


async def _known(connection: "Connection[asyncpg.Record]", topic: str, record: Received) -> int:
    """The position of a record's fact. Raises CorruptHistory where the log has not this fact there."""
    said = headers_of(record)
    position, fact_id = said.get("position", "0"), said.get("fact_id")
    known = await connection.fetchval(
        "select fact_id::text from eventlog.facts where position = $1 and published", int(position)
    )
    if known is None or known != fact_id:
        raise CorruptHistory(
            f"{topic} holds fact {said.get('pseq')} at offset {record.offset}, and this log has no such fact at "
            f"position {position}: {REMEDY}"
        )
    return int(position)
