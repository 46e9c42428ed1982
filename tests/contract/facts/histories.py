"""Histories: streams put together from the lock's samples, in the words of every version."""

import importlib
import json
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import get_args, get_type_hints

import services
from eventlog.decider import AnyDecider, Decider
from eventlog.erasure import erasure
from eventlog.facts import Fact, Stored
from tests.contract.facts.lock import Lock
from tests.contract.facts.samples import stored

HISTORIES: Mapping[str, Sequence[tuple[str, ...]]] = {
    "division": [("division-registered",)],
    "organ": [("organ-registered",)],
    "calendar": [("calendar-published", "calendar-corrected")],
    "submission": [
        ("submission-received", "submission-linked", "submission-link-declined"),
        ("submission-received", "submission-merged"),
        ("submission-received", "submission-withdrawn"),
    ],
    "issue": [
        (
            "issue-registered",
            "issue-classified",
            "issue-admitted",
            "issue-approved",
            "issue-routed",
            "issue-returned",
            "issue-routed",
            "issue-resolved",
            "issue-submission-dropped",
            "submitters-informed",
            "issue-closed",
        ),
        ("issue-registered", "issue-refused"),
        ("issue-registered", "issue-admitted", "issue-approved", "issue-routed", "issue-withdrawn"),
    ],
    "adopted-calendar": [("calendar-adopted",)],
    "committee": [("committee-established", "committee-dissolved")],
    "workstation": [("workstation-established", "workstation-closed")],
    "deliberation": [
        (
            "deliberation-proposed",
            "deliberation-opened",
            "deliberation-concluded",
            "dispute-resolved-by-deliberation",
            "deliberation-commitment-settled",
            "deliberation-closed",
        ),
        ("deliberation-proposed", "deliberation-declined"),
        ("deliberation-proposed", "deliberation-opened", "deliberation-cancelled"),
    ],
    "session": [
        (
            "session-planned",
            "session-noticed",
            "participant-checked-in",
            "session-opened",
            "participant-checked-in",
            "statement-recorded",
            "statement-waived",
            "session-closed",
            "minutes-signed",
        ),
        ("session-planned", "session-noticed", "participant-checked-in", "quorum-failed"),
    ],
    "outcome": [("outcome-submitted", "outcome-adopted"), ("outcome-submitted", "outcome-refused")],
    "commitment": [
        (
            "commitment-opened",
            "commitment-deadline-nearing",
            "commitment-deadline-missed",
            "commitment-deadline-moved",
            "commitment-miss-revoked",
            "commitment-completed",
            "commitment-contested",
            "commitment-completed",
            "commitment-verified",
            "commitment-closed",
        ),
        ("commitment-opened", "commitment-cancelled"),
    ],
    "survey": [("survey-opened", "rating-recorded", "survey-closed")],
    "work-record": [
        ("leadership-meeting-held", "work-record-withdrawn"),
        ("document-issued",),
        ("learning-session-held",),
        ("publicity-recorded",),
    ],
    "case": [
        (
            "case-opened",
            "case-party-registered",
            "case-consent-given",
            "case-rights-notified",
            "case-accepted",
            "case-mediator-assigned",
            "mediation-held",
            "case-agreement-reached",
            "dispute-resolved-by-mediation",
            "case-performance-overdue",
            "case-performance-overdue-revoked",
            "case-agreement-performed",
            "case-closed",
        ),
        (
            "case-opened",
            "case-accepted",
            "case-mediator-assigned",
            "mediation-held",
            "case-agreement-reached",
            "case-agreement-breached",
            "dispute-resolution-revoked",
        ),
        ("case-opened", "case-declined"),
        ("case-opened", "case-accepted", "case-mediator-assigned", "case-failed"),
        ("case-opened", "case-terminated"),
    ],
    "access": [("sealed-case-read",)],
    "erasure": [("subject-erased",)],
    "mediation-committee": [("mediation-committee-registered",)],
}
"""By the kind of stream, what may happen in it; every fact of the house happens at least once."""


def deciders() -> Mapping[str, AnyDecider]:
    """Every decider of every service, and the one they all have, by the kind of its streams."""
    found: dict[str, AnyDecider] = {erasure.category: erasure}
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if ".domain" in module.name:
            members = vars(importlib.import_module(module.name)).values()
            found |= {member.category: member for member in members if isinstance(member, Decider)}
    return found


def facts_of(decider: AnyDecider) -> Sequence[type[Fact]]:
    """What it folds, by the word of its ``evolve``."""
    *_, fact = [hint for name, hint in get_type_hints(decider.evolve).items() if name != "return"]
    return get_args(fact) or (fact,)


def in_words_of(lock: Lock, category: str, history: Sequence[str], version: int) -> Sequence[Stored]:
    """The stream as programs of that time stored it: each fact in that version, or in its newest if it has fewer."""
    facts: list[Stored] = []
    for place, name in enumerate(history, start=1):
        versions = lock.facts[name].versions
        n = min(version, max(versions))
        fact = stored(name, n, json.dumps(versions[n].samples[0]), category)
        facts.append(replace(fact, version=place, position=place))
    return facts
