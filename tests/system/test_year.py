"""The sample year: lived through the services' APIs, its report bears the article's figures, and each its own facts."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from rich.console import Console

from deploy.cli.report import work_report
from deploy.cli.sample import sample_year
from deploy.local.errors import NotEmpty
from deploy.local.platform import Platform, running
from deploy.local.settings import Settings
from deploy.sample.plan import Answer, CaseTwist, Plan, Twist
from deploy.sample.scenes import live
from deploy.sample.xiangdao import TOWN
from eventlog.facts import Stored
from services.deliberation.domain.commitment import REMINDED_BEFORE
from services.reporting.fact_store.figures import Reads, amount
from services.reporting.fact_store.question import Positions, Question
from services.reporting.fact_store.store import facts_of
from services.reporting.indicators import INDICATORS
from services.reporting.indicators.definition import Count
from tests.integration.services.reporting.reference import Listed, Reference, figures
from vocabulary.calendar import SHANGHAI, end_of_day

NUMBER = datetime.now(SHANGHAI).year + 1
YEAR = (date(NUMBER, 1, 1), date(NUMBER, 12, 31))
FIRST_HALF = (YEAR[0], date(NUMBER, 6, 30))
SECOND_HALF = (date(NUMBER, 7, 1), YEAR[1])
DAY = timedelta(days=1)

COUNTS: Mapping[str, Count] = {
    count.slug: count
    for indicator in INDICATORS
    for count in ([indicator] if isinstance(indicator, Count) else [indicator.numerator, indicator.denominator])
}

ARTICLE = {
    "party-committee-meetings": 5,
    "cadre-meetings": 2,
    "documents-issued": 1,
    "workstations": 1,
    "committees": 25,
    "key-issues": 54,
    "micro-consultations": 33,
    "disputes-resolved": 25,
}
PARAGRAPH = (
    "重点问题54件，按照“有事多商量、遇事多商量、做事多商量”的议事原则和“十议七不议”的工作方法，通过会议协商、对话协商、书面协商等多种"
    "协商形式，有效开展“小微协商”30余次，化解群众矛盾纠纷25件，实现协商议事成果和群众满意度“双提升”。"
)


@dataclass(frozen=True)
class Lived:
    platform: Platform
    pool: "asyncpg.Pool[asyncpg.Record]"
    facts: Mapping[str, Sequence[Stored]]
    at: Positions

    def question(self, first: date, last: date) -> Question:
        return Question(tenant=TOWN[:6], division=TOWN, first=first, last=last, at=self.at)

    async def values(self, reads: Reads, first: date, last: date) -> Mapping[str, int]:
        """The real figures of a period, terms of rates included, by slug."""
        asked = self.question(first, last)
        return {slug: (await amount(reads, count, asked)).value for slug, count in COUNTS.items()}

    @property
    def every_fact(self) -> Sequence[Stored]:
        return [fact for facts in self.facts.values() for fact in facts]

    def named(self, name: str) -> Sequence[Stored]:
        return [fact for fact in self.every_fact if fact.name == name]


@pytest.fixture(scope="module")
async def lived(open_directory: Path) -> AsyncGenerator[Lived]:
    """The year, lived once on a platform of its own."""
    days: list[date] = []
    async with running(Settings(home=open_directory / "year"), print) as platform:
        await live(platform.endpoints, platform.issuer, NUMBER, days.append)
        assert days == sorted(set(days))
        assert (days[0], days[-1]) == YEAR
        async with asyncpg.create_pool(platform.endpoints.postgres_dsns["reporting"], min_size=1, max_size=2) as pool:
            async with pool.acquire() as connection:
                facts = {
                    service: [fact async for piece in facts_of(service, connection) for fact in piece]
                    for service in ("intake", "deliberation", "mediation")
                }
            at = Positions(**{service: kept[-1].position for service, kept in facts.items()})
            yield Lived(platform, pool, facts, at)


async def test_is_lived_where_nothing_was_recorded_only(lived: Lived) -> None:
    platform = lived.platform
    with pytest.raises(NotEmpty) as refused:
        await sample_year(platform.endpoints, platform.issuer, platform.home.path, Console(quiet=True))
    assert str(platform.home.path) in refused.value.remedy


class TestReport:
    async def test_bears_the_articles_figures(self, lived: Lived) -> None:
        values = await lived.values(lived.pool, *YEAR)
        assert {slug: values[slug] for slug in ARTICLE} == ARTICLE

    async def test_prints_the_articles_paragraph(self, lived: Lived) -> None:
        platform = lived.platform
        text = await work_report(platform.endpoints, platform.issuer, TOWN, *YEAR, lang="zh-CN", about=True)
        assert PARAGRAPH in text
        assert "党委会5次、干部职工会2次专题研究，制定印发《推进政协协商向基层延伸工作实施方案》等文件1份" in text
        assert "政协委员工作站1个、镇村协商议事委员会25个" in text
        exact = await work_report(platform.endpoints, platform.issuer, TOWN, *YEAR, lang="zh-CN")
        assert "“小微协商”33次" in exact

    async def test_tells_two_half_years_that_make_up_the_year(self, lived: Lived) -> None:
        first, second, year = [await lived.values(lived.pool, *period) for period in (FIRST_HALF, SECOND_HALF, YEAR)]
        for slug in ("opinions-collected", "key-issues", "micro-consultations", "outcomes-submitted", "ratings"):
            assert first[slug] + second[slug] == year[slug], slug
            assert first[slug] > 0 < second[slug], slug

        def rate(half: Mapping[str, int], numerator: str, denominator: str) -> float:
            return half[numerator] / half[denominator]

        for terms in (("outcomes-adopted", "outcomes-submitted"), ("ratings-satisfied", "ratings")):
            assert rate(second, *terms) > rate(first, *terms), terms


class TestPlan:
    async def test_is_what_the_figures_count(self, lived: Lived) -> None:
        """Counted once more from the plan's own words, by who said what and what became of it."""
        plan, values = Plan.load(), await lived.values(lived.pool, *YEAR)
        deliberated = [issue for issue in plan.issues if issue.answer is Answer.DELIBERATION]
        said = [said for issue in plan.issues for said in issue.said] + [one.said for one in plan.submissions]
        agreed = [case for case in plan.cases if not case.twists & {CaseTwist.PARTY_REFUSED, CaseTwist.FAILED}]
        sessions = len(deliberated) + sum(Twist.NO_CONSENSUS_FIRST in issue.twists for issue in deliberated)
        regular = sum(issue.scale == "regular" for issue in deliberated)
        refused = sum(Twist.OUTCOME_REFUSED_FIRST in issue.twists for issue in deliberated)
        expected = {
            "opinions-collected": len(said),
            "opinions-deduplicated": len(said)
            - sum(len(issue.said) - 1 for issue in plan.issues)
            - sum(one.withdrawn is not None for one in plan.submissions),
            "learning-sessions": len(plan.learning),
            "publicity": len(plan.publicity),
            "issues-refused": sum(issue.answer is Answer.REFUSED for issue in plan.issues),
            "sessions": sessions,
            "micro-consultations": sessions - regular,
            "outcomes-submitted": len(deliberated) + refused,
            "outcomes-adopted": len(deliberated),
            "ratings": sum(sum(issue.rated) for issue in deliberated if issue.rated),
            "ratings-satisfied": sum(sum(issue.rated[:3]) for issue in deliberated if issue.rated),
            "disputes-resolved": sum(issue.dispute is not None for issue in plan.issues)
            + len(agreed)
            - sum(CaseTwist.BREACHED in case.twists for case in agreed),
        }
        assert {slug: values[slug] for slug in expected} == expected

    @pytest.mark.parametrize(
        "name",
        [
            "submission-merged",
            "submission-withdrawn",
            "issue-refused",
            "issue-withdrawn",
            "issue-returned",
            "deliberation-declined",
            "quorum-failed",
            "outcome-refused",
            "commitment-deadline-nearing",
            "commitment-deadline-missed",
            "commitment-miss-revoked",
            "commitment-contested",
            "commitment-cancelled",
            "commitment-deadline-moved",
            "case-declined",
            "case-failed",
            "case-agreement-breached",
            "dispute-resolution-revoked",
            "work-record-withdrawn",
            "calendar-corrected",
            "committee-dissolved",
        ],
    )
    async def test_has_what_does_not_go_straight(self, lived: Lived, name: str) -> None:
        assert lived.named(name)

    async def test_has_a_session_without_signed_minutes_and_a_paper_entered_later(self, lived: Lived) -> None:
        assert len(lived.named("session-closed")) == len(lived.named("minutes-signed")) + 1
        late = [fact for fact in lived.named("submission-received") if fact.recorded_at > fact.occurred_at + DAY]
        assert len(late) == 1

    async def test_lets_what_falls_due_happen_on_its_day(self, lived: Lived) -> None:
        for fact in lived.named("commitment-deadline-missed"):
            assert fact.actor == "timer"
            assert fact.occurred_at == datetime.fromisoformat(json.loads(fact.json)["due"])
        for fact in lived.named("commitment-deadline-nearing"):
            assert fact.actor == "timer"
            assert fact.occurred_at == datetime.fromisoformat(json.loads(fact.json)["due"]) - REMINDED_BEFORE
        [ended] = lived.named("committee-dissolved")
        assert (ended.actor, ended.occurred_at) == ("timer", end_of_day(date(NUMBER, 8, 31)))


