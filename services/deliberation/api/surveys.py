"""Asking those concerned how they rate what became of a deliberation."""

from typing import Annotated
from uuid import UUID, uuid5

from pydantic import Field

from eventlog.facts import Value
from services.deliberation.domain.deliberation import deliberation
from services.deliberation.domain.survey import CloseSurvey, OpenSurvey, RecordRating, State, Unopened, survey
from vocabulary.matter import MatterCode
from vocabulary.organs import OrganId
from vocabulary.words import Count
from web.commands import Commands, Created
from web.routing import APIRouter
from web.status import status_of

router = APIRouter(prefix="/surveys", tags=["survey"])


class SurveyBody(Value):
    """``eligible``: how many may rate: the sides and the residents affected."""

    deliberation_id: UUID
    eligible: Annotated[Count, Field(ge=1)]


@router.post("", status_code=201, summary="Open a survey")
async def open_survey(body: SurveyBody, commands: Commands) -> Created:
    """Open the one survey on a concluded deliberation."""
    async with commands.unless_answered():
        key = uuid5(body.deliberation_id, "survey")
        topic = await commands.head(deliberation, body.deliberation_id)
        command = OpenSurvey(survey_id=key, **vars(body))
        return await commands.create(survey, command, organ=topic.organ, matter=topic.matter, key=key)
    return commands.created_before()


@router.post("/{survey_id}/ratings", status_code=204, summary="Record a rating")
async def record_rating(survey_id: UUID, body: RecordRating, commands: Commands) -> None:
    """Record one person's rating, once; never by whoever handled the matter."""
    await commands.send(survey, survey_id, body)


@router.post("/{survey_id}/close", status_code=204, summary="Close a survey")
async def close_survey(survey_id: UUID, body: CloseSurvey, commands: Commands) -> None:
    """Take no more ratings."""
    await commands.send(survey, survey_id, body)


class SurveyShown(Value):
    """``status`` is one of open, closed."""

    survey_id: UUID
    matter: MatterCode | None
    organ: OrganId
    status: str
    deliberation_id: UUID
    eligible: Count
    ratings: Count


@router.get("/{survey_id}", summary="Show a survey")
async def show_survey(survey_id: UUID, commands: Commands) -> SurveyShown:
    """Say how many of those who may rate have done so."""
    head = await commands.head(survey, survey_id)
    state: State = head.state
    if isinstance(state, Unopened):
        raise TypeError("a stream with facts is opened")
    return SurveyShown(
        survey_id=survey_id,
        matter=head.matter,
        organ=head.organ,
        status=status_of(state),
        deliberation_id=state.deliberation_id,
        eligible=state.eligible,
        ratings=len(state.raters),
    )
