"""The work report in English: the same figures, in the same order."""

from collections.abc import Sequence
from datetime import date

from facts.deliberation.session import Form
from facts.deliberation.work_record import Lead
from facts.intake.submission import Channel
from services.reporting.indicators.satisfaction import FEWEST
from services.reporting.reports.figures import Untold
from services.reporting.reports.narrative import Narrative, Section
from services.reporting.reports.words import english, rate_said
from services.reporting.reports.work_report import WorkReport, tens
from vocabulary.kinds import Category
from web.messages import Language


def write(report: WorkReport) -> Narrative:
    """Return title, lead and three parts; the first paragraph of each is the article's, the rest tells more."""
    return Narrative(
        title="Consultation at the grassroots: “Let's talk it over”",
        subtitle=f"Work report of {report.place}, {_day(report.first)} to {_day(report.last)}",
        lead=_lead(report),
        sections=[
            Section("1. Leadership and a new platform for deliberation", [_leadership(report)]),
            Section(
                "2. Governance and a new practice of deliberation",
                [
                    _governance(report),
                    _collection(report),
                    f"{_sessions(report)} {_follow_up(report)}",
                    _disputes(report),
                    _satisfaction(report),
                ],
            ),
            Section("3. Publicity and a new climate for deliberation", [_publicity(report)]),
        ],
        note=f"(As of {report.question.at}; every number opens down to its facts.)",
    )


def _lead(report: WorkReport) -> str:
    done = [
        _n(report.count("opinions-collected"), "opinion", "collected"),
        _n(report.count("key-issues"), "key issue", "identified"),
        _n(report.count("sessions"), "session", "held"),
        _n(report.count("disputes-resolved"), "dispute", "resolved"),
    ]
    sum_up = _list(done)
    return f"{report.place} carried CPPCC consultation on to the grassroots" + (f": {sum_up}." if sum_up else ".")


def _leadership(report: WorkReport) -> str:
    meetings = [
        _n(report.count("party-committee-meetings"), "Party committee meeting"),
        _n(report.count("cadre-meetings"), "cadre and staff meeting"),
        _n(report.count("leading-group-meetings"), "leading group meeting"),
    ]
    bodies = [
        _n(report.count("workstations"), "CPPCC member workstation"),
        _n(report.count("committees"), "deliberation committee"),
    ]
    documents = _n(report.count("documents-issued"), "document")
    learning = _n(report.count("learning-sessions"), "learning session")
    neighbourhood = report.count("neighbourhood-committees")
    run_so = f", {neighbourhood} of them run as party building + neighbourhood" if neighbourhood else ""
    return _sentences(
        f"The leadership held {_list(meetings)} on this work" if _list(meetings) else "No leadership meeting was held",
        f"It issued {documents}{_titled(report)}" if documents else "No document was issued",
        f"Members had {learning}" if learning else "No learning session was held",
        f"On {_day(report.last)} there were {_list(bodies)}{run_so}"
        if _list(bodies)
        else f"On {_day(report.last)} there was neither a workstation nor a committee",
    )


def _titled(report: WorkReport) -> str:
    titles = _list([f"“{title}”" for title in report.documents])
    return f", among them {titles}" if titles else ""


def _governance(report: WorkReport) -> str:
    """The article's own paragraph, as far as there is something to tell."""
    channels = _list([english(channel) for channel, _ in report.by("opinions-collected", Channel)])
    categories = _list([english(category) for category, _ in report.by("key-issues", Category)])
    forms = _list([english(form) for form, _ in report.by("micro-consultations", Form)])
    key, micro = report.count("key-issues"), report.count("micro-consultations")
    resolved = report.count("disputes-resolved")
    return _sentences(
        f"Through {channels}, {_n(key, 'key issue')} that people care about came up, such as {categories}; they were "
        "handled by the principle “talk it over” and the method “ten to deliberate, seven not to”"
        if key
        else "",
        f"Through {forms}, {_about(micro, 'micro consultation', report)} were held" if micro else "",
        _n(resolved, "dispute", f"among the people {'was' if resolved == 1 else 'were'} resolved"),
        "The results of deliberation and people's satisfaction both rose" if report.comparison.both_rose else "",
    )


def _collection(report: WorkReport) -> str:
    opinions, distinct = report.count("opinions-collected"), report.count("opinions-deduplicated")
    channels = _list([f"{english(channel)} {n}" for channel, n in report.by("opinions-collected", Channel)])
    key = report.count("key-issues")
    categories = _list([f"{english(category)} {n}" for category, n in report.by("key-issues", Category)])
    screened = [
        _n(report.count("issues-admitted"), "issue", "admitted"),
        _n(report.count("issues-refused"), "issue", "refused"),
    ]
    return _sentences(
        f"{_n(opinions, 'opinion')} came in ({channels}), {distinct} of them distinct"
        if opinions
        else "No opinion came in",
        f"{_n(key, 'key issue')} came out of them ({categories})" if key else "No key issue came out of them",
        f"Screening: {_list(screened)}" if _list(screened) else "",
    )


