"""Checkers: what must hold between a client's history and what the stores hold. Each is a pure function of the two.

Numbers are those of the promises' list of checks.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from eventlog.decider import AnyDecider
from eventlog.facts import Stored, StreamId
from eventlog.reactions import Reactions
from services.deliberation import reactions as deliberation
from services.deliberation.domain.commitment import commitment
from services.deliberation.domain.committee import committee
from services.intake import reactions as intake
from services.mediation import reactions as mediation
from services.mediation.domain.case import case
from tests.chaos.dump import Accepted, Dump, Entry, Service, entry_of
from tests.chaos.history import History, Story
from web.idempotency import command_id

MOST = 5  # of one sort that are told in full
TIMED: Mapping[str, AnyDecider] = {"commitment": commitment, "committee": committee, "case": case}
REACTIONS: Mapping[str, Mapping[str, Reactions]] = {
    "intake": {
        "intake": intake.to_ourselves,
        "deliberation": intake.to_deliberation,
        "mediation": intake.to_mediation,
    },
    "deliberation": {"deliberation": deliberation.to_ourselves, "intake": deliberation.to_intake},
    "mediation": {"intake": mediation.to_intake},
}
"""Service → whose facts it reacts to → how."""

Check = Callable[[History, Dump], Iterator[str]]


@dataclass(frozen=True)
class Violation:
    """What does not hold, by the name of its checker."""

    check: str
    says: str


def judge(history: History, dump: Dump) -> list[Violation]:
    """Ask every checker."""
    return [Violation(check.__name__, says) for check in CHECKS for says in _first(check(history, dump))]


def _first(found: Iterator[str]) -> list[str]:
    told = list(found)
    more = len(told) - MOST
    return told if more <= 0 else [*told[:MOST], f"and {more} more of these"]


def id_of(story: Story) -> str:
    """The command's id, as the services make it."""
    said = story.command
    return str(command_id(said.tenant, said.principal, f"POST {said.route}", said.key))


class _Effects:
    """What each command left in the log of its service: its facts, by the correlation they carry."""

    def __init__(self, service: Service) -> None:
        self.commands = {(row.tenant, row.command_id): row for row in service.commands}
        self.facts: dict[str, list[Stored]] = defaultdict(list)
        for fact in service.facts:
            if fact.causation is None:
                self.facts[str(fact.correlation)].append(fact)

    def row(self, story: Story) -> Accepted | None:
        return self.commands.get((story.command.tenant, id_of(story)))

    def of(self, story: Story) -> list[Stored]:
        return self.facts.get(story.command.correlation, [])


def _effects(history: History, dump: Dump) -> Iterator[tuple[Story, _Effects]]:
    effects = {name: _Effects(service) for name, service in dump.services.items()}
    for story in history.stories.values():
        yield story, effects[story.command.service]


def acked_is_kept(history: History, dump: Dump) -> Iterator[str]:
    """1. Whatever was answered 2xx is in the store, as far as the answer's version says."""
    for story, effects in _effects(history, dump):
        for ok in story.oks[:1]:
            facts = effects.of(story)
            if not facts:
                yield f"{ok.key} was answered {ok.status} and left no fact"
            elif facts[-1].version != ok.version:
                yield f"{ok.key} was answered version {ok.version}, its last fact is version {facts[-1].version}"
            elif ok.position != (told := _position(story, facts)):
                yield f"{ok.key} was answered position {ok.position}, and its last published fact is {told}"
            elif effects.row(story) is None:
                yield f"{ok.key} was answered {ok.status} and is not among the commands kept"


def _position(story: Story, facts: Sequence[Stored]) -> str | None:
    published = [fact.position for fact in facts if fact.published]
    return f"{story.command.service}-{published[-1]}" if published else None


def refused_left_nothing(history: History, dump: Dump) -> Iterator[str]:
    """1. A command that was decided with a no left nothing, also where an earlier attempt is unknown."""
    for story, effects in _effects(history, dump):
        if story.fails and not story.oks and (effects.of(story) or effects.row(story)):
            attempts = f"{len(story.unsure)} attempts unknown"
            yield f"{story.command.key} was refused ({story.fails[0].code}, {attempts}) and left facts"


def all_were_decided(history: History, dump: Dump) -> Iterator[str]:
    """1. No command stays in limbo, and none is decided both ways."""
    for story in history.stories.values():
        if not story.oks and not story.fails:
            yield f"{story.command.key} was never decided: {story.unsure[-1].why if story.unsure else 'unanswered'}"
        if story.oks and story.fails:
            yield f"{story.command.key} was answered both {story.oks[0].status} and {story.fails[0].code}"


