"""The gate: what stands between the classes of today and the lock, each as a sentence that says what to do."""

import json
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import NamedTuple

from pydantic import ValidationError

from eventlog.errors import CorruptHistory
from eventlog.facts import Fact
from tests.contract.facts.differences import differences
from tests.contract.facts.kinds import Kinds
from tests.contract.facts.lock import Lock, Locked, Version
from tests.contract.facts.samples import all_of, stored
from tests.contract.facts.schema import Unclear, schema_of

ADD = "Run `make facts-freeze`, and commit the lock with it"
READ = "Facts of it are stored for ever: write the upcast that reads them"
CHANGE = "Put it back, or make it schema={next} with an upcast, see docs/how-to-change-a-fact.md"


class Freeze(Enum):
    """When ``make facts-freeze`` writes a change into the lock."""

    ALWAYS = auto()
    BEFORE_A_RELEASE = auto()
    NEVER = auto()


class Finding(NamedTuple):
    """``says``: what is not as the lock has it; ``remedy``: what whoever changed it does now."""

    says: str
    remedy: str
    freeze: Freeze

    def __str__(self) -> str:
        return f"{self.says}. {self.remedy}."


def findings(lock: Lock, kinds: Kinds) -> list[Finding]:
    """Return what keeps the lock from being what the classes say; nothing when it is."""
    gone = [
        Finding(f"{name} has no class any more", "It is stored for ever: bring its class back", Freeze.BEFORE_A_RELEASE)
        for name in sorted(lock.facts.keys() - kinds.keys())
    ]
    return gone + [finding for name, kind in kinds.items() for finding in _of_fact(kind, lock.facts.get(name))]


def _of_fact(kind: type[Fact], locked: Locked | None) -> Iterator[Finding]:
    newest = 0 if locked is None else max(locked.versions)
    what, now = f"{kind.fact_name} v{kind.fact_schema}", kind.fact_schema
    if now < newest:
        yield Finding(f"{what} is older than v{newest}", "That is stored for ever: keep it", Freeze.BEFORE_A_RELEASE)
    elif now > newest + 1:
        yield Finding(f"{what} leaves out v{newest + 1}", "Versions are counted one by one", Freeze.NEVER)
    else:
        yield from _of_schema(kind, what, locked)
        yield from _of_history(kind, locked)


def _of_schema(kind: type[Fact], what: str, locked: Locked | None) -> Iterator[Finding]:
    """A new version, or what changed in the one that stands."""
    try:
        schema = schema_of(kind)
    except Unclear as unclear:
        yield Finding(f"{what} is unclear", str(unclear), Freeze.NEVER)
        return
    if locked is None or kind.fact_schema not in locked.versions:
        yield Finding(f"{what} is new", ADD, Freeze.ALWAYS)
        return
    for change in differences(locked.versions[kind.fact_schema].schema, schema):
        says = f"{what}: {change.field} {change.says}"
        if change.adds:
            yield Finding(says, ADD, Freeze.ALWAYS)
        else:
            yield Finding(says, CHANGE.format(next=kind.fact_schema + 1), Freeze.BEFORE_A_RELEASE)


def _of_history(kind: type[Fact], locked: Locked | None) -> Iterator[Finding]:
    """Whether all that was stored still reads, and each version's first sample still says what the next one's says."""
    versions: Mapping[int, Version] = {} if locked is None else locked.versions
    newer: Fact | None = None
    for n, version in sorted(versions.items(), reverse=True):
        what = f"{kind.fact_name} v{n}"
        told = (json.dumps(said) for sample in version.samples for said in all_of(version.schema, sample))
        try:
            first, *_ = [stored(kind.fact_name, n, text).read().data for text in told]
        except CorruptHistory as error:
            if n < kind.fact_schema:  # of the newest version the schema says more
                yield Finding(f"{what} no longer reads, {_why(error)}", READ, Freeze.NEVER)
        else:
            if newer not in (None, first):
                yield Finding(f"{what} no longer says what it said", "Put its upcast back", Freeze.NEVER)
            newer = first


def _why(error: CorruptHistory) -> str:
    """What the error keeps to itself, for history may be personal; samples are not."""
    match error.__context__:
        case ValidationError() as invalid:
            return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in invalid.errors())
        case cause:
            return repr(cause)
