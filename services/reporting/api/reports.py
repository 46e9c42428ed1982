"""The work report: its figures, the facts behind each, and the whole as text and as a page."""

from typing import Annotated

from fastapi import Header, Query
from fastapi.responses import HTMLResponse, PlainTextResponse

from eventlog.errors import Absent
from services.reporting.api.asked import Asked, Reading
from services.reporting.api.shown import ReportShown, report
from services.reporting.fact_store.compiler import FactPlace
from services.reporting.fact_store.figures import FactShown, facts_behind, words_behind
from services.reporting.fact_store.question import Question
from services.reporting.indicators import BY_SLUG
from services.reporting.indicators.definition import Count, Rate, Term
from services.reporting.indicators.organisation import DOCUMENTS_ISSUED
from services.reporting.read_models.divisions import name_of
from services.reporting.reports import in_chinese, in_english, page
from services.reporting.reports.comparison import compare
from services.reporting.reports.figures import Untold, compute, of_rate
from services.reporting.reports.narrative import Narrative
from services.reporting.reports.work_report import WorkReport
from web.messages import Language
from web.paging import Page, Paging
from web.refusal import Refusal
from web.routing import APIRouter

router = APIRouter(prefix="/reports", tags=["report"])

DOCUMENTS_NAMED = 3
"""So many documents a report names by their titles."""


@router.get("/work", summary="The figures of the work report")
async def show_work_report(asked: Asked, reading: Reading) -> ReportShown:
    """Every figure with its definition, its value, and the link that lists exactly the facts behind it."""
    name = await name_of(reading.pool, asked.tenant, asked.division)
    return report(asked, name, await compute(reading.pool, asked))


Lang = Annotated[Language | None, Query(description="Else as Accept-Language prefers")]
Accepted = Annotated[str, Header(alias="Accept-Language", include_in_schema=False)]
About = Annotated[bool, Query(description="Let the number of sessions read “30余次”; the figures stay exact")]


@router.get("/work.txt", summary="The work report as text", response_class=PlainTextResponse)
async def write_work_report(
    asked: Asked, reading: Reading, lang: Lang = None, accepted: Accepted = "", about: About = False
) -> PlainTextResponse:
    """The narrative report, Chinese or English; every number in it is one of the figures."""
    language = lang or Language.preferred(accepted)
    narrative = _narrate(await _written_from(asked, reading, about=about), language)
    return PlainTextResponse(narrative.text(), headers=_in(language))


@router.get("/work.html", summary="The work report as a page", response_class=HTMLResponse)
async def print_work_report(
    asked: Asked, reading: Reading, lang: Lang = None, accepted: Accepted = "", about: About = False
) -> HTMLResponse:
    """The same report to be printed and handed in, on A4, with all figures and how they are counted in its annex."""
    language = lang or Language.preferred(accepted)
    work_report = await _written_from(asked, reading, about=about)
    narrative = _narrate(work_report, language)
    return HTMLResponse(page.write(narrative, work_report.figures, language), headers=_in(language))


def _narrate(work_report: WorkReport, language: Language) -> Narrative:
    return in_chinese.write(work_report) if language is Language.ZH else in_english.write(work_report)


async def _written_from(asked: Question, reading: Reading, *, about: bool) -> WorkReport:
    return WorkReport(
        place=await name_of(reading.pool, asked.tenant, asked.division) or asked.division,
        question=asked,
        figures=await compute(reading.pool, asked),
        about=about,
        documents=await words_behind(reading.pool, DOCUMENTS_ISSUED, asked, "title", limit=DOCUMENTS_NAMED),
        comparison=await compare(reading.pool, asked),
    )


def _in(language: Language) -> dict[str, str]:
    return {"Content-Language": language.value, "Vary": "Accept-Language"}


@router.get("/work/figures/{slug}/facts", summary="The facts behind a figure")
async def list_figure_facts(
    slug: str,
    asked: Asked,
    reading: Reading,
    paging: Paging,
    by: Annotated[str | None, Query(max_length=80, description="One value of the breakdown only")] = None,
    term: Annotated[Term | None, Query(description="Of a rate: which of its two counts")] = None,
) -> Page[FactShown]:
    """Exactly the facts that a value was computed from, oldest first, by their envelopes."""
    count = await _count_of(slug, term, asked, reading)
    if by is not None and count.by is None:
        raise Absent
    rows = await facts_behind(reading.pool, count, asked, by=by, after=paging.after(FactPlace), limit=paging.fetch)
    return Page[FactShown].of(rows, paging, lambda fact: fact.place)


async def _count_of(slug: str, term: Term | None, asked: Question, reading: Reading) -> Count:
    """Raises Absent: no such figure. Raises Refusal: 422 term-missing, 403 figure-untold."""
    match BY_SLUG.get(slug):
        case Count() as count if term is None:
            return count
        case Rate() as rate if term is not None:
            found = await of_rate(reading.pool, rate, asked)
            if term is Term.NUMERATOR and found.untold is Untold.TOO_FEW:
                raise Refusal(403, "figure-untold")
            return rate.term(term)
        case Rate():
            raise Refusal(422, "term-missing")
        case Count() | None:
            raise Absent
