"""Memory: what each server of a running platform holds."""

from collections.abc import Mapping

import psutil

MB = 1_000_000


def resident() -> Mapping[str, float]:
    """MB by server, each with all its processes; ``supervisor`` is this process.

    On Linux memory that processes share counts in parts (PSS): the sum is what the machine gives. Elsewhere RSS.
    """
    us = psutil.Process()
    held = {"supervisor": megabytes(us)}
    for child in us.children():
        name = server_of(child.name(), child.cmdline())
        family = [child, *child.children(recursive=True)]
        held[name] = held.get(name, 0) + sum(megabytes(each) for each in family)
    return held


def server_of(program: str, argv: list[str]) -> str:
    """Name the server that a process is, from what it was started as."""
    for word in argv:
        match word.split("."):
            case ["services", service, *_]:
                return service
            case ["kafka", *_]:
                return "kafka"
            case _:
                pass
    return program


def megabytes(process: psutil.Process) -> float:
    """What one process holds, as ``resident`` counts it."""
    try:
        held = process.memory_full_info()
    except psutil.NoSuchProcess:  # a server's helper that ended meanwhile
        return 0
    return float(getattr(held, "pss", held.rss)) / MB
