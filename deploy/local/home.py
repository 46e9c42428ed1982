"""Home: the state directory of one platform, and the proof that only one platform uses it."""

import fcntl
import os
import secrets
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.endpoints import Endpoints
from deploy.local.errors import HomeInUse, HomeNotOurs
from deploy.local.files import write_whole

_PATIENCE = 1.0  # seconds: a look by `status` or the last breath of a killed platform may hold the lock


class Home:
    """A directory of ours: ``postgres/``, ``kafka/``, ``keys/``, ``logs/`` and ``run/`` below ``path``.

    Nothing outside it is ever changed, with one exception said in ``place.py``.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.abspath(path))  # `resolve` would follow a link the user chose
        self.postgres = self.path / "postgres"
        self.kafka = self.path / "kafka"
        self.keys = self.path / "keys"
        self.logs = self.path / "logs"
        self.run = self.path / "run"

    def create(self) -> None:
        """Make what is missing. Raises HomeNotOurs where that is not allowed.

        A home made here can be passed through by others (PostgreSQL does not run as root), its secrets cannot be read.
        """
        try:
            if not self.path.exists():
                self.path.mkdir(parents=True)
                self.path.chmod(0o711)
            for directory in (self.kafka, self.keys, self.logs, self.run):
                if not directory.exists():
                    directory.mkdir(mode=0o700)
            write_whole(self.run / "trial", "")
            (self.run / "trial").unlink()
        except OSError as error:
            raise HomeNotOurs(
                f"The state directory {self.path} cannot be written: {error.strerror}.",
                "Give it to the user who starts the platform, or set SHANGYI_HOME to another directory.",
            ) from error

    @contextmanager
    def locked(self) -> Generator[None]:
        """Hold the home while the block runs; the kernel lets go of it when the process dies, however it dies.

        Raises HomeInUse when another platform holds it.
        """
        self.create()
        with self._lock_file().open("a+") as lock:
            if not _take(lock.fileno(), fcntl.LOCK_EX, _PATIENCE):
                raise HomeInUse(
                    f"A platform (process {_pid(self._lock_file())}) is already running on {self.path}.",
                    "Stop it with `shangyi stop`, or set SHANGYI_HOME to start a second one beside it.",
                )
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            try:
                yield
            finally:
                self._endpoints_file().unlink(missing_ok=True)
                lock.truncate(0)

    def holder(self) -> int | None:
        """Process id of the platform that runs on this home, None when none does, whatever files say."""
        try:
            with self._lock_file().open("r") as lock:
                return None if _take(lock.fileno(), fcntl.LOCK_SH, 0) else _pid(self._lock_file())
        except FileNotFoundError:
            return None

    def publish(self, endpoints: Endpoints) -> None:
        """Write ``run/platform.json`` for `shangyi status` and tests; it is gone when the lock is released."""
        write_whole(self._endpoints_file(), endpoints.model_dump_json(indent=2))

    def endpoints(self) -> Endpoints | None:
        """Where the running platform is reached; None when none runs or it is still starting."""
        if self.holder() is None:
            return None
        try:
            return Endpoints.model_validate_json(self._endpoints_file().read_bytes())
        except FileNotFoundError:
            return None

    def secret(self, name: str) -> str:
        """The password called ``name``: URL-safe, made on first use, the same ever after, readable by us only."""
        path = self.keys / f"{name}.secret"
        if not path.exists():
            write_whole(path, secrets.token_urlsafe(24))
        return path.read_text(encoding="utf-8")

    def _lock_file(self) -> Path:
        return self.run / "platform.pid"

    def _endpoints_file(self) -> Path:
        return self.run / "platform.json"


def _take(descriptor: int, kind: int, patience: float) -> bool:
    """Whether the lock was taken within ``patience`` seconds."""
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.05)
        else:
            return True


def _pid(lock_file: Path) -> int:
    """The process written in the lock file; 0 in the instant before its holder has written itself."""
    return int(lock_file.read_text() or 0)
