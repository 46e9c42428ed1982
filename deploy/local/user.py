"""User: who PostgreSQL runs as when we are root, because it refuses to run as root."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import NoPostgres


@dataclass(frozen=True)
class User:
    """An unprivileged user, without supplementary groups."""

    uid: int
    gid: int

    def passes(self, directory: Path) -> bool:
        """Whether this user may go through ``directory`` and every directory above it."""
        real = directory.resolve()
        return all(self._may(each, stat.S_IXUSR) for each in (real, *real.parents))

    def runs(self, program: Path) -> bool:
        """Whether this user may execute ``program``."""
        real = program.resolve()
        return self.passes(real.parent) and self._may(real, stat.S_IRUSR | stat.S_IXUSR)

    def _may(self, path: Path, wanted: int) -> bool:
        """Whether the permission bits, given as those of the owner, hold for this user."""
        status = path.stat()
        if status.st_uid == self.uid:
            return status.st_mode & wanted == wanted
        if status.st_gid == self.gid:
            return status.st_mode & (wanted >> 3) == wanted >> 3
        return status.st_mode & (wanted >> 6) == wanted >> 6


def unprivileged(existing: Path) -> User | None:
    """None for an ordinary user. For root: the owner of ``existing`` when it is not root's, else ``nobody``."""
    if os.geteuid() != 0:
        return None
    if existing.exists() and (owner := existing.stat()).st_uid != 0:
        return User(owner.st_uid, owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise NoPostgres(
            "PostgreSQL refuses to run as root and there is no user `nobody` to run it as.",
            "Start the platform as an ordinary user.",
        ) from error
    return User(nobody.pw_uid, nobody.pw_gid)
