"""Recovery: how long after each fault somebody was served again, and whether anything stayed undecided for too long."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import median

from tests.chaos.faults import Effect
from tests.chaos.history import History
from tests.chaos.plan import SERVICES, WRITERS

LIMBO = 30.0  # seconds after the last fault's end: the promise


def times(history: History, effects: Sequence[Effect]) -> dict[str, tuple[int, float, float]]:
    """Kind of fault → how many, and the median and longest time from its end to the next success of what it hit."""
    successes: dict[str, list[float]] = defaultdict(list)
    for story in history.stories.values():
        successes[story.command.service] += [ok.t for ok in story.oks]
    successes["reporting"] += [look.t for look in history.looks if look.status == 200]
    for found in successes.values():
        found.sort()
    taken: dict[str, list[float]] = defaultdict(list)
    for effect in effects:
        waits = [_next(successes[name], effect.ended) - effect.ended for name in hit_by(effect)]
        taken[f"{effect.kind} {sort_of(effect)}"].append(max(waits))
    return {kind: (len(found), round(median(found), 2), round(max(found), 2)) for kind, found in sorted(taken.items())}


def hit_by(effect: Effect) -> Sequence[str]:
    """The services whose commands, or looks, show that a target is well again."""
    if effect.target in SERVICES:
        return [effect.target]
    service = effect.target.partition("-")[0]
    if service in SERVICES:
        return [service]
    return WRITERS if effect.target == "postgres" else ["reporting"]


def sort_of(effect: Effect) -> str:
    service, _, server = effect.target.partition("-")
    return f"{server} link" if server else "service" if service in SERVICES else service


def _next(moments: Sequence[float], t: float) -> float:
    """The first moment from ``t`` on; ``t`` itself where none came, for the run was over."""
    at = bisect_left(moments, t)
    return moments[at] if at < len(moments) else t


def left_in_limbo(history: History, effects: Sequence[Effect]) -> Iterator[str]:
    """Whatever was sent before the last fault ended is decided within 30 s of that end."""
    if not effects:
        return
    end = max(effect.ended for effect in effects)
    for story in history.stories.values():
        began = story.invoked[0].t if story.invoked else end
        if began < end and (story.answered is None or story.answered > end + LIMBO):
            yield f"{story.command.key}, sent at {began} s, was not decided by {end + LIMBO:.1f} s: {story.answered}"
