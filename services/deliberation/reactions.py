"""What deliberation does when intake, or deliberation itself, has spoken.

A corrected calendar: intake's fact is adopted into our own log, and from there every open deadline that was counted
over that year is counted again. A promise may be opened or contested at that very moment, by the table before: so
whatever begins to run is counted again once it stands in the log, where a table adopted earlier is seen for sure.
"""

from collections.abc import Sequence

from eventlog.decider import Send
from eventlog.facts import Recorded
from eventlog.reactions import Reactions
from facts.deliberation.calendar import CalendarAdopted
from facts.deliberation.commitment import CommitmentClosed, CommitmentContested, CommitmentOpened
from facts.deliberation.deliberation import DeliberationCancelled, Result, Topic
from facts.deliberation.outcome import OutcomeAdopted, OutcomeKind
from facts.intake.calendar import CalendarCorrected, CalendarPublished
from facts.intake.issue import IssueRouted, IssueWithdrawn
from services.deliberation.domain.calendar import AdoptCalendar
from services.deliberation.domain.calendar import calendar as county_calendar
from services.deliberation.domain.commitment import CancelCommitment, OpenCommitment, RecomputeDeadline, commitment
from services.deliberation.domain.deliberation import (
    CancelDeliberation,
    ConcludeDeliberation,
    ProposeDeliberation,
    SettleCommitment,
    deliberation,
)
from services.deliberation.read_models.open_deadlines import counted_over
from vocabulary.calendar import end_of_day
from vocabulary.kinds import Route

to_intake = Reactions()
to_ourselves = Reactions()


@to_intake.to(IssueRouted)
def propose_routed_topic(fact: Recorded[IssueRouted]) -> Sequence[Send]:
    """Each hand-over is a deliberation of its own, so that an issue routed twice has two."""
    routed = fact.data
    if routed.route is not Route.DELIBERATION:
        return []
    topic = Topic(issue_id=routed.issue_id, **vars(routed.details))
    proposal = ProposeDeliberation(deliberation_id=routed.routing_id, topic=topic)
    return [deliberation.send(routed.routing_id, proposal)]


@to_intake.to(IssueRouted)
def promise_direct_handling(fact: Recorded[IssueRouted]) -> Sequence[Send]:
    """What needs no session is promised by the organ that took it in, within the days of the procedure."""
    routed = fact.data
    if routed.route is not Route.DIRECT_HANDLING:
        return []
    promise = OpenCommitment(
        commitment_id=routed.routing_id, issue_id=routed.issue_id, what=routed.details.headline, unit=fact.organ
    )
    return [commitment.send(routed.routing_id, promise)]


@to_intake.to(IssueWithdrawn)
def stop_withdrawn(fact: Recorded[IssueWithdrawn]) -> Sequence[Send]:
    """Whatever was to answer a withdrawn issue stops."""
    key, reason = fact.data.routing_id, fact.data.reason
    if key is None:
        return []
    if fact.data.route is Route.DELIBERATION:
        return [deliberation.send(key, CancelDeliberation(reason=reason))]
    if fact.data.route is Route.DIRECT_HANDLING:
        return [commitment.send(key, CancelCommitment(reason=reason))]
    return []


@to_ourselves.to(OutcomeAdopted)
def conclude_adopted(fact: Recorded[OutcomeAdopted]) -> Sequence[Send]:
    """An adopted outcome is the consensus; an adopted referral hands the topic on."""
    adopted = fact.data
    referred = adopted.kind is OutcomeKind.REFERRAL
    conclusion = ConcludeDeliberation(
        result=Result.REFERRED if referred else Result.CONSENSUS,
        commitments=tuple(promise.commitment_id for promise in adopted.promises),
    )
    return [deliberation.send(adopted.deliberation_id, conclusion)]


@to_ourselves.to(OutcomeAdopted)
def open_promised(fact: Recorded[OutcomeAdopted]) -> Sequence[Send]:
    """Every promise of an adopted outcome is somebody's to keep, until the end of its day."""
    return [
        commitment.send(
            promise.commitment_id,
            OpenCommitment(
                commitment_id=promise.commitment_id,
                deliberation_id=fact.data.deliberation_id,
                what=promise.what,
                unit=promise.unit,
                due=end_of_day(promise.due),
            ),
        )
        for promise in fact.data.promises
    ]


@to_ourselves.to(CommitmentClosed)
def settle_promise(fact: Recorded[CommitmentClosed]) -> Sequence[Send]:
    """A promise kept brings its deliberation closer to its end; direct handling belongs to none."""
    if fact.data.deliberation_id is None:
        return []
    return [deliberation.send(fact.data.deliberation_id, SettleCommitment(commitment_id=fact.data.commitment_id))]


@to_ourselves.to(DeliberationCancelled)
def release_promises(fact: Recorded[DeliberationCancelled]) -> Sequence[Send]:
    """Promises of a cancelled deliberation are owed no more."""
    release = CancelCommitment(reason=fact.data.reason)
    return [commitment.send(key, release) for key in fact.data.commitments]


@to_intake.to(CalendarPublished)
def adopt_published_calendar(fact: Recorded[CalendarPublished]) -> Sequence[Send]:
    """The county's own table takes the place of the one that came with the program."""
    return [county_calendar.send(fact.tenant, AdoptCalendar(year=fact.data.year, table=fact.data.table))]


@to_intake.to(CalendarCorrected)
def adopt_corrected_calendar(fact: Recorded[CalendarCorrected]) -> Sequence[Send]:
    return [county_calendar.send(fact.tenant, AdoptCalendar(year=fact.data.year, table=fact.data.table))]


@to_ourselves.to_each(CalendarAdopted, of=counted_over)
def recompute_deadline(_: Recorded[CalendarAdopted], commitment_id: str) -> Send:
    """Every open deadline is counted again; which of them moved is said by their facts, under this correlation."""
    return commitment.send(commitment_id, RecomputeDeadline())


@to_ourselves.to(CommitmentOpened)
def recompute_opened(fact: Recorded[CommitmentOpened]) -> Sequence[Send]:
    """What was counted while the calendar changed is counted by the table that holds now."""
    if fact.data.counted is None:
        return []
    return [commitment.send(fact.data.commitment_id, RecomputeDeadline())]


@to_ourselves.to(CommitmentContested)
def recompute_contested(fact: Recorded[CommitmentContested]) -> Sequence[Send]:
    """It is open again, under a deadline that no correction has touched meanwhile."""
    return [commitment.send(fact.data.commitment_id, RecomputeDeadline())]
