"""Columns: a row's values as its table's columns take them, for writing many at once without a detour through JSON."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from pydantic_core import to_json

from eventlog.facts import Value
from eventlog.parked import Asker

R = TypeVar("R", bound=Value)
Taken = Callable[[Any], Any]


class Columns(Generic[R]):
    """The columns of one table: ``tenant`` and a field each of the row class, in this order."""

    def __init__(self, row: type[R], types: dict[str, str]) -> None:
        """``types``: column → its type as PostgreSQL names it. Raises KeyError for a field without a column."""
        self.names: Sequence[str] = ("tenant", *row.model_fields)
        self._taken = [(field, _taken_by(types[field])) for field in row.model_fields]

    @classmethod
    async def of(cls, asker: Asker, table: str, row: type[R]) -> "Columns[R]":
        """Look a table up."""
        rows = await asker.fetch(
            """select attname as name, format_type(atttypid, null) as type from pg_attribute
               where attrelid = $1::regclass and attnum > 0 and not attisdropped""",
            table,
        )
        return cls(row, {row["name"]: row["type"] for row in rows})

    def records(self, rows: Iterable[tuple[str, R]]) -> Iterable[tuple[Any, ...]]:
        """Give the values of each row with its tenant."""
        taken = self._taken
        for tenant, row in rows:
            values = row.__dict__
            yield (tenant, *[take(values[field]) for field, take in taken])


def _taken_by(kind: str) -> Taken:
    match kind:
        case "text" | "character varying":
            return _text
        case "jsonb" | "json":
            return _json
        case _ if kind.endswith("[]"):
            return _array
        case _:
            return _as_it_is


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def _json(value: Any) -> str | None:
    return None if value is None else to_json(value).decode()


def _array(value: Any) -> list[Any] | None:
    return None if value is None else list(value)


def _as_it_is(value: Any) -> Any:
    return value
