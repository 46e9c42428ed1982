"""``make facts-freeze``: bring the lock to what the classes say. After a release, only by adding to it."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from eventlog.facts import Data, Fact
from tests.contract.facts.gate import Finding, Freeze, findings
from tests.contract.facts.kinds import Kinds, kinds, service_of
from tests.contract.facts.lock import FOLDER, Lock, Locked, Version, read, write
from tests.contract.facts.samples import filled, fits, made_up, say_all, stored
from tests.contract.facts.schema import schema_of


class Refused(Exception):
    """The lock may not be brought to what the classes say: for each reason a sentence."""

    def __init__(self, reasons: Sequence[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in reasons))


def frozen(lock: Lock, kinds: Kinds) -> Lock:
    """Return the lock of these classes: nothing that stands is lost, and none of its samples. Raises Refused."""
    allowed = {Freeze.ALWAYS} if lock.released else {Freeze.ALWAYS, Freeze.BEFORE_A_RELEASE}
    if reasons := [finding for finding in findings(lock, kinds) if finding.freeze not in allowed]:
        raise Refused(reasons)
    return replace(lock, facts={name: _of_fact(kind, lock.facts.get(name)) for name, kind in kinds.items()})


def _of_fact(kind: type[Fact], locked: Locked | None) -> Locked:
    versions = {} if locked is None else {n: v for n, v in locked.versions.items() if n <= kind.fact_schema}
    newest = Version(schema_of(kind), _samples(kind, versions))
    return Locked(service_of(kind), {**versions, kind.fact_schema: newest})


def _samples(kind: type[Fact], versions: dict[int, Version]) -> Sequence[Data]:
    """Those there are; for a new version the first of the one before, upcast; and what they leave open."""
    now = kind.fact_schema
    if now in versions:
        samples = [sample for sample in versions[now].samples if fits(kind, sample)]
    elif now - 1 in versions:
        before = json.dumps(versions[now - 1].samples[0])
        samples = [stored(kind.fact_name, now - 1, before).read().data.model_dump(mode="json")]
    else:
        samples = []
    made = made_up(kind)
    return samples if say_all(samples, made) else [*samples, filled(samples[-1] if samples else None, made)]


def freeze(folder: Path, kinds: Kinds) -> int:
    """Do it, and say what was done or why not; return the process's exit status."""
    lock = read(folder)
    try:
        new = frozen(lock, kinds)
    except Refused as refused:
        sys.stderr.write(f"{refused}\nThe lock was not changed.\n")
        return 1
    write(new, folder)
    sys.stdout.write("".join(f"{finding.says}\n" for finding in findings(lock, kinds)))
    return 0


if __name__ == "__main__":
    sys.exit(freeze(FOLDER, kinds()))