def one_effect_a_key(history: History, dump: Dump) -> Iterator[str]:
    """2. A key has the facts of one append, and every answer to it is the same."""
    for story, effects in _effects(history, dump):
        facts = effects.of(story)
        whole = {(fact.tenant, fact.stream) for fact in facts}
        versions = [fact.version for fact in facts]
        if len(whole) > 1 or versions != list(range(versions[0], versions[0] + len(versions))) if facts else False:
            yield f"{story.command.key} left facts of several appends: {[str(f.stream) for f in facts]} {versions}"
        names = [fact.name for fact in facts]
        if len(names) != len(set(names)):
            yield f"{story.command.key} left {names}: the same fact twice"
        answers = {(ok.status, ok.version, ok.position, ok.body) for ok in story.oks}
        if len(answers) > 1:
            yield f"{story.command.key} was answered in {len(answers)} ways"


def a_key_keeps_its_words(history: History, _: Dump) -> Iterator[str]:
    """2. Other words under a key that was accepted are refused as such."""
    for reused in history.reused:
        if (reused.status, reused.code) != (422, "idempotency-key-reused"):
            yield f"{reused.key}, sent with other words, was answered {reused.status} {reused.code}"


def every_fact_was_asked_for(history: History, dump: Dump) -> Iterator[str]:
    """2. No fact without a command of the history, a reaction or a timer behind it."""
    asked = {story.command.correlation for story in history.stories.values()}
    for name, service in dump.services.items():
        for fact in service.facts:
            known = fact.causation is not None or fact.actor == "timer" or str(fact.correlation) in asked
            if not known and not str(fact.stream).startswith("access/"):
                yield f"{name} has {fact.name} at {fact.position}, which nobody asked for"


def versions_have_no_gaps(_: History, dump: Dump) -> Iterator[str]:
    """3. Within a stream versions are 1, 2, 3 … to where the stream stands, and positions grow with them."""
    for name, service in dump.services.items():
        found: dict[tuple[str, str], list[Stored]] = defaultdict(list)
        for fact in service.facts:  # in order of position
            found[fact.tenant, str(fact.stream)].append(fact)
        stands = {(stream.tenant, stream.stream): stream.version for stream in service.streams}
        for key in sorted(found.keys() | stands.keys()):
            versions = [fact.version for fact in found.get(key, [])]
            if versions != list(range(1, stands.get(key, 0) + 1)):
                yield f"{name} {key} stands at {stands.get(key)}, and has versions {versions}"


def topic_is_the_log(_: History, dump: Dump) -> Iterator[str]:
    """4. A topic has the published facts, in the log's order when first met, numbered 1, 2, 3 …, each as one body."""
    for name, service in dump.services.items():
        published = [fact for fact in service.facts if fact.published]
        yield from _copies(f"topic of {name}", published, _first_met(service.topic))
        yield from _two_bodies(name, service.topic)


def _first_met(topic: Sequence[Entry]) -> list[Entry]:
    """What a reader takes that applies ``last + 1`` and drops what it has."""
    taken: dict[str, Entry] = {}
    for entry in topic:
        taken.setdefault(entry.fact_id, entry)
    return list(taken.values())


def _two_bodies(name: str, topic: Sequence[Entry]) -> Iterator[str]:
    seen: dict[str, Entry] = {}
    by_number: dict[int, str] = {}
    for entry in topic:
        if seen.setdefault(entry.fact_id, entry) != entry:
            yield f"topic of {name}: fact {entry.fact_id} has two bodies or numbers"
        if by_number.setdefault(entry.pseq, entry.fact_id) != entry.fact_id:
            yield f"topic of {name}: number {entry.pseq} is borne by two facts"


def _copies(where: str, published: Sequence[Stored], entries: Sequence[Entry]) -> Iterator[str]:
    wanted = [entry_of(fact, n) for n, fact in enumerate(published, start=1)]
    ids, there = {entry.fact_id for entry in wanted}, {entry.fact_id for entry in entries}
    for missing in sorted(ids - there):
        yield f"{where} lacks fact {missing}"
    for more in sorted(there - ids):
        yield f"{where} has fact {more}, which the log does not"
    if ids == there and list(entries) != wanted:
        differ = [(e, w) for e, w in zip(entries, wanted, strict=False) if e != w]
        first = f"{differ[0][0]} stands where {differ[0][1]} belongs" if differ else f"{len(entries)} of {len(wanted)}"
        yield f"{where} has the log's facts, but {first}"


