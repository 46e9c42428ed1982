"""The lock of Kafka's archives, as committed."""

import re

from deploy.local.jars import LOCK, locked

LINE = re.compile(r"[\w.-]+:[\w.-]+:[\w.-]+ [0-9a-f]{64}")


def test_the_lock_holds_coordinates_and_checksums_and_nothing_else() -> None:
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if LINE.fullmatch(line) is None] == []
    assert list(locked()) == sorted(locked())


def test_every_archive_has_a_file_name_of_its_own() -> None:
    names = [jar.file_name for jar in locked()]
    assert len(set(names)) == len(names)


def test_the_broker_and_its_logging_are_locked() -> None:
    assert {"kafka_2.13", "log4j-core", "log4j-slf4j-impl"} <= {jar.artifact for jar in locked()}
