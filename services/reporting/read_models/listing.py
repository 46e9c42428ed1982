"""Listing: a read model's rows of one place, newest first, filtered and page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from pydantic import Field

from eventlog.connections import Pool
from eventlog.facts import Value
from eventlog.read_model import ReadModel
from vocabulary.words import Instant

R = TypeVar("R", bound=Value)


class RowPlace(Value):
    """Where a row stands in its list. Anybody can write a cursor: it is only what the database can take."""

    at: Instant
    key: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,64}$")]


@dataclass(frozen=True)
class Condition:
    """Something true of a row ``t``. In ``sql``, $1 is the tenant, and {0}, {1} … stand for ``values``."""

    sql: str
    values: Sequence[object]


class Listing(Generic[R]):
    """The rows of ``model``, ordered by its column ``at``. The table has a column ``division``."""

    def __init__(self, model: ReadModel[R], *, at: str) -> None:
        self._model = model
        self._at = at

    def place(self, row: R) -> RowPlace:
        return RowPlace(at=getattr(row, self._at), key=str(getattr(row, self._model.key)))

    async def page(
        self,
        pool: Pool,
        tenant: str,
        division: str,
        filters: Mapping[str, str | bool | None],
        *,
        after: RowPlace | None,
        limit: int,
        also: Condition | None = None,
    ) -> Sequence[R]:
        """Return at most ``limit`` rows that lie in ``division`` and have each value that ``filters`` names."""
        conditions = ["tenant = $1", "starts_with(division, $2)"]
        values: list[object] = [tenant, division, limit]
        for column, value in filters.items():
            if value is not None:
                values.append(str(value).lower() if isinstance(value, bool) else str(value))
                conditions.append(f"{column}::text = ${len(values)}")
        if also is not None:
            conditions.append(also.sql.format(*(f"${len(values) + n}" for n, _ in enumerate(also.values, start=1))))
            values += also.values
        key = self._model.key
        if after is not None:
            values += [after.at, after.key]
            conditions.append(f"({self._at}, {key}) < (${len(values) - 1}::timestamptz, ${len(values)}::text)")
        # The names of table and columns are constants of the program, never input.
        rows = await pool.fetch(
            f"""select to_jsonb(t)::text as row from {self._model.table} t where {" and ".join(conditions)}
                order by {self._at} desc, {key} desc limit $3""",  # noqa: S608
            *values,
        )
        return [self._model.row.model_validate_json(row["row"], extra="ignore") for row in rows]