class TestTakeOneAway:
    async def test_changes_exactly_the_figures_over_it(self, lived: Lived) -> None:
        """Every matter, and every stream of its own, taken out in turn: computed in the store, and rolled back."""
        before = await lived.values(lived.pool, *YEAR)
        listed = self.reference(lived, lived.facts)
        counted = 0
        for what in self.parts(lived):
            async with self.without(lived, what) as connection:
                after = await lived.values(connection, *YEAR)
            assert after == self.counted_without(lived, what), what
            changed = {slug for slug in COUNTS if after[slug] != before[slug]}
            own = {fact.fact_id for fact in lived.every_fact if is_of(fact, what)}
            assert changed == {slug for slug, facts in listed.items() if any(one.fact_id in own for one in facts)}, what
            counted += bool(changed)
        assert await lived.values(lived.pool, *YEAR) == before
        assert counted > 150  # some count nowhere: what was refused, withdrawn, or is but a calendar

    def parts(self, lived: Lived) -> Sequence[tuple[str, str]]:
        """Each matter by its code; what belongs to none by its stream."""
        seen = {("matter", fact.matter) if fact.matter else ("stream", str(fact.stream)) for fact in lived.every_fact}
        return sorted(seen)

    @asynccontextmanager
    async def without(
        self, lived: Lived, what: tuple[str, str]
    ) -> AsyncGenerator["asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"]:
        column, value = what
        async with lived.pool.acquire() as connection:
            taking = connection.transaction()
            await taking.start()
            try:
                await connection.execute(f"delete from facts where {column} = $1", value)  # noqa: S608  # ours
                yield connection
            finally:
                await taking.rollback()

    def counted_without(self, lived: Lived, what: tuple[str, str]) -> Mapping[str, int]:
        kept = {service: [fact for fact in facts if not is_of(fact, what)] for service, facts in lived.facts.items()}
        return {slug: sum(one.adds for one in facts) for slug, facts in self.reference(lived, kept).items()}

    def reference(self, lived: Lived, facts: Mapping[str, Sequence[Stored]]) -> Mapping[str, Sequence[Listed]]:
        at = {"intake": lived.at.intake, "deliberation": lived.at.deliberation, "mediation": lived.at.mediation}
        return figures(Reference(facts, TOWN[:6], TOWN, *YEAR, at))


def is_of(fact: Stored, what: tuple[str, str]) -> bool:
    column, value = what
    return str(getattr(fact, column)) == value
