"""The one place where an indicator becomes SQL.

Whatever a statement looks at is ``seen``: the facts of one county up to the positions asked. So no figure can reach
into another county, and none can change once its positions are named. Values travel as parameters; the text is ours.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from eventlog.facts import Fact, Value
from services.reporting.fact_store.question import Question
from services.reporting.indicators.definition import At, Count, Having, Where, default_of
from vocabulary.words import Instant

NONE = "none"
"""The breakdown value of facts that say nothing there."""


Service: TypeAlias = Literal["intake", "deliberation", "mediation"]
"""Whose facts are kept here."""


class FactPlace(Value):
    """Where a fact stands in a list. Anybody can write a cursor: it is only what the database can take."""

    occurred_at: Instant
    service: Service
    pseq: Annotated[int, Field(ge=1, le=2**63 - 1)]


class Statement:
    """SQL under construction, and the parameters it names so far."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._aliases = 0
        self.parameters: list[object] = []

    def value(self, count: Count) -> str:
        """One row for each value of the breakdown: ``by``, the ``value``, and how many ``facts`` are behind it."""
        adding = "1" if count.adding is None else self._number(count.of, count.adding, "f")
        return f"""{self._seen()}
            select {self._by(count, "f")} as by, sum({adding})::bigint as value, count(*) as facts
            from seen f where {self._counted(count, "f")} group by 1 order by 2 desc, 1"""  # noqa: S608

    def facts(self, count: Count, by: str | None, after: FactPlace | None, limit: int) -> str:
        """The facts behind a count, or behind one value of its breakdown, oldest first."""
        conditions = [self._counted(count, "f")]
        if by is not None:
            conditions.append(f"{self._by(count, 'f')} = {self._put(by, 'text')}")
        if after is not None:
            place = [
                self._put(after.occurred_at, "timestamptz"),
                self._put(after.service, "text"),
                self._put(after.pseq, "bigint"),
            ]
            conditions.append(f"(f.occurred_at, f.service, f.pseq) > ({', '.join(place)})")
        return f"""{self._seen()}
            select f.* from seen f where {" and ".join(conditions)}
            order by f.occurred_at, f.service, f.pseq limit {self._put(limit, "bigint")}"""  # noqa: S608

    def words(self, count: Count, path: str, limit: int) -> str:
        """What the facts behind a count say in a field, each once, in the order it was first said."""
        said = self._text(count.of, path, "f")
        return f"""{self._seen()}
            select {said} as words from seen f where {self._counted(count, "f")}
            group by 1 order by min((f.occurred_at, f.service, f.pseq)) limit {self._put(limit, "bigint")}"""  # noqa: S608

    def _seen(self) -> str:
        at = self._question.at
        return f"""with seen as not materialized (
                select * from facts where tenant = {self._put(self._question.tenant, "text")}
                and position <= case service when 'intake' then {self._put(at.intake, "bigint")}
                                             when 'deliberation' then {self._put(at.deliberation, "bigint")}
                                             when 'mediation' then {self._put(at.mediation, "bigint")} end
            )"""  # noqa: S608

    def _counted(self, count: Count, fact: str) -> str:
        """Whether a fact is one of those behind the figure."""
        conditions = [*self._standing(count, fact)]
        if count.once_a_matter:
            conditions.append(self._last_of_matter(count, fact))
        if count.among is not None:
            conditions.append(self._among(count.among, fact))
        else:
            conditions.append(f"starts_with({fact}.division, {self._put(self._question.division, 'text')})")
            conditions.append(self._dated(count, fact))
        return " and ".join(conditions)

    def _standing(self, count: Count, fact: str) -> list[str]:
        """What makes a fact count, whenever and wherever it was."""
        conditions = [self._is_of(count.of, fact), *self._is_so(count.of, count.where, fact)]
        if count.adding is not None:
            conditions.append(f"{self._number(count.of, count.adding, fact)} > 0")
        if count.having is not None:
            conditions.append(self._has(count.having, fact))
        if count.unless:
            conditions.append(self._not_followed(count, fact))
        return conditions

    def _is_of(self, kinds: Sequence[type[Fact]], fact: str) -> str:
        return f"{fact}.name = any ({self._put([kind.fact_name for kind in kinds], 'text[]')})"

    def _is_so(self, kinds: Sequence[type[Fact]], where: Where, fact: str) -> list[str]:
        return [
            f"{self._text(kinds, path, fact)} = any ({self._put([_written(value) for value in values], 'text[]')})"
            for path, values in where.items()
        ]

    def _has(self, having: Having, fact: str) -> str:
        latest = self._alias()
        so = " and ".join(self._is_so((having.of,), having.where, latest)) or "true"
        return f"coalesce(({self._latest(having.of, so, latest, fact)}), false)"

    def _latest(self, kind: type[Fact], what: str, latest: str, fact: str) -> str:
        return f"""select {what} from seen {latest}
            where {_same_stream(latest, fact)} and {self._is_of((kind,), latest)}
            order by {latest}.version desc limit 1"""  # noqa: S608

    def _not_followed(self, count: Count, fact: str) -> str:
        later = self._alias()
        in_time = ""
        if count.at is At.PERIOD_END:
            in_time = f"and {later}.occurred_at < {self._put(self._question.ends, 'timestamptz')}"
        return f"""not exists (select from seen {later} where {_same_stream(later, fact)}
            and {later}.version > {fact}.version and {self._is_of(count.unless, later)} {in_time})"""

    def _last_of_matter(self, count: Count, fact: str) -> str:
        """A fact without a matter competes with those of its stream only."""
        rival = self._alias()
        order = "({0}.occurred_at, {0}.recorded_at, {0}.service, {0}.pseq)"
        return f"""not exists (select from seen {rival}
            where ({rival}.matter = {fact}.matter or ({fact}.matter is null and {_same_stream(rival, fact)}))
            and {order.format(rival)} > {order.format(fact)}
            and {" and ".join(self._standing(count, rival))})"""

    def _among(self, count: Count, fact: str) -> str:
        member = self._alias()
        return f"""exists (select from seen {member}
            where {_same_stream(member, fact)} and {self._counted(count, member)})"""

    def _dated(self, count: Count, fact: str) -> str:
        question = self._question
        if count.dated is not None and count.dated_by_day:
            first, last = self._put(question.first, "date"), self._put(question.last, "date")
            return f"{self._date(count, count.dated, 'date', fact)} between {first} and {last}"
        ends = self._put(question.ends, "timestamptz")
        if count.at is At.PERIOD_END:
            return f"{fact}.occurred_at < {ends}"
        begins = self._put(question.begins, "timestamptz")
        when = f"{fact}.occurred_at" if count.dated is None else self._date(count, count.dated, "timestamptz", fact)
        return f"{when} >= {begins} and {when} < {ends}"

    def _date(self, count: Count, path: str, kind: str, fact: str) -> str:
        own = self._cast(count.of, path, kind, fact)
        if count.redated is None:
            return own
        latest = self._alias()
        said = self._cast((count.redated,), path, kind, latest)
        return f"coalesce(({self._latest(count.redated, said, latest, fact)}), {own})"

    def _by(self, count: Count, fact: str) -> str:
        if count.by is None:
            return f"'{NONE}'"
        if count.by.of is None:
            return f"coalesce({self._text(count.of, count.by.path, fact)}, '{NONE}')"
        latest = self._alias()
        what = self._text((count.by.of,), count.by.path, latest)
        return f"coalesce(({self._latest(count.by.of, what, latest, fact)}), '{NONE}')"

    def _number(self, kinds: Sequence[type[Fact]], path: str, fact: str) -> str:
        return f"coalesce({self._text(kinds, path, fact)}, '0')::bigint"

    def _cast(self, kinds: Sequence[type[Fact]], path: str, kind: str, fact: str) -> str:
        """Only of the facts meant: what others say in a field of that name need not be a date."""
        return f"case when {self._is_of(kinds, fact)} then ({self._text(kinds, path, fact)})::{kind} end"

    def _text(self, kinds: Sequence[type[Fact]], path: str, fact: str) -> str:
        """A field as text; facts recorded before it existed say its default."""
        stored = f"{fact}.data #>> {self._put(path.split('.'), 'text[]')}"
        default = default_of(kinds, path)
        return f"({stored})" if default is None else f"coalesce({stored}, {self._put(default, 'text')})"

    def _put(self, value: object, kind: str) -> str:
        self.parameters.append(value)
        return f"${len(self.parameters)}::{kind}"

    def _alias(self) -> str:
        self._aliases += 1
        return f"f{self._aliases}"


def _same_stream(one: str, other: str) -> str:
    """Two services may name their streams alike."""
    return f"{one}.service = {other}.service and {one}.stream = {other}.stream"


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
