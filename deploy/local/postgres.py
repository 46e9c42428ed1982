"""PostgresServer: a real PostgreSQL for one home, as a child process."""

import asyncio
import os
import shutil
import signal
import subprocess
from pathlib import Path

import asyncpg

from deploy.local import leftovers
from deploy.local.binaries import binaries_for, find_binaries, major
from deploy.local.databases import Databases
from deploy.local.errors import ChildFailed, NoPostgres
from deploy.local.home import Home
from deploy.local.logs import Logs, in_brief
from deploy.local.place import postgres_place
from deploy.local.process import Process
from deploy.local.user import User, unprivileged
from deploy.local.waiting import until_ready

SUPERUSER = "shangyi"
_PATIENCE = 60.0  # seconds: a recovery after a crash may have much to replay
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # TCP only: socket paths have a length limit that a deep home would break
    "shared_buffers": "64MB",
    "max_connections": "120",
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_level": "logical",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresServer:
    """Keeps what it committed through any kill; as root it runs as an unprivileged user."""

    name = "postgres"

    def __init__(self, home: Home, port: int, binaries: Path | None = None) -> None:
        """``binaries`` is a directory with ``postgres`` and ``initdb``; None looks for one."""
        self._home = home
        self._port = port
        self._binaries = binaries
        self._process = Process(self.name, home, signal.SIGINT, grace=5.0)  # the last checkpoint, on a busy disk

    @property
    def databases(self) -> Databases:
        """Its databases, seen by its superuser."""
        password = self._home.secret(self.name)
        return Databases(f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{self._port}/postgres")

    @property
    def pid(self) -> int | None:
        return self._process.pid

    async def start(self) -> None:
        """Initialise the data directory if there is none, and launch the server. Raises NoPostgres, ChildFailed."""
        argv, user = await asyncio.to_thread(self._prepare)
        self._process.start(argv, user=user, cwd=self._home.postgres)

    async def ready(self) -> None:
        await until_ready(self._process, self._serves, _PATIENCE, str(Logs(self._home.logs).file(self.name)))

    async def stop(self) -> None:
        """Roll back what is open and stop, within a second as a rule."""
        await self._process.stop()
        leftovers.end_in(self._home.postgres.resolve() / "data", "postgres")

    def alive(self) -> bool:
        return self._process.alive()

    def why(self) -> str:
        return self._process.why()

    async def _serves(self) -> bool:
        try:
            connection = await asyncpg.connect(self.databases.admin_dsn("postgres"), timeout=5)
        except (OSError, TimeoutError, asyncpg.CannotConnectNowError):
            return False
        except asyncpg.InvalidPasswordError as error:
            raise ChildFailed(
                f"The PostgreSQL on port {self._port} does not know our password.",
                f"Either it is another program's, or {self._home.keys} does not belong to {self._home.postgres}.",
            ) from error
        await connection.close()
        return True

    def _prepare(self) -> tuple[list[str | Path], User | None]:
        """What to run, and as whom."""
        user = unprivileged(self._home.postgres)
        place = postgres_place(self._home, user)
        binaries = binaries_for(user, find_binaries(self._binaries), place)
        data = place / "data"
        if not data.exists():
            self._initialise(place, binaries, user)
        _check_version(data, binaries)
        # We hold the home, so what still runs there are orphans of a killed postmaster, and the process named in its
        # pid file is a stranger who got its number. PostgreSQL alone cannot know either and would refuse to start.
        leftovers.end_in(data, "postgres")
        (data / "postmaster.pid").unlink(missing_ok=True)
        settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        return [binaries / "postgres", "-D", data, "-p", str(self._port), *settings], user

    def _initialise(self, place: Path, binaries: Path, user: User | None) -> None:
        """Make the data directory beside its place and move it there, so that a half-made one never counts."""
        growing, password = place / "data-growing", place / "password"
        shutil.rmtree(growing, ignore_errors=True)
        password.write_text(self._home.secret(self.name))
        password.chmod(0o600)
        if user is not None:
            os.chown(password, user.uid, user.gid)
        words: list[str | Path] = [
            binaries / "initdb",
            "-D",
            growing,
            "-U",
            SUPERUSER,
            "--auth=scram-sha-256",
            f"--pwfile={password}",
        ]
        words += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        result = subprocess.run(  # noqa: S603 - PostgreSQL's own program
            [*words, "--data-checksums"],
            capture_output=True,
            text=True,
            check=False,
            cwd=place,
            user=None if user is None else user.uid,
            group=None if user is None else user.gid,
            extra_groups=None if user is None else [],
        )
        password.unlink()
        if result.returncode != 0:
            raise ChildFailed(f"initdb failed: {in_brief(result.stderr)}.", f"It was {binaries / 'initdb'}.")
        growing.rename(place / "data")


def _check_version(data: Path, binaries: Path) -> None:
    made_by, found = int((data / "PG_VERSION").read_text()), major(binaries)
    if made_by != found:
        raise NoPostgres(
            f"The data in {data} was made by PostgreSQL {made_by}, but {binaries} is version {found}.",
            f"Set SHANGYI_POSTGRES_BIN to a PostgreSQL {made_by}, or move the data with pg_dump and pg_restore.",
        )
