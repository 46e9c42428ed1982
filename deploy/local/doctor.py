"""Doctor: what could keep the platform from running on this machine, and what to do about it."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.local import leftovers, place, ports
from deploy.local.binaries import find_binaries
from deploy.local.errors import LocalError
from deploy.local.home import Home
from deploy.local.jars import Jars
from deploy.local.java import find_java
from deploy.local.settings import Settings

_OLDEST_PYTHON = (3, 11)
_SPACE = 2 * 1024**3
_LITTLE = 200 * 1024**2


@dataclass(frozen=True)
class Finding:
    """One thing looked at; ``remedy`` is empty when it is well."""

    name: str
    ok: bool
    says: str
    remedy: str = ""


def examine(settings: Settings) -> tuple[Finding, ...]:
    """Everything that was looked at. Changes nothing, starts nothing that stays."""
    home = Home(settings.home)
    findings = [_python(), _home(home), _space(home)]
    if settings.postgres_dsn is None:
        findings.append(_postgres(settings))
    if settings.kafka_bootstrap is None:
        findings += [_java(), _jars(Jars(settings.cache), settings.cache)]
    if findings[1].ok:
        findings += [_ports(home), _stale(home)]
    return (*findings, *_annexes())


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info >= _OLDEST_PYTHON:
        return Finding("python", True, f"Python {version}")
    return Finding("python", False, f"Python {version} is too old.", "Install Python 3.11 or later.")


def _postgres(settings: Settings) -> Finding:
    try:
        return Finding("postgres", True, f"PostgreSQL in {find_binaries(settings.postgres_bin)}")
    except LocalError as error:
        return Finding("postgres", False, error.says, error.remedy)


def _java() -> Finding:
    try:
        return Finding("java", True, f"Java at {find_java()}")
    except LocalError as error:
        return Finding("java", False, error.says, error.remedy)


def _jars(jars: Jars, cache: Path) -> Finding:
    if damaged := jars.damaged():
        names = ", ".join(str(file) for file in damaged)
        return Finding("jars", False, f"Damaged: {names}.", "Delete it; the next start downloads it anew.")
    if missing := jars.missing():
        return Finding("jars", True, f"{len(missing)} of Kafka's archives are downloaded by the next start.")
    return Finding("jars", True, f"Kafka's archives in {cache} are intact.")


def _home(home: Home) -> Finding:
    """Its directories, and those it would be made in, belong to whoever asks."""
    remedy = "Give it to the user who starts the platform, or set SHANGYI_HOME to another directory."
    existing = _existing(home.path)
    ours = (existing, *(each for each in (home.kafka, home.keys, home.logs, home.run) if each.exists()))
    for directory in ours:
        if not os.access(directory, os.W_OK | os.X_OK):
            return Finding("home", False, f"{directory} cannot be written.", remedy)
    for secret in home.keys.glob("*"):
        if secret.suffix in {".secret", ".pem"} and secret.stat().st_mode & 0o077:
            return Finding("home", False, f"{secret} can be read by others.", f"Run `chmod 600 {secret}`.")
    return Finding("home", True, f"State in {home.path}")


def _space(home: Home) -> Finding:
    """A new home needs room to grow; an old one must not run full."""
    free = shutil.disk_usage(_existing(home.path)).free
    needed = _LITTLE if home.kafka.exists() else _SPACE
    if free >= needed:
        return Finding("disk", True, f"{free // 1024**2} MB free")
    return Finding(
        "disk", False, f"Only {free // 1024**2} MB are free.", f"Make room: {needed // 1024**2} MB at least."
    )


def _ports(home: Home) -> Finding:
    """A taken port is no fault: another is used."""
    if home.holder() is not None:
        return Finding("ports", True, "Held by the running platform.")
    taken = [f"{port} ({name})" for name, port in ports.USUAL.items() if not ports.is_free(port)]
    if taken:
        return Finding("ports", True, f"Taken by other programs, free ones will be used instead: {', '.join(taken)}")
    return Finding("ports", True, "The usual ports are free.")


def _stale(home: Home) -> Finding:
    """Children without a platform."""
    running = [name for name, alive in leftovers.recorded(home).items() if alive]
    if home.holder() is not None:
        return Finding("processes", True, f"The platform runs: {', '.join(running) or 'nothing of it yet'}.")
    if running:
        says = f"Left by a platform that was killed: {', '.join(running)}."
        return Finding("processes", False, says, "Nothing to do: the next start ends them first.")
    return Finding("processes", True, "Nothing is left of an earlier platform.")


def _annexes() -> tuple[Finding, ...]:
    """PostgreSQL's data of homes that were deleted."""
    return tuple(
        Finding(
            "annex", False, f"{annex} belongs to a home that is gone.", f"Delete {annex} if you do not want it back."
        )
        for annex in place.orphans()
    )


def _existing(path: Path) -> Path:
    """``path`` or the nearest directory above it that exists."""
    return next(each for each in (path, *path.parents) if each.exists())
