"""How intake's rules learn what is in force."""

from uuid import UUID

from eventlog.decider import Context
from eventlog.handler import Contexts, Handler
from services.intake.domain import submission as submissions
from services.intake.domain.admissibility import sample_policy
from services.intake.domain.issue import Command as IssueCommand
from services.intake.domain.issue import InForce, RegisterIssue, issue
from services.intake.domain.issue import State as IssueState
from services.intake.domain.submission import MergeSubmission, TargetInForce, submission
from vocabulary.divisions import contains
from vocabulary.organs import division_of


def register(contexts: Contexts, handler: Handler) -> None:
    """Tell the handler where each aggregate's context comes from."""

    @contexts.of(issue)
    async def policy_of_the_day(command: IssueCommand, _: IssueState, plain: Context, tenant: str) -> InForce:
        missing: frozenset[UUID] = frozenset()
        if isinstance(command, RegisterIssue):
            missing = frozenset([key for key in command.submissions if not await stands(key, plain.organ, tenant)])
        return InForce(**vars(plain), policy=sample_policy(), not_standing=missing)

    async def stands(key: UUID, organ: str, tenant: str) -> bool:
        """Whether a submission was received in the issue's division or below and belongs to no issue yet."""
        head = await handler.head(submission, tenant, key)
        received = isinstance(head.state, submissions.Received)
        return received and contains(division_of(organ), division_of(head.organ))

    @contexts.of(submission)
    async def target_of_merge(
        command: submissions.Command, _: submissions.State, plain: Context, tenant: str
    ) -> TargetInForce:
        if not isinstance(command, MergeSubmission):
            return TargetInForce(**vars(plain))
        head = await handler.head(submission, tenant, command.into)
        here = head.version > 0 and contains(division_of(plain.organ)[:9], division_of(head.organ))
        return TargetInForce(**vars(plain), target=head.state if here else None)

    del policy_of_the_day, target_of_merge  # registered by their decorators
