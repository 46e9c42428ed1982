"""Scenario: a decider's table of cases, one line a case.

a_registered_issue = Scenario(issue).given(registered)
a_registered_issue.when(RouteIssue(route=Route.MEDIATION)).then_rejected("issue-not-approved")
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic

from eventlog.decider import Actor, C, Context, Decider, F, S, X
from eventlog.errors import Rejected
from eventlog.handler import timed_json
from eventlog.timers import read_timed

SOMEBODY = Context(actor=Actor(id="somebody"), occurred_at=datetime(2026, 3, 2, 9, tzinfo=UTC))


@dataclass(frozen=True)
class Outcome(Generic[F]):
    """What came of a command."""

    facts: Sequence[F] | None
    code: str | None

    def then(self, *facts: F) -> None:
        """The command was accepted and exactly these facts follow."""
        assert self.code is None, f"refused: {self.code}"  # noqa: S101  # a test helper asserts
        assert list(self.facts or ()) == list(facts)  # noqa: S101

    def then_rejected(self, code: str) -> None:
        """The command was refused with this code."""
        assert self.code == code, f"expected {code}, got {self.code or self.facts}"  # noqa: S101


@dataclass(frozen=True)
class Scenario(Generic[C, S, F, X]):
    """A history of one stream, and what a command makes of it. Immutable: name one for a state and share it."""

    decider: Decider[C, S, F, X]
    facts: tuple[F, ...] = ()
    context: X | None = None

    def given(self, *facts: F) -> "Scenario[C, S, F, X]":
        """Add facts to the history."""
        return replace(self, facts=(*self.facts, *facts))

    def under(self, context: X) -> "Scenario[C, S, F, X]":
        """Decide in this context from here on; without one, somebody asks on a Monday morning."""
        return replace(self, context=context)

    @property
    def state(self) -> S:
        return self.decider.fold(self.facts)

    def when(self, command: C) -> Outcome[F]:
        """Decide."""
        context: Any = SOMEBODY if self.context is None else self.context
        try:
            return Outcome(self.decider.decide(command, self.state, context), None)
        except Rejected as refusal:
            return Outcome(None, refusal.code)

    def and_then(self, command: C) -> "Scenario[C, S, F, X]":
        """Take the command's facts into the history. Fails when it is refused."""
        outcome = self.when(command)
        assert outcome.facts is not None, f"refused: {outcome.code}"  # noqa: S101
        return self.given(*outcome.facts)

    def then_due_commands_leave(self) -> None:
        """Each due command, as a timer stores it and decided at its time, yields facts and leaves ``due``."""
        for due in self.decider.due(self.state):
            command = read_timed(self.decider, timed_json(due.command))
            assert command == due.command  # noqa: S101
            context: Any = SOMEBODY if self.context is None else self.context
            at_its_time: Any = context.model_copy(update={"occurred_at": due.at})
            facts = self.decider.decide(due.command, self.state, at_its_time)
            assert facts, f"{due.command!r} yields nothing"  # noqa: S101
            assert due not in self.decider.due(self.decider.fold(facts, self.state))  # noqa: S101
