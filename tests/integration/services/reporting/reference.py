"""Every figure once more, counted by hand over a list of facts: no definition and no SQL of the real thing is used."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from eventlog.facts import Stored
from vocabulary.calendar import SHANGHAI


@dataclass(frozen=True)
class Seen:
    """A fact, and the service whose topic it came on."""

    service: str
    fact: Stored
    data: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.fact.name

    @property
    def stream(self) -> tuple[str, str]:
        return self.service, str(self.fact.stream)


@dataclass(frozen=True)
class Listed:
    fact_id: UUID
    by: str
    adds: int


class Reference:
    """The facts of a county up to some positions, asked for a division and days."""

    def __init__(
        self,
        topics: Mapping[str, Sequence[Stored]],
        tenant: str,
        division: str,
        first: date,
        last: date,
        at: Mapping[str, int],
        without: UUID | None = None,
    ) -> None:
        self.seen = [
            Seen(service, fact, json.loads(fact.json))
            for service, facts in topics.items()
            for fact in facts
            if fact.tenant == tenant and fact.position <= at[service] and fact.fact_id != without
        ]
        self._division = division
        self._first = first
        self._last = last
        self._streams: dict[tuple[str, str], list[Seen]] = {}
        for one in self.seen:
            self._streams.setdefault(one.stream, []).append(one)

    def of(self, *names: str) -> Iterable[Seen]:
        return (one for one in self.seen if one.name in names)

    def here(self, one: Seen) -> bool:
        return one.fact.organ.split(".")[0].startswith(self._division)

    def in_days(self, day: date) -> bool:
        return self._first <= day <= self._last

    def in_period(self, one: Seen) -> bool:
        return self.here(one) and self.in_days(one.fact.occurred_at.astimezone(SHANGHAI).date())

    def later(self, one: Seen, *names: str) -> list[Seen]:
        return [
            other
            for other in self._streams[one.stream]
            if other.fact.version > one.fact.version and other.name in names
        ]

    def on_stream(self, one: Seen, *names: str) -> list[Seen]:
        return [other for other in self._streams[one.stream] if other.name in names]

    def standing_at_end(self, name: str, undone: str) -> Iterable[Seen]:
        end = datetime.combine(self._last + timedelta(days=1), datetime.min.time(), SHANGHAI)
        for one in self.of(name):
            ended = [other for other in self.later(one, undone) if other.fact.occurred_at < end]
            if self.here(one) and one.fact.occurred_at < end and not ended:
                yield one

    def disputes(self) -> Iterable[Seen]:
        last: dict[object, Seen] = {}
        standing = [
            one
            for one in self.of("dispute-resolved-by-mediation", "dispute-resolved-by-deliberation")
            if not self.later(one, "dispute-resolution-revoked")
        ]
        for one in sorted(standing, key=lambda one: (one.fact.occurred_at, one.fact.recorded_at, one.service)):
            last[one.fact.matter or one.stream] = one
        return (one for one in last.values() if self.in_period(one))

    def following(self, members: Iterable[Seen], *names: str) -> Iterable[Seen]:
        """Facts of these names on the members' streams, whenever they were."""
        streams = {one.stream for one in members}
        return (one for one in self.of(*names) if one.stream in streams)

    def commitments(self, dated: Callable[[Seen], bool]) -> list[Seen]:
        return [
            one
            for one in self.of("commitment-opened")
            if self.here(one) and dated(one) and not self.later(one, "commitment-cancelled")
        ]

    def due_in_period_as_last_counted(self, one: Seen) -> bool:
        return self.due_in_period([one, *self.on_stream(one, "commitment-deadline-moved")][-1])

    def due_in_period(self, one: Seen) -> bool:
        return self.in_days(datetime.fromisoformat(one.data["due"]).astimezone(SHANGHAI).date())

    def dated_in_period(self, *names: str) -> list[Seen]:
        return [one for one in self.of(*names) if self.in_period(one)]


def listed(ones: Iterable[Seen], by: Callable[[Seen], str] = lambda _: "none", adds: str | None = None) -> list[Listed]:
    found = [Listed(one.fact.fact_id, by(one), 1 if adds is None else one.data[adds]) for one in ones]
    return [one for one in found if one.adds]


def field(name: str) -> Callable[[Seen], str]:
    return lambda one: one.data[name]


