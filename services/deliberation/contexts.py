"""How deliberation's rules learn what is in force, and what stands elsewhere in this service."""

from datetime import datetime
from uuid import UUID

from eventlog.decider import Context
from eventlog.handler import Contexts, Handler
from services.deliberation.domain import commitment as commitments
from services.deliberation.domain import committee as committees
from services.deliberation.domain import deliberation as deliberations
from services.deliberation.domain import outcome as outcomes
from services.deliberation.domain import session as sessions
from services.deliberation.domain import survey as surveys
from services.deliberation.domain.calendar import calendar as county_calendar
from services.deliberation.domain.commitment import OpenCommitment, RecomputeDeadline, commitment
from services.deliberation.domain.committee import Standing, committee, in_term
from services.deliberation.domain.deliberation import ProposeDeliberation, deliberation
from services.deliberation.domain.outcome import SubmitOutcome, outcome
from services.deliberation.domain.procedure import default_procedure
from services.deliberation.domain.session import PlanSession, SendNotice, session
from services.deliberation.domain.survey import OpenSurvey, survey
from vocabulary.calendar import WorkingCalendar
from vocabulary.divisions import Level, contains, level_of, parent_of
from vocabulary.organs import division_of


def register(contexts: Contexts, handler: Handler) -> None:
    """Tell the handler where each aggregate's context comes from."""
    look = Lookups(handler)

    @contexts.of(committee)
    async def rules_of_committees(
        _: committees.Command, __: committees.State, plain: Context, ___: str
    ) -> committees.InForce:
        return committees.InForce(**vars(plain), procedure=default_procedure())

    @contexts.of(deliberation)
    async def whoever_could_take_it(
        command: deliberations.Command, _: deliberations.State, plain: Context, tenant: str
    ) -> deliberations.AtHand:
        stands = isinstance(command, ProposeDeliberation) and await look.anyone_for(
            tenant, division_of(plain.organ), plain.occurred_at
        )
        return deliberations.AtHand(**vars(plain), committee_stands=stands)

    @contexts.of(session)
    async def committee_and_agenda(
        command: sessions.Command, _: sessions.State, plain: Context, tenant: str
    ) -> sessions.InForce:
        calendar = await look.calendar(tenant) if isinstance(command, SendNotice) else WorkingCalendar.load()
        plain_rules = sessions.InForce(**vars(plain), procedure=default_procedure(), calendar=calendar)
        if not isinstance(command, PlanSession):
            return plain_rules
        standing = await look.committee(tenant, command.committee, plain.occurred_at)
        items = [item for item in command.agenda if await look.open_at(tenant, item, command.committee)]
        members = None if standing is None else standing.fixed_members
        return plain_rules.model_copy(update={"fixed_members": members, "open_items": frozenset(items)})

    @contexts.of(outcome)
    async def minutes_and_topic(
        command: outcomes.Command, state: outcomes.State, plain: Context, tenant: str
    ) -> outcomes.AtHand:
        if isinstance(command, SubmitOutcome):
            return outcomes.AtHand(
                **vars(plain),
                deliberation_open=await look.open(tenant, command.deliberation_id),
                minutes_signed=await look.treated(tenant, command.session_id, command.deliberation_id),
            )
        if isinstance(state, outcomes.Unsubmitted):
            return outcomes.AtHand(**vars(plain))
        return outcomes.AtHand(**vars(plain), deliberation_open=await look.open(tenant, state.deliberation_id))

    @contexts.of(commitment)
    async def rules_of_handling(
        command: commitments.Command, _: commitments.State, plain: Context, tenant: str
    ) -> commitments.InForce:
        counts = isinstance(command, OpenCommitment | RecomputeDeadline)
        calendar = await look.calendar(tenant) if counts else WorkingCalendar.load()
        rules = commitments.InForce(**vars(plain), procedure=default_procedure(), calendar=calendar)
        if not isinstance(command, OpenCommitment) or command.deliberation_id is None:
            return rules
        awaited = await look.awaited(tenant, command.deliberation_id, command.commitment_id)
        return rules.model_copy(update={"awaited": awaited})

    @contexts.of(survey)
    async def who_handled_it(
        command: surveys.Command, state: surveys.State, plain: Context, tenant: str
    ) -> surveys.AtHand:
        if isinstance(command, OpenSurvey):
            return surveys.AtHand(**vars(plain), concluded=await look.concluded(tenant, command.deliberation_id))
        if isinstance(state, surveys.Unopened):
            return surveys.AtHand(**vars(plain))
        units, handlers = await look.handlers(tenant, state.deliberation_id)
        return surveys.AtHand(**vars(plain), units=units, handlers=handlers)

    # Registered by their decorators.
    del rules_of_committees, whoever_could_take_it, committee_and_agenda, minutes_and_topic
    del rules_of_handling, who_handled_it


