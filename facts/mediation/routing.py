"""Routing: which case answers an issue now. Private: a withdrawn issue must find the case it has to stop."""

from uuid import UUID

from eventlog.facts import Fact
from vocabulary.words import Line


class CaseTookIssue(Fact, name="case-took-issue"):
    issue_id: UUID
    case_id: UUID


class CaseLostIssue(Fact, name="case-lost-issue"):
    """The issue was withdrawn while ``case_id`` was to answer it."""

    issue_id: UUID
    case_id: UUID
    reason: Line
