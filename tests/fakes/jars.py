"""A sample read model whose rows facts of any stream may touch, and whose fold fails where a test wants it to."""

from uuid import UUID

from eventlog.facts import Fact, Recorded, Value
from eventlog.read_model import ReadModel

TABLE = """
    create table {table} (tenant text not null, jar text not null, holds jsonb not null, primary key (tenant, jar))"""

broken: set[UUID] = set()
"""The facts that cannot be folded now, by id."""


class JarFilled(Fact, name="test-jar-filled"):
    jar: str
    with_what: int


class JarsShaken(Fact, name="test-jars-shaken"):
    jars: tuple[str, ...]


class JarEmptied(Fact, name="test-jar-emptied"):
    jar: str


class Jar(Value):
    """What a jar holds says in which order everything came."""

    jar: str
    holds: tuple[int, ...] = ()


def jars(table: str) -> ReadModel[Jar]:
    model = ReadModel(Jar, table=table, key="jar")

    @model.on(JarFilled, key=lambda fact: fact.jar)
    def fill(before: Jar | None, fact: Recorded[JarFilled]) -> Jar:
        foldable(fact.fact_id)
        jar = before or Jar(jar=fact.data.jar)
        return jar.model_copy(update={"holds": (*jar.holds, fact.data.with_what)})

    @model.on_each(JarsShaken, keys=lambda fact: fact.jars)
    def shake(jar: Jar | None, fact: Recorded[JarsShaken]) -> Jar | None:
        foldable(fact.fact_id)
        return jar and jar.model_copy(update={"holds": (*reversed(jar.holds), -1)})

    @model.on(JarEmptied, key=lambda fact: fact.jar)
    def empty(_: Jar | None, fact: Recorded[JarEmptied]) -> None:
        foldable(fact.fact_id)

    del fill, shake, empty
    return model


def foldable(fact_id: UUID) -> None:
    if fact_id in broken:
        raise ZeroDivisionError
