"""Report: a verdict as somebody reads it."""

from tests.chaos.run import Verdict


def told(verdict: Verdict) -> str:
    """What was done, what it cost, and whether everything held."""
    rate = verdict.commands / verdict.seconds if verdict.seconds else 0
    lines = [
        f"seed {verdict.seed}: {verdict.commands} commands decided in {verdict.seconds:.0f} s ({rate:.0f}/s), "
        f"{verdict.attempts} attempts, {verdict.unsure} of them unknown, {verdict.looks} looks; "
        f"at rest {verdict.rest:.1f} s later"
    ]
    lines += [
        f"  {effect.began:7.1f} s  {effect.kind:<13} {effect.target:<22} "
        f"{effect.ended - effect.began:5.1f} s ill, well after {effect.well - effect.began:5.1f} s: {effect.says}"
        for effect in verdict.effects
    ]
    lines += [f"void: {why}" for why in verdict.void]
    lines += [f"VIOLATED {violation.check}: {violation.says}" for violation in verdict.violations]
    lines.append("void" if verdict.void else "violated" if verdict.violations else "everything holds")
    return "\n".join(lines)
