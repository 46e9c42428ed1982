"""ReadModel: ``evolve`` with a table.

The rows that a batch touches are loaded, folded in memory and written back in one statement, in the transaction that
moves the consumer's position. The same fold over the log in memory is what the table is compared with. The table has
the columns of the row class and ``tenant``; its primary key is (tenant, key), the key a text.
"""

import inspect
import json
import sys
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from copy import copy
from functools import cached_property
from hashlib import sha256
from typing import Any, Generic, Self, TypeAlias, TypeVar

import asyncpg

from eventlog.connections import Connection
from eventlog.effect import Key
from eventlog.facts import REGISTRY, Fact, Recorded, Stored, Value

R = TypeVar("R", bound=Value)
T = TypeVar("T", bound=Fact)
Folding = Callable[[Any, Recorded[Any]], Any]


class ReadModel(Generic[R]):
    """Rows of class ``row`` in ``table``, one for each value of the column ``key``.

    A row may be touched by facts of several streams. While one of these streams is parked, the row lags: it is what all
    the others' facts say. Once the parked ones are taken in it is what it would be had none ever failed (see retries).
    """

    essential = False

    def __init__(self, row: type[R], *, table: str, key: str) -> None:
        self.row = row
        self.table = table
        self.key = key
        self._folds: dict[str, tuple[Callable[[Any], Iterable[Hashable]], Folding]] = {}

    @property
    def name(self) -> str:
        return self.table

    @property
    def names(self) -> Collection[str]:
        return self._folds.keys()

    @cached_property
    def made_by(self) -> str:
        """A mark of the code that folds: the modules of its folds, of its row and of its facts."""
        named = {fold.__module__ for _, fold in self._folds.values()} | {self.row.__module__}
        named |= {REGISTRY[name].__module__ for name in self._folds}
        return sha256("".join(inspect.getsource(sys.modules[name]) for name in sorted(named)).encode()).hexdigest()

    def in_table(self, table: str) -> Self:
        """The same fold, with its rows in another table."""
        other = copy(self)
        other.table = table
        return other

    def on(
        self, kind: type[T], *, key: Callable[[T], Hashable]
    ) -> Callable[[Callable[[R | None, Recorded[T]], R | None]], Callable[[R | None, Recorded[T]], R | None]]:
        """Fold facts of one class into the row that ``key`` names. Returning None removes the row."""
        return self.on_each(kind, keys=lambda fact: (key(fact),))

    def on_each(
        self, kind: type[T], *, keys: Callable[[T], Iterable[Hashable]]
    ) -> Callable[[Callable[[R | None, Recorded[T]], R | None]], Callable[[R | None, Recorded[T]], R | None]]:
        """As ``on``, for a fact that touches several rows."""

        def register(
            fold: Callable[[R | None, Recorded[T]], R | None],
        ) -> Callable[[R | None, Recorded[T]], R | None]:
            if kind.fact_name in self._folds:
                raise TypeError(f"{self.table} folds {kind.fact_name} twice")
            self._folds[kind.fact_name] = (keys, fold)
            return fold

        return register

    def touched(self, facts: Sequence[Stored]) -> Sequence[tuple[Key, Recorded[Fact]]]:
        """Return the facts this model folds, each with a row it touches, in order."""
        found: list[tuple[Key, Recorded[Fact]]] = []
        for stored in facts:
            if stored.name in self._folds:
                fact = stored.read()
                keys, _ = self._folds[stored.name]
                found += [((stored.tenant, str(key)), fact) for key in keys(fact.data)]
        return found

    def fold(self, rows: Mapping[Key, R | None], facts: Sequence[tuple[Key, Recorded[Fact]]]) -> dict[Key, R | None]:
        """Return every touched row after ``facts``; None where it is gone. Pure."""
        after = dict(rows)
        for key, fact in facts:
            after[key] = self.evolve(after.get(key), fact)
        return after

    def evolve(self, row: R | None, fact: Recorded[Fact]) -> R | None:
        """Return one row after a fact. Pure."""
        _, fold = self._folds[fact.data.fact_name]
        after: R | None = fold(row, fact)
        return after

    async def act(self, facts: Sequence[Stored]) -> None:
        del facts

    async def write(self, facts: Sequence[Stored], connection: "Connection[asyncpg.Record]") -> None:
        touched = self.touched(facts)
        if touched:
            before = await self.load({key for key, _ in touched}, connection)
            await self.save(self.fold(before, touched), connection)

    # The names of table and columns below are constants of the program, never input.

    async def load(self, keys: set[Key], connection: "Connection[asyncpg.Record]") -> dict[Key, R | None]:
        """Return the rows of these keys that are there."""
        rows = await connection.fetch(
            f"""select t.tenant, t.{self.key} as key, to_jsonb(t)::text as row from {self.table} t
                join unnest($1::text[], $2::text[]) as wanted (tenant, key)
                  on t.tenant = wanted.tenant and t.{self.key} = wanted.key""",  # noqa: S608
            [tenant for tenant, _ in keys],
            [key for _, key in keys],
        )
        return {(r["tenant"], r["key"]): self.row.model_validate_json(r["row"], extra="ignore") for r in rows}

    async def save(self, rows: Mapping[Key, R | None], connection: "Connection[asyncpg.Record]") -> None:
        gone = [key for key, row in rows.items() if row is None]
        if gone:
            await connection.execute(
                f"""delete from {self.table} t using unnest($1::text[], $2::text[]) as gone (tenant, key)
                    where t.tenant = gone.tenant and t.{self.key} = gone.key""",  # noqa: S608
                [tenant for tenant, _ in gone],
                [key for _, key in gone],
            )
        kept = [{"tenant": key[0], **row.model_dump(mode="json")} for key, row in rows.items() if row is not None]
        if kept:
            columns = ["tenant", *self.row.model_fields]
            updates = ", ".join(f"{column} = excluded.{column}" for column in self.row.model_fields)
            names = ", ".join(columns)
            await connection.execute(
                f"""insert into {self.table} ({names})
                    select {names} from jsonb_populate_recordset(null::{self.table}, $1::jsonb)
                    on conflict (tenant, {self.key}) do update set {updates}""",  # noqa: S608
                json.dumps(kept, ensure_ascii=False),
            )


AnyReadModel: TypeAlias = ReadModel[Any]
