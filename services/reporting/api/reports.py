"""The work report: its figures, the facts behind each, and the whole as text."""

from typing import Annotated

from fastapi import Header, Query
from fastapi.responses import PlainTextResponse

from eventlog.errors import Absent
from services.reporting.api.asked import Asked, Reading
from services.reporting.api.shown import ReportShown, report
from services.reporting.fact_store.compiler import FactPlace
from services.reporting.fact_store.figures import FactShown, facts_behind
from services.reporting.fact_store.question import Question
from services.reporting.indicators import BY_SLUG
from services.reporting.indicators.definition import Count, Rate, Term
from services.reporting.read_models.divisions import name_of
from services.reporting.reports import in_chinese, in_english
from services.reporting.reports.figures import Untold, compute, of_rate
from services.reporting.reports.work_report import WorkReport
from web.messages import Language
from web.paging import Page, Paging
from web.refusal import Refusal
from web.routing import APIRouter

router = APIRouter(prefix="/reports", tags=["report"])


@router.get("/work", summary="The figures of the work report")
async def show_work_report(asked: Asked, reading: Reading) -> ReportShown:
    """Every figure with its definition, its value, and the link that lists exactly the facts behind it."""
    name = await name_of(reading.pool, asked.tenant, asked.division)
    return report(asked, name, await compute(reading.pool, asked))


@router.get("/work.txt", summary="The work report as text", response_class=PlainTextResponse)
async def write_work_report(
    asked: Asked,
    reading: Reading,
    lang: Annotated[Language | None, Query(description="Else as Accept-Language prefers")] = None,
    accept_language: Annotated[str, Header(include_in_schema=False)] = "",
    about: Annotated[
        bool, Query(description="Let the number of sessions read “30余次”; the figures stay exact")
    ] = False,
) -> PlainTextResponse:
    """The narrative report, Chinese or English; every number in it is one of the figures."""
    language = lang or Language.preferred(accept_language)
    written = WorkReport(
        place=await name_of(reading.pool, asked.tenant, asked.division) or asked.division,
        question=asked,
        figures=await compute(reading.pool, asked),
        about=about,
    )
    text = in_chinese.write(written) if language is Language.ZH else in_english.write(written)
    return PlainTextResponse(text, headers={"Content-Language": language.value, "Vary": "Accept-Language"})


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
