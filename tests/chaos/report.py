"""Report: a verdict as somebody reads it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.run import Verdict
from tests.chaos.trials import Trial


def told(verdict: Verdict) -> str:
    """What was done, what it cost, and whether everything held."""
    rate = verdict.commands / verdict.seconds if verdict.seconds else 0
    lines = [
        f"seed {verdict.seed}: {verdict.commands} commands decided in {verdict.seconds:.0f} s ({rate:.0f}/s), "
        f"{verdict.attempts} attempts, {verdict.looks} looks; at rest {verdict.rest:.1f} s later"
    ]
    if verdict.unsure:
        lines.append("unknown: " + ", ".join(f"{n} {why}" for why, n in verdict.unsure.items()))
    lines += [
        f"  {effect.began:7.1f} s  {effect.kind:<13} {effect.target:<22} "
        f"{effect.ended - effect.began:5.1f} s ill, well after {effect.well - effect.began:5.1f} s: {effect.says}"
        for effect in verdict.effects
    ]
    lines += [
        f"  {kind:<28} {n:3} times, served again after {middle:.2f} s (median), {longest:.2f} s (longest)"
        for kind, (n, middle, longest) in verdict.recovery.items()
    ]
    lines += [f"void: {why}" for why in verdict.void]
    lines += [f"VIOLATED {violation.check}: {violation.says}" for violation in verdict.violations]
    lines.append("void" if verdict.void else "violated" if verdict.violations else "everything holds")
    return "\n".join(lines)


@dataclass(frozen=True)
class Tried:
    """What came of one run of a trial: which checks found something."""

    bug: str
    seed: int
    planted: bool
    checks: Sequence[str]
    void: Sequence[str]


def table(trials: Sequence[Trial], tried: Sequence[Tried]) -> str:
    """Bug by bug: in how many seeds it was caught, by which checks, and whether a clean build passes the same plans."""
    lines = ["| Planted | What it is | Caught | By | Clean build, same plans |", "|---|---|---|---|---|"]
    for trial in trials:
        planted = [each for each in tried if each.bug == trial.bug and each.planted and not each.void]
        clean = [each for each in tried if each.bug == trial.bug and not each.planted and not each.void]
        caught = sum(bool(each.checks) for each in planted)
        by = Counter(check for each in planted for check in each.checks)
        names = ", ".join(f"`{check}` {n}" for check, n in by.most_common())
        passed = sum(not each.checks for each in clean)
        lines.append(
            f"| {trial.bug} | {trial.says} | {caught} of {len(planted)} | {names} | passes {passed} of {len(clean)} |"
        )
    return "\n".join(lines)