def fact_store_is_the_topic(_: History, dump: Dump) -> Iterator[str]:
    """4. What reporting kept is what was published, in order, each fact once."""
    for name, service in dump.services.items():
        kept = dump.fact_store[name]
        for fact_id, times in Counter(entry.fact_id for entry in kept).items():
            if times > 1:
                yield f"reporting kept fact {fact_id} of {name} {times} times"
        yield from _copies(f"reporting, of {name},", [fact for fact in service.facts if fact.published], kept)


def read_models_are_folds(_: History, dump: Dump) -> Iterator[str]:
    """5. Every row is what the pure fold of the facts says."""
    if dump.difference is not None:
        yield dump.difference


def reactions_were_sent(_: History, dump: Dump) -> Iterator[str]:
    """5. What follows from a fact was sent, and accepted or refused, once."""
    for name, sources in REACTIONS.items():
        service = dump.services[name]
        known = {row.command_id for row in service.commands} | service.refused
        for source, reactions in sources.items():
            for fact in dump.services[source].facts:
                if source != name and not fact.published:
                    continue
                for reaction, sent, send in reactions.sends(fact):
                    if str(sent) not in known:
                        yield f"{name} never did {reaction} to {send.decider.category}/{send.key} for {fact.name}"


def timers_fired_once(_: History, dump: Dump) -> Iterator[str]:
    """6. What an aggregate says falls due stands in the timers until it was due, then took effect once, never early."""
    for name, service in dump.services.items():
        histories: dict[tuple[str, StreamId], list[Stored]] = defaultdict(list)
        for fact in service.facts:
            if fact.stream.category in TIMED:
                histories[fact.tenant, fact.stream].append(fact)
        expected: Counter[tuple[str, str, str, str]] = Counter()
        for (tenant, stream), facts in histories.items():
            yield from _fired(facts, expected, tenant, stream, service.now)
        standing = Counter((t.tenant, t.stream, t.due_at, t.command) for t in service.timers)
        for timer in sorted((expected - standing).keys()):
            yield f"{name} forgot the timer {timer}"
        for timer in sorted((standing - expected).keys()):
            yield f"{name} holds the timer {timer}, which the aggregate does not want"


def _fired(
    facts: Sequence[Stored], expected: Counter[tuple[str, str, str, str]], tenant: str, stream: StreamId, now: datetime
) -> Iterator[str]:
    """Walk through a stream; add the timers it ends with to ``expected``."""
    decider = TIMED[stream.category]
    state = decider.initial
    for fact in facts:
        if fact.actor == "timer":
            due = [timer.at for timer in decider.due(state)]
            if fact.occurred_at not in due:
                yield f"a timer acted on {stream} at version {fact.version}, for which nothing was due"
            if fact.recorded_at < fact.occurred_at:
                yield f"a timer of {stream} fired early, at {fact.recorded_at} for {fact.occurred_at}"
        state = decider.fold([fact.read().data], state)
    for timer in decider.due(state):
        if timer.at <= now:
            yield f"a timer of {stream} was due at {timer.at} and never fired"
        expected[tenant, str(stream), timer.at.isoformat(), type(timer.command).__name__] += 1


def own_writes_are_seen(history: History, _: Dump) -> Iterator[str]:
    """7. Whoever asks with the position of their own command finds its row."""
    for look in history.looks:
        if look.status == 200 and not look.seen:
            yield f"{look.key} was told {look.position}, and reporting did not show it"
        if look.status not in {200, 504, 503}:
            yield f"a look behind {look.key} was answered {look.status}"


def nobody_was_stuck(history: History, _: Dump) -> Iterator[str]:
    """What had to follow did, and what had to be accepted was."""
    for stuck in history.stuck:
        yield f"{stuck.actor}: {stuck.why}"


CHECKS: Sequence[Check] = (
    acked_is_kept,
    refused_left_nothing,
    all_were_decided,
    one_effect_a_key,
    a_key_keeps_its_words,
    every_fact_was_asked_for,
    versions_have_no_gaps,
    topic_is_the_log,
    fact_store_is_the_topic,
    read_models_are_folds,
    reactions_were_sent,
    timers_fired_once,
    own_writes_are_seen,
    nobody_was_stuck,
)