class Lookups:
    """What one aggregate's rules ask of another's present state."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def calendar(self, tenant: str) -> WorkingCalendar:
        """Return the county's calendar as known now. What counts by it waits for a correction that is under way."""
        return (await self._handler.state(county_calendar, tenant, tenant)).in_force()

    async def committee(self, tenant: str, division: str, at: datetime) -> Standing | None:
        """Return the committee of a division, if it is in term."""
        return in_term(await self._handler.state(committee, tenant, division), at)

    async def anyone_for(self, tenant: str, division: str, at: datetime) -> bool:
        """Whether a committee in term stands in a division or, for a village, in its town."""
        if await self.committee(tenant, division, at) is not None:
            return True
        town = parent_of(division) if level_of(division) is Level.VILLAGE else None
        return town is not None and await self.committee(tenant, town, at) is not None

    async def open(self, tenant: str, deliberation_id: UUID) -> bool:
        state = await self._handler.state(deliberation, tenant, deliberation_id)
        return isinstance(state, deliberations.Opened)

    async def open_at(self, tenant: str, deliberation_id: UUID, division: str) -> bool:
        """Whether a deliberation is open, and lies in the division whose committee is to treat it."""
        head = await self._handler.head(deliberation, tenant, deliberation_id)
        return isinstance(head.state, deliberations.Opened) and contains(division, division_of(head.organ))

    async def concluded(self, tenant: str, deliberation_id: UUID) -> bool:
        state = await self._handler.state(deliberation, tenant, deliberation_id)
        return isinstance(state, deliberations.Concluded | deliberations.Closed)

    async def awaited(self, tenant: str, deliberation_id: UUID, commitment_id: UUID) -> bool:
        """Whether a deliberation was concluded with a promise and still waits for it."""
        state = await self._handler.state(deliberation, tenant, deliberation_id)
        return isinstance(state, deliberations.Concluded) and commitment_id in state.left

    async def treated(self, tenant: str, session_id: UUID, deliberation_id: UUID) -> bool:
        """Whether a session with signed minutes had it on its agenda."""
        state = await self._handler.state(session, tenant, session_id)
        return isinstance(state, sessions.Signed) and deliberation_id in state.plan.agenda

    async def handlers(self, tenant: str, deliberation_id: UUID) -> tuple[frozenset[str], frozenset[str]]:
        """Return the units that promised something in a deliberation, and the persons who did it."""
        state = await self._handler.state(deliberation, tenant, deliberation_id)
        if not isinstance(state, deliberations.Concluded | deliberations.Closed):
            return frozenset(), frozenset()
        promised = [await self._handler.state(commitment, tenant, key) for key in state.commitments]
        units = [promise.about.unit for promise in promised if not isinstance(promise, commitments.Unopened)]
        persons = [
            promise.completed_by
            for promise in promised
            if isinstance(promise, commitments.Completed | commitments.Closed)
        ]
        return frozenset(units), frozenset(persons)