def figures(r: Reference) -> Mapping[str, list[Listed]]:
    """Every count, terms of rates included, by slug: the facts behind it."""

    def in_period(*names: str, unless: Sequence[str] = (), **so: object) -> list[Seen]:
        return [
            one
            for one in r.dated_in_period(*names)
            if not (unless and r.later(one, *unless)) and all(one.data[k] == v for k, v in so.items())
        ]

    issues = in_period("issue-registered", unless=["issue-withdrawn"])
    classified = {one.fact.fact_id: r.on_stream(one, "issue-classified") for one in issues}
    key = [
        one
        for one in issues
        if classified[one.fact.fact_id] and classified[one.fact.fact_id][-1].data["classification"]["key"]
    ]
    accepted = in_period("issue-admitted", unless=["issue-withdrawn"])
    minutes = in_period("minutes-signed")
    outcomes = in_period("outcome-submitted")
    opened = r.commitments(r.in_period)
    due = r.commitments(r.due_in_period_as_last_counted)
    in_time = [
        one
        for one in r.following(due, "commitment-completed")
        if one.data["in_time"] and r.on_stream(one, "commitment-closed") and not r.later(one, "commitment-contested")
    ]
    cases = in_period("case-accepted")
    agreements = [
        one
        for one in r.of("case-agreement-reached")
        if r.here(one) and r.in_days(date.fromisoformat(one.data["perform_by"]))
    ]
    surveys = [one for one in in_period("survey-opened") if one.data["eligible"]]
    committees = list(r.standing_at_end("committee-established", "committee-dissolved"))
    meeting, error = "leadership-meeting-held", ["work-record-withdrawn"]
    return {
        "party-committee-meetings": listed(in_period(meeting, kind="party-committee", unless=error)),
        "cadre-meetings": listed(in_period(meeting, kind="cadre-staff", unless=error)),
        "leading-group-meetings": listed(in_period(meeting, kind="leading-group", unless=error)),
        "documents-issued": listed(in_period("document-issued", unless=error)),
        "learning-sessions": listed(in_period("learning-session-held", unless=error)),
        "workstations": listed(r.standing_at_end("workstation-established", "workstation-closed")),
        "committees": listed(committees),
        "neighbourhood-committees": listed(
            one for one in committees if one.data["programme"] == "party-building-neighbourhood"
        ),
        "opinions-collected": listed(in_period("submission-received"), field("channel")),
        "opinions-deduplicated": listed(
            in_period("submission-received", unless=["submission-merged", "submission-withdrawn"]), field("channel")
        ),
        "opinions-withdrawn": listed(in_period("submission-withdrawn")),
        "issues-registered": listed(issues),
        "key-issues": listed(key, lambda one: classified[one.fact.fact_id][-1].data["classification"]["category"]),
        "issues-admitted": listed(in_period("issue-admitted"), field("clause")),
        "issues-refused": listed(in_period("issue-refused"), field("clause")),
        "issues-accepted": listed(accepted),
        "issues-closed": listed(r.following(accepted, "issue-closed")),
        "sessions": listed(minutes, field("form")),
        "sessions-by-scale": listed(minutes, field("scale")),
        "sessions-by-level": listed(minutes, field("level")),
        "micro-consultations": listed(in_period("minutes-signed", scale="micro"), field("form")),
        "attendances": listed(minutes, adds="attendances"),
        "cppcc-attendances": listed(minutes, adds="cppcc_present"),
        "outcomes-submitted": listed(outcomes, field("kind")),
        "outcomes-adopted": listed(r.following(outcomes, "outcome-adopted")),
        "commitments-opened": listed(opened),
        "commitments-closed": listed(in_period("commitment-closed")),
        "opened-commitments-closed": listed(r.following(opened, "commitment-closed")),
        "commitments-due": listed(due),
        "due-commitments-closed-in-time": listed(in_time),
        "disputes-resolved": listed(r.disputes(), field("source")),
        "disputes-accepted": listed(cases, field("dispute")),
        "cases-agreed": listed(r.following(cases, "case-agreement-reached")),
        "agreements-due": listed(agreements),
        "due-agreements-performed": listed(r.following(agreements, "case-agreement-performed")),
        "ratings": listed(in_period("rating-recorded")),
        "ratings-satisfied": listed(
            one for one in in_period("rating-recorded") if one.data["rating"] != "dissatisfied"
        ),
        "eligible-raters": listed(surveys, adds="eligible"),
        "eligible-rated": listed(r.following(surveys, "rating-recorded")),
        "publicity": listed(in_period("publicity-recorded", unless=error), field("lead")),
    }


def by(facts: Iterable[Listed]) -> Mapping[str, int]:
    """What the facts of each breakdown value add up to."""
    sums: Counter[str] = Counter()
    for one in facts:
        sums[one.by] += one.adds
    return dict(sums)
