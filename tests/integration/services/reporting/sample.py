"""A county's months, made up by a seeded die: every kind of stream, straight and crooked, in two towns and beyond."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random
from uuid import UUID

from eventlog.facts import Fact, Stored, StreamId
from eventlog.sealed import PublicText, Sealed, seal
from facts.deliberation.commitment import (
    CommitmentCancelled,
    CommitmentClosed,
    CommitmentCompleted,
    CommitmentContested,
    CommitmentDeadlineMoved,
    CommitmentOpened,
    CommitmentVerified,
)
from facts.deliberation.committee import CommitteeDissolved, CommitteeEstablished, Programme
from facts.deliberation.deliberation import DisputeResolved as ResolvedByDeliberation
from facts.deliberation.outcome import OutcomeAdopted, OutcomeKind, OutcomeRefused, OutcomeSubmitted
from facts.deliberation.session import (
    Form,
    MinutesSigned,
    Scale,
    SessionClosed,
    SessionNoticed,
    SessionOpened,
    SessionPlanned,
)
from facts.deliberation.survey import Rating, RatingRecorded, SurveyOpened
from facts.deliberation.work_record import (
    DocumentIssued,
    Lead,
    LeadershipMeetingHeld,
    LearningSessionHeld,
    MeetingKind,
    PublicityRecorded,
    WorkRecordWithdrawn,
)
from facts.deliberation.workstation import WorkstationClosed, WorkstationEstablished
from facts.intake.division import DivisionRegistered
from facts.intake.issue import (
    Classification,
    IssueAdmitted,
    IssueApproved,
    IssueClassified,
    IssueClosed,
    IssueDetails,
    IssueRefused,
    IssueRegistered,
    IssueResolved,
    IssueReturned,
    IssueRouted,
    IssueWithdrawn,
    SubmittersInformed,
)
from facts.intake.submission import (
    Channel,
    SubmissionLinked,
    SubmissionMerged,
    SubmissionReceived,
    SubmissionWithdrawn,
)
from facts.mediation.case import (
    AgreementBreached,
    AgreementPerformed,
    AgreementReached,
    CaseAccepted,
    CaseDeclined,
    CaseFailed,
    CaseOpened,
    DisputeResolutionRevoked,
    FailureReason,
    MediatorAssigned,
    PerformanceOverdue,
)
from facts.mediation.case import DisputeResolved as ResolvedByMediation
from vocabulary.calendar import SHANGHAI
from vocabulary.divisions import DivisionKind, Level
from vocabulary.kinds import Category, DisputeSource, DisputeType, Route
from vocabulary.matter import mint

COUNTY = "620724"
OTHER_COUNTY = "620725"
TOWN = "620724103"
VILLAGES = ("620724103701", "620724103702", "620724104701")
BEGINS = datetime(2025, 12, 20, tzinfo=SHANGHAI)
DAYS = 120
KEY = bytes(range(32))


class Sample:
    """Facts by service, each with its envelope, in the order of its topic."""

    def __init__(self, seed: int = 7, county: str = COUNTY) -> None:
        self.die = Random(seed)  # noqa: S311  # a sample is repeatable, not secret
        self.county = county
        self.topics: dict[str, list[Stored]] = {"intake": [], "deliberation": [], "mediation": []}
        self._versions: dict[tuple[str, str], int] = {}
        self._position: dict[str, int] = {}

    def record(
        self,
        service: str,
        stream: str,
        fact: Fact,
        at: datetime,
        *,
        organ: str = f"{TOWN}.town-government",
        matter: str | None = None,
    ) -> Stored:
        """Append a fact to a topic; positions have holes, as those of a log with private streams."""
        version = self._versions[service, stream] = self._versions.get((service, stream), 0) + 1
        position = self._position[service] = self._position.get(service, 0) + self.die.randint(1, 3)
        stored = Stored(
            fact_id=self.id(),
            tenant=self.county,
            stream=StreamId.parse(stream),
            version=version,
            position=position,
            published=True,
            organ=organ,
            matter=matter,
            actor="somebody",
            occurred_at=at.astimezone(UTC),
            recorded_at=at.astimezone(UTC) + timedelta(minutes=self.die.randint(0, 600)),
            correlation=self.id(),
            causation=None,
            name=fact.fact_name,
            schema=fact.fact_schema,
            json=fact.model_dump_json(),
        )
        self.topics.setdefault(service, []).append(stored)
        return stored

    def id(self) -> UUID:
        return UUID(int=self.die.getrandbits(128), version=4)

    def instant(self) -> datetime:
        """Any moment; often the very first or last of a day in Shanghai."""
        day = BEGINS + timedelta(days=self.die.randrange(DAYS))
        edge = self.die.randrange(4)
        if edge == 0:
            return day
        if edge == 1:
            return day + timedelta(days=1, microseconds=-1)
        return day + timedelta(minutes=self.die.randrange(1440))

    def moments(self, n: int) -> Sequence[datetime]:
        """Moments in order."""
        return sorted(self.instant() for _ in range(n))

    def chance(self, one_in: int) -> bool:
        return self.die.randrange(one_in) == 0

    def organ(self, kind: str) -> str:
        village = self.die.choice(VILLAGES).replace(COUNTY, self.county)
        return f"{village}.{kind}"

    def matter(self) -> str:
        return mint(self.county, date(2026, 1, 1), self.id())

    def text(self, words: str = "村道硬化") -> PublicText:
        return seal(KEY, self.county, self.id(), "public-text", words)

    def sealed(self) -> Sealed[str]:
        return seal(KEY, self.county, self.id(), "words", "……")


@cache
def sample(seed: int = 7, county: str = COUNTY) -> Sample:
    """The whole sample; the same for the same seed."""
    made = Sample(seed, county)
    for division in (county, TOWN.replace(COUNTY, county), *(v.replace(COUNTY, county) for v in VILLAGES)):
        kind = {6: DivisionKind.COUNTY, 9: DivisionKind.TOWN, 12: DivisionKind.VILLAGE_COMMITTEE}[len(division)]
        registered = DivisionRegistered(
            division=division, name=f"{division}镇村", kind=kind, provisional=False, valid_from=date(2024, 1, 1)
        )
        organ = f"{county}.county-government"
        made.record("intake", f"division/{division}", registered, BEGINS, organ=organ)
    for n in range(14):
        _committee(made, n)
    for n in range(40):
        _work_record(made, n)
    for _ in range(60):
        _submission(made)
    for _ in range(60):
        _issue(made)
    for _ in range(40):
        _session(made)
    for _ in range(40):
        _outcome(made)
        _commitment(made)
    for _ in range(6):
        _survey(made)
    for n in range(12):
        _commitment(made, moves=n % 3)
    return made


def _committee(made: Sample, n: int) -> None:
    established, dissolved, again = made.moments(3)
    division, organ = f"{made.county}103{200 + n}", made.organ("deliberation-committee")
    programme = Programme.PARTY_BUILDING_NEIGHBOURHOOD if made.chance(2) else None
    founded = CommitteeEstablished(
        division=division, name="议事会", members=(), term_until=date(2029, 1, 1), programme=programme
    )
    made.record("deliberation", f"committee/{division}", founded, established, organ=organ)
    if made.chance(2):
        gone = CommitteeDissolved(division=division, reason="合并")
        made.record("deliberation", f"committee/{division}", gone, dissolved, organ=organ)
        if made.chance(2):
            made.record("deliberation", f"committee/{division}", founded, again, organ=organ)
    station = WorkstationEstablished(division=division, name="工作站", head=made.id())
    made.record("deliberation", f"workstation/{division}", station, established, organ=organ)
    if made.chance(3):
        closed = WorkstationClosed(division=division, reason="合并")
        made.record("deliberation", f"workstation/{division}", closed, again, organ=organ)


def _work_record(made: Sample, n: int) -> None:
    facts: Sequence[Fact] = (
        LeadershipMeetingHeld(
            record_id=made.id(), kind=made.die.choice(list(MeetingKind)), topic="专题研究", attendees=9
        ),
        DocumentIssued(number=n, year=2026, title="实施方案"),
        LearningSessionHeld(record_id=made.id(), topic="委员学习", members=(made.id(),)),
        PublicityRecorded(record_id=made.id(), lead=made.die.choice(list(Lead)), channel="微信群", title="宣传"),
    )
    organ = made.organ("village-committee")
    held = made.instant()
    made.record("deliberation", f"work-record/{n}", made.die.choice(facts), held, organ=organ)
    if n % 4 == 0:
        error = WorkRecordWithdrawn(reason="重复登记")
        made.record("deliberation", f"work-record/{n}", error, held + timedelta(days=1), organ=organ)


def _submission(made: Sample) -> None:
    key, organ, matter = made.id(), made.organ("village-committee"), made.matter()
    said, then, after = made.moments(3)
    stream = f"submission/{key}"
    received = SubmissionReceived(submission_id=key, channel=made.die.choice(list(Channel)), words=made.sealed())
    made.record("intake", stream, received, said, organ=organ, matter=matter)
    fate = made.die.randrange(4)
    if fate == 0:
        merged = SubmissionMerged(submission_id=key, into=made.id())
        made.record("intake", stream, merged, then, organ=organ, matter=matter)
    if fate == 1:
        linked = SubmissionLinked(submission_id=key, issue_id=made.id())
        made.record("intake", stream, linked, then, organ=organ, matter=matter)
    if made.chance(4):
        withdrawn = SubmissionWithdrawn(submission_id=key, reason=made.sealed())
        made.record("intake", stream, withdrawn, after, organ=organ, matter=matter)


def _issue(made: Sample) -> None:
    key, organ, matter = made.id(), made.organ("village-committee"), made.matter()
    at = iter(made.moments(12))
    dispute = made.die.choice([None, DisputeType.NEIGHBOUR])
    details = IssueDetails(category=made.die.choice(list(Category)), headline=made.text(), dispute=dispute)

    def record(fact: Fact) -> None:
        made.record("intake", f"issue/{key}", fact, next(at), organ=organ, matter=matter)

    record(IssueRegistered(issue_id=key, details=details, submissions=()))
    for _ in range(made.die.randrange(3)):
        record(
            IssueClassified(
                issue_id=key,
                classification=Classification(category=made.die.choice(list(Category)), key=made.chance(2)),
            )
        )
    if made.chance(5):
        record(
            IssueRefused(
                issue_id=key, clause=made.die.choice(["X01", "X02"]), policy="v1", redirect="法院", remedy="起诉"
            )
        )
        return
    record(IssueAdmitted(issue_id=key, clause=made.die.choice(["D01", "D02", "D05"]), policy="v1"))
    record(IssueApproved(issue_id=key))
    if made.chance(4):
        record(IssueWithdrawn(issue_id=key, reason="撤回"))
        return
    route = made.die.choice([Route.DELIBERATION, Route.MEDIATION])
    record(IssueRouted(issue_id=key, routing_id=made.id(), route=route, details=details))
    if route is Route.MEDIATION:
        _case(made, key, organ, matter)
    if made.chance(3):
        record(IssueReturned(issue_id=key, route=route, reason="不受理"))
        return
    if dispute is not None and route is Route.DELIBERATION:
        deliberation = made.id()
        resolved = ResolvedByDeliberation(
            deliberation_id=deliberation, issue_id=key, dispute=dispute, source=DisputeSource.ROUTED
        )
        made.record(
            "deliberation", f"deliberation/{deliberation}", resolved, made.instant(), organ=organ, matter=matter
        )
    record(IssueResolved(issue_id=key, by=route))
    record(SubmittersInformed(issue_id=key, submissions=()))
    if made.chance(2):
        record(IssueClosed(issue_id=key))


def _case(made: Sample, issue: UUID | None, organ: str, matter: str | None) -> None:
    key, at = made.id(), iter(made.moments(10))
    source, dispute = made.die.choice(list(DisputeSource)), made.die.choice(list(DisputeType))

    def record(fact: Fact) -> None:
        made.record("mediation", f"case/{key}", fact, next(at), organ=organ, matter=matter)

    def resolve() -> None:
        record(ResolvedByMediation(case_id=key, issue_id=issue, dispute=dispute, source=source))

    record(CaseOpened(case_id=key, issue_id=issue, source=source, dispute=dispute))
    if made.chance(6):
        record(CaseDeclined(case_id=key, issue_id=issue, person=made.id()))
        return
    record(CaseAccepted(case_id=key, source=source, dispute=dispute))
    record(MediatorAssigned(case_id=key, mediator="mediator-chen", disclosed=True))
    if made.chance(4):
        record(CaseFailed(case_id=key, issue_id=issue, reason=made.die.choice(list(FailureReason))))
        return
    perform_by = made.instant().date()
    reached = made.instant().date()
    agreement = AgreementReached(case_id=key, written=True, terms=made.sealed(), reached=reached, perform_by=perform_by)
    record(agreement)
    resolve()
    if made.chance(3):
        record(AgreementBreached(case_id=key))
        record(DisputeResolutionRevoked(case_id=key, issue_id=issue))
        if made.chance(2):
            record(AgreementPerformed(case_id=key))
            resolve()
    elif made.chance(2):
        record(AgreementPerformed(case_id=key))
    else:
        record(PerformanceOverdue(case_id=key, perform_by=perform_by))


def _session(made: Sample) -> None:
    key, organ = made.id(), made.organ("deliberation-committee")
    planned, noticed, opened, closed, signed = made.moments(5)
    form, scale, level = made.die.choice(list(Form)), made.die.choice(list(Scale)), made.die.choice(list(Level))
    plan = SessionPlanned(
        session_id=key,
        committee=organ.partition(".")[0],
        level=level,
        form=form,
        scale=scale,
        agenda=(made.id(),),
        presider=made.id(),
        recorder=made.id(),
        fixed_members=(),
        sides=(),
        begins_at=opened,
    )
    made.record("deliberation", f"session/{key}", plan, planned, organ=organ)
    begins = opened + timedelta(hours=1)
    notice = SessionNoticed(session_id=key, begins_at=begins, waived=False)
    made.record("deliberation", f"session/{key}", notice, noticed, organ=organ)
    if made.chance(4):
        return
    made.record("deliberation", f"session/{key}", SessionOpened(session_id=key), opened, organ=organ)
    made.record("deliberation", f"session/{key}", SessionClosed(session_id=key), closed, organ=organ)
    minutes = MinutesSigned(
        session_id=key,
        form=form,
        scale=scale,
        level=level,
        agenda=plan.agenda,
        attendances=made.die.randrange(20),
        members_present=3,
        cppcc_present=made.die.randrange(3),
        signed_by=(plan.presider,),
    )
    made.record("deliberation", f"session/{key}", minutes, signed, organ=organ)
    if made.chance(3):
        _case(made, None, organ.partition(".")[0] + ".mediation-committee", None)


def _outcome(made: Sample) -> None:
    key, organ = made.id(), made.organ("deliberation-committee")
    submitted, decided = made.moments(2)
    deliberation, kind = made.id(), made.die.choice(list(OutcomeKind))
    outcome = OutcomeSubmitted(
        outcome_id=key, deliberation_id=deliberation, session_id=made.id(), kind=kind, summary=made.text()
    )
    made.record("deliberation", f"outcome/{key}", outcome, submitted, organ=organ)
    if made.chance(3):
        refused = OutcomeRefused(outcome_id=key, deliberation_id=deliberation, reasons=made.text())
        made.record("deliberation", f"outcome/{key}", refused, decided, organ=organ)
    elif made.chance(2):
        adopted = OutcomeAdopted(
            outcome_id=key, deliberation_id=deliberation, kind=kind, partly=made.chance(2), promises=()
        )
        made.record("deliberation", f"outcome/{key}", adopted, decided, organ=organ)


def _commitment(made: Sample, moves: int = 0) -> None:
    key, organ = made.id(), made.organ("deliberation-committee")
    at = iter(made.moments(8))

    def record(fact: Fact) -> None:
        made.record("deliberation", f"commitment/{key}", fact, next(at), organ=organ)

    unit = f"{TOWN}.town-government"
    opened = CommitmentOpened(
        commitment_id=key, deliberation_id=made.id(), issue_id=None, what=made.text(), unit=unit, due=made.instant()
    )
    record(opened)
    for _ in range(moves):
        record(CommitmentDeadlineMoved(commitment_id=key, was=opened.due, due=made.instant()))
    if made.chance(6):
        record(
            CommitmentCancelled(commitment_id=key, deliberation_id=opened.deliberation_id, issue_id=None, reason="撤回")
        )
        return
    completed = CommitmentCompleted(
        commitment_id=key, proof=made.text(), completed_by="unit-wang", in_time=made.chance(2)
    )
    record(completed)
    if made.chance(3):
        record(CommitmentContested(commitment_id=key, reason=made.text()))
        record(completed.model_copy(update={"in_time": made.chance(2)}))
    if made.chance(2):
        record(CommitmentVerified(commitment_id=key, verified_by="supervisor-li"))
        record(CommitmentClosed(commitment_id=key, deliberation_id=opened.deliberation_id, issue_id=None))


def _survey(made: Sample) -> None:
    key, organ = made.id(), made.organ("deliberation-committee")
    opened, *rated = made.moments(9)
    survey = SurveyOpened(survey_id=key, deliberation_id=made.id(), eligible=made.die.randint(8, 20))
    made.record("deliberation", f"survey/{key}", survey, opened, organ=organ)
    for at in rated:
        rating = RatingRecorded(survey_id=key, rater=made.id(), rating=made.die.choice(list(Rating)))
        made.record("deliberation", f"survey/{key}", rating, at, organ=organ)
