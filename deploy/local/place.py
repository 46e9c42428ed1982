"""Place: the directory PostgreSQL lives in, below the home wherever that is possible.

Root's PostgreSQL runs as ``nobody``. When the home lies below a directory ``nobody`` may not pass (``/root`` is one),
we do not open that directory: ``postgres`` in the home becomes a link to a directory of its own below ``ANNEXES``.
"""

import os
import secrets
from pathlib import Path

from deploy.local.errors import HomeNotOurs
from deploy.local.home import Home
from deploy.local.user import User

ANNEXES = Path("/var/lib/shangyi")


def postgres_place(home: Home, user: User | None) -> Path:
    """The directory for PostgreSQL of this home, made if it is missing, owned by ``user`` and closed to others.

    Raises HomeNotOurs when it was elsewhere and is gone: an empty one in its place would look like lost data.
    """
    if home.postgres.is_symlink() and not home.postgres.exists():
        raise HomeNotOurs(
            f"PostgreSQL's data was in {home.postgres.readlink()}, which is gone.",
            f"Bring it back, or delete the whole home {home.path} to start afresh.",
        )
    if not home.postgres.exists():
        if user is None:
            home.postgres.mkdir(mode=0o700)
        elif user.passes(home.path):
            home.postgres.mkdir(mode=0o700)
            os.chown(home.postgres, user.uid, user.gid)
        else:
            _annex(home, user)
    return home.postgres.resolve()


def orphans() -> tuple[Path, ...]:
    """Annexes whose home is gone or links elsewhere by now."""
    if not ANNEXES.is_dir():
        return ()
    return tuple(annex for annex in sorted(ANNEXES.iterdir()) if not _is_linked(annex))


def _annex(home: Home, user: User) -> None:
    if not ANNEXES.exists():
        ANNEXES.mkdir(parents=True)
        ANNEXES.chmod(0o711)
    annex = ANNEXES / secrets.token_hex(8)
    annex.mkdir(mode=0o700)
    (annex / "home").write_text(str(home.path), encoding="utf-8")
    os.chown(annex, user.uid, user.gid)
    home.postgres.symlink_to(annex)


def _is_linked(annex: Path) -> bool:
    try:
        home = Path((annex / "home").read_text(encoding="utf-8"))
        return (home / "postgres").resolve() == annex.resolve()
    except OSError:
        return False