def _sessions(report: WorkReport) -> str:
    sessions, micro = report.count("sessions"), report.count("micro-consultations")
    if not sessions:
        return "No session was held."
    forms = _list([f"{english(form)} {n}" for form, n in report.by("sessions", Form)])
    small = f", among them {_about(micro, 'micro consultation', report)}" if micro else ""
    people = _n(report.count("attendances"), "attendance")
    members = report.count("cppcc-attendances")
    return _sentences(
        f"{_about(sessions, 'session', report)} were held ({forms}){small}"
        if sessions > 1
        else f"1 session was held ({forms}){small}",
        f"There were {people}" + (f", {members} of CPPCC members" if members else "") if people else "",
    )


def _follow_up(report: WorkReport) -> str:
    outcomes, opened = report.count("outcomes-submitted"), report.count("commitments-opened")
    return _sentences(
        f"{_n(outcomes, 'outcome')} submitted, adoption rate {_rate(report, 'adoption-rate')}"
        if outcomes
        else "No outcome was submitted",
        f"{_n(opened, 'promise')} made, closure rate {_rate(report, 'commitment-closure-rate')}" if opened else "",
        _if_told(report, "timely-closure-rate", "Closed in time, of what fell due: {}"),
    )


def _disputes(report: WorkReport) -> str:
    resolved, accepted = report.count("disputes-resolved"), report.count("disputes-accepted")
    return _sentences(
        "" if resolved else "No dispute was resolved",
        f"{_n(accepted, 'case')} accepted for mediation, success rate {_rate(report, 'mediation-success-rate')}"
        if accepted
        else "",
        _if_told(report, "performance-rate", "Agreements performed, of those due: {}"),
    )


def _satisfaction(report: WorkReport) -> str:
    satisfaction = report.rate("satisfaction-rate")
    if not satisfaction.denominator.facts:
        return "No rating came in."
    if satisfaction.untold is Untold.TOO_FEW:
        return f"Fewer than {FEWEST} ratings came in, so satisfaction is not told."
    return _sentences(
        f"Satisfaction rate {_rate(report, 'satisfaction-rate')}",
        _if_told(report, "participation-rate", "Participation rate {}"),
        _compared(report),
    )


def _compared(report: WorkReport) -> str:
    """How adoption and satisfaction stand beside the period before; each where both of its rates are told."""
    comparison = report.comparison
    names = {"adoption-rate": "adoption", "satisfaction-rate": "satisfaction"}
    changes = [
        f"{name} went from {rate_said(change.earlier, Language.EN)} to {rate_said(change.later, Language.EN)}"
        for slug, name in names.items()
        if (change := comparison.changes[slug]).told
    ]
    beside = "From the first to the second half of the year" if comparison.halves else "Beside the period before"
    return f"{beside}, {_list(changes)}" if changes else ""


def _publicity(report: WorkReport) -> str:
    publicity = report.count("publicity")
    leads = _list([f"{english(lead)} {n}" for lead, n in report.by("publicity", Lead)])
    if not publicity:
        return "No publicity was recorded."
    return (
        f"{_n(publicity, 'publicity activity', plural='publicity activities')} recorded, by who took the lead: {leads}."
    )


def _sentences(*sentences: str) -> str:
    return " ".join(f"{sentence[0].upper()}{sentence[1:]}." for sentence in sentences if sentence)


def _list(items: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``; what is empty is left out."""
    there = [item for item in items if item]
    return " and ".join(filter(None, [", ".join(there[:-1]), *there[-1:]]))


def _n(value: int, what: str, done: str = "", *, plural: str = "") -> str:
    """``1 document issued``, ``3 documents issued``; nothing when there is none."""
    if not value:
        return ""
    return " ".join(filter(None, [str(value), what if value == 1 else plural or f"{what}s", done]))


def _about(value: int, what: str, report: WorkReport) -> str:
    whole = tens(value) if report.about else None
    return _n(value, what) if whole is None else f"more than {_n(whole, what)}"


def _rate(report: WorkReport, slug: str) -> str:
    found = report.rate(slug)
    parts = f" ({found.numerator.value}/{found.denominator.value})" if found.untold is None else ""
    return rate_said(found, Language.EN) + parts


def _if_told(report: WorkReport, slug: str, sentence: str) -> str:
    return "" if report.rate(slug).value is None else sentence.format(_rate(report, slug))


def _day(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"
