"""The real servers: killed, taken over, moved, run by root and by others, and gone without a trace when stopped."""

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pydantic import BaseModel

from deploy.local import leftovers, place, ports
from deploy.local.binaries import find_binaries
from deploy.local.databases import Databases
from deploy.local.errors import HomeNotOurs, NoPostgres
from deploy.local.home import Home
from deploy.local.jars import Jars
from deploy.local.java import find_java
from deploy.local.kafka import KafkaServer
from deploy.local.logs import Logs
from deploy.local.postgres import PostgresServer
from deploy.local.settings import CHECKOUT, Settings
from deploy.local.supervisor import Condition, Supervisor
from deploy.local.user import User, unprivileged

SCRIPT = Path(__file__).with_name("platform_process.py")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@dataclass(frozen=True)
class Running:
    home: Home
    postgres: PostgresServer
    kafka: KafkaServer
    supervisor: Supervisor


class Words(BaseModel):
    """What ``platform_process.py`` says once it is up."""

    uid: int
    dsn: str
    bootstrap: str
    pids: list[int]
    ended: list[str]


@pytest.fixture(scope="module")
def jars() -> Jars:
    jars = Jars(Settings().cache)
    jars.ensure()
    return jars


@pytest.fixture(scope="module")
async def running(open_directory: Path, jars: Jars) -> AsyncIterator[Running]:
    """PostgreSQL and Kafka under a supervisor."""
    home = Home(open_directory / "first")
    with servers(home, jars) as (postgres, kafka):
        async with Supervisor(Logs(home.logs)) as supervisor:
            await supervisor.start(postgres, kafka)
            yield Running(home, postgres, kafka, supervisor)
    assert processes_of(home) == []


@contextmanager
def servers(home: Home, jars: Jars) -> Generator[tuple[PostgresServer, KafkaServer]]:
    """Not started; the home and the ports are held meanwhile."""
    with home.locked(), ports.claimed(home) as given:
        kafka = KafkaServer(home, given["kafka"], given["kafka-controller"], jars)
        yield PostgresServer(home, given["postgres"]), kafka


@contextmanager
def held(home: Home) -> Generator[None]:
    """The ports this home had last are taken by another program meanwhile."""
    with ExitStack() as taken:
        for port in json.loads((home.run / "ports.json").read_text()).values():
            taken.enter_context(socket.create_server(("127.0.0.1", port)))
        yield


def address(postgres: PostgresServer) -> str:
    return postgres.databases.admin_dsn("postgres").rpartition("@")[2].partition("/")[0]


def processes_of(home: Home) -> list[str]:
    """Whatever runs in the home or names it, but for us."""
    found: list[str] = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and str(home.path) in f"{process.cwd()} {process.cmdline()}":
                found.append(f"{process.name()} {process.cmdline()}")
        except psutil.Error:
            continue
    return found


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is awaited happens in other processes
            await asyncio.sleep(0.05)


async def write_row(dsn: str, number: int) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
    await connection.execute("INSERT INTO kept VALUES ($1)", number)
    await connection.close()


async def rows(dsn: str) -> list[int]:
    connection = await asyncpg.connect(dsn)
    found = await connection.fetch("SELECT number FROM kept ORDER BY number")
    await connection.close()
    return [row["number"] for row in found]


async def write_record(bootstrap: str, topic: str, value: bytes) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    if topic not in await admin.list_topics():
        await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    await producer.send_and_wait(topic, value)  # pyright: ignore[reportUnknownMemberType] - untyped package
    await producer.stop()


async def records(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    found: list[bytes | None] = []
    async with asyncio.timeout(10):
        for _ in range(count):
            record: ConsumerRecord[bytes, bytes] = await consumer.getone()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            found.append(record.value)
    await consumer.stop()
    return found


async def restarted(running: Running, name: str, before: int) -> None:
    def again() -> bool:
        status = next(status for status in running.supervisor.statuses() if status.name == name)
        return status.restarts > before and status.condition is Condition.READY

    await until(again)


class TestServers:
    async def test_a_killed_postmaster_comes_back_with_the_last_committed_row(self, running: Running) -> None:
        dsn = running.postgres.databases.admin_dsn("postgres")
        await write_row(dsn, 1)
        busy = await asyncpg.connect(dsn)  # its backend outlives the postmaster and would keep a new one out
        sleeping = asyncio.create_task(busy.execute("SELECT pg_sleep(60)"))
        await asyncio.sleep(0.1)
        assert running.postgres.pid is not None
        os.kill(running.postgres.pid, signal.SIGKILL)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await sleeping
        await restarted(running, "postgres", before=0)
        assert await rows(dsn) == [1]

    async def test_a_killed_broker_comes_back_with_the_last_acknowledged_record(self, running: Running) -> None:
        await write_record(running.kafka.bootstrap, "kept", b"one")
        assert running.kafka.pid is not None
        os.kill(running.kafka.pid, signal.SIGKILL)
        await restarted(running, "kafka", before=0)
        await write_record(running.kafka.bootstrap, "kept", b"two")
        assert await records(running.kafka.bootstrap, "kept", 2) == [b"one", b"two"]

    async def test_another_home_runs_beside_the_first_and_moves_when_its_ports_are_taken(
        self, running: Running, open_directory: Path, jars: Jars
    ) -> None:
        home = Home(open_directory / "第二个 家")
        with servers(home, jars) as (postgres, kafka):
            async with Supervisor(Logs(home.logs)) as supervisor:
                await supervisor.start(postgres, kafka)
                await write_row(postgres.databases.admin_dsn("postgres"), 2)
                await write_record(kafka.bootstrap, "kept", b"three")
            first = {address(postgres), kafka.bootstrap}
        assert processes_of(home) == []
        with held(home), servers(home, jars) as (postgres, kafka):
            async with Supervisor(Logs(home.logs)) as supervisor:
                await supervisor.start(postgres, kafka)
                assert await rows(postgres.databases.admin_dsn("postgres")) == [2]
                assert await records(kafka.bootstrap, "kept", 1) == [b"three"]
            second = {address(postgres), kafka.bootstrap}
        assert processes_of(home) == []
        assert not first & second
        assert not first & {address(running.postgres), running.kafka.bootstrap}

    async def test_a_stale_pid_file_naming_a_stranger_does_not_keep_postgres_out(
        self, open_directory: Path, jars: Jars
    ) -> None:
        home = Home(open_directory / "stale")
        with servers(home, jars) as (postgres, _):
            await postgres.start()
            await postgres.ready()
            assert postgres.pid is not None
            stale = (home.postgres / "data" / "postmaster.pid").read_text().split("\n", 1)[1]
            os.kill(postgres.pid, signal.SIGKILL)
            await until(lambda: not postgres.alive())
            (home.postgres / "data" / "postmaster.pid").write_text(f"{os.getppid()}\n{stale}")
            await postgres.start()
            await postgres.ready()
            await postgres.stop()
        assert processes_of(home) == []

    async def test_data_of_another_major_version_is_refused(self, open_directory: Path, jars: Jars) -> None:
        home = Home(open_directory / "old")
        (home.postgres / "data").mkdir(parents=True)
        (home.postgres / "data" / "PG_VERSION").write_text("16\n")
        refused = pytest.raises(NoPostgres, match=r"made by PostgreSQL 16, .* is version 18.*pg_dump")
        with servers(home, jars) as (postgres, _), refused:
            await postgres.start()

    @as_root
    async def test_root_below_a_closed_directory_keeps_it_closed(
        self, open_directory: Path, monkeypatch: pytest.MonkeyPatch, jars: Jars
    ) -> None:
        closed = open_directory / "closed"
        closed.mkdir(mode=0o700)
        monkeypatch.setattr(place, "ANNEXES", open_directory / "annexes")
        home = Home(closed / "home")
        with servers(home, jars) as (postgres, _):
            async with Supervisor(Logs(home.logs)) as supervisor:
                await supervisor.start(postgres)
                await write_row(postgres.databases.admin_dsn("postgres"), 3)
            async with Supervisor(Logs(home.logs)) as supervisor:
                await supervisor.start(postgres)
                assert await rows(postgres.databases.admin_dsn("postgres")) == [3]
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert place.orphans() == ()
        annex = home.postgres.readlink()
        home.postgres.unlink()
        assert place.orphans() == (annex,)
        home.postgres.symlink_to(open_directory / "gone")
        with home.locked(), pytest.raises(HomeNotOurs, match=r"which is gone\. Bring it back"):
            await postgres.start()

    @as_root
    async def test_root_copies_binaries_that_nobody_cannot_reach(
        self, open_directory: Path, monkeypatch: pytest.MonkeyPatch, jars: Jars
    ) -> None:
        monkeypatch.setattr(User, "runs", nobody_runs_it)
        home = Home(open_directory / "copied")
        with servers(home, jars) as (postgres, _):
            async with Supervisor(Logs(home.logs)) as supervisor:
                await supervisor.start(postgres)
                assert postgres.pid is not None
                assert Path(psutil.Process(postgres.pid).exe()).is_relative_to(home.postgres)


class TestDatabases:
    async def test_an_administrator_who_is_no_superuser_can_make_a_service_its_database(self, running: Running) -> None:
        own = running.postgres.databases
        await own.ensure_role("county_admin", "p@ss/word")
        connection = await asyncpg.connect(own.admin_dsn("postgres"))
        await connection.execute("ALTER ROLE county_admin CREATEDB CREATEROLE")
        await connection.close()
        operators = Databases(own.dsn("postgres", "county_admin", "p@ss/word"))
        for password in ("first", "it's second"):
            await operators.ensure_role("intake", password)
            await operators.ensure_database("intake", "intake")
        connection = await asyncpg.connect(operators.dsn("intake", "intake", "it's second"))
        who = await connection.fetchrow(
            "SELECT current_user AS me, pg_get_userbyid(datdba) AS owner, rolsuper, rolbypassrls, upper('é') AS upper"
            " FROM pg_database, pg_roles WHERE datname = 'intake' AND rolname = current_user"
        )
        await connection.close()
        assert who is not None
        assert tuple(who) == ("intake", "intake", False, False, "É")


class TestPlatform:
    """The whole in a process of its own."""

    async def test_killed_it_is_started_again_with_what_it_kept(self, open_directory: Path, jars: Jars) -> None:
        home = Home(open_directory / "killed")
        with a_platform(home, [sys.executable]) as first:
            says = first_words(first)
            await write_row(says.dsn, 4)
            first.kill()
        with a_platform(home, [sys.executable]) as second:
            again = first_words(second)
            assert await rows(again.dsn) == [4]
            assert not set(says.pids) & set(again.pids)
            assert not [pid for pid in says.pids if runs(pid)]
            second.terminate()
            assert second.wait(10) == 0
        assert processes_of(home) == []
        assert leftovers.recorded(home) == {}

    @as_root
    async def test_an_ordinary_user_runs_it_and_nothing_outside_its_home_is_changed(
        self, open_directory: Path, jars: Jars
    ) -> None:
        user = unprivileged(open_directory)
        assert user is not None
        owned = open_directory / "owned"
        owned.mkdir()
        os.chown(owned, user.uid, user.gid)
        home = Home(owned / "home")
        watched = [open_directory, *open_directory.parents, *CHECKOUT.parents, CHECKOUT, owned]
        watched += [*find_binaries().parents, *find_binaries().parent.rglob("*"), find_java()]
        before = [permissions(path) for path in watched]
        with a_platform(home, [interpreter_for(user)], user) as process:
            says = first_words(process)
            assert says.uid == user.uid
            process.terminate()
            assert process.wait(10) == 0
        assert [permissions(path) for path in watched] == before
        assert {path.stat().st_uid for path in home.path.rglob("*")} == {user.uid}
        assert processes_of(home) == []


def runs(pid: int) -> bool:
    """A zombie does not: who reaps it is not our affair."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def nobody_runs_it(user: User, program: Path) -> bool:
    return False


def permissions(path: Path) -> tuple[Path, int, int, int]:
    status = path.stat()
    return path, status.st_mode, status.st_uid, status.st_gid


def interpreter_for(user: User) -> str:
    """A Python of this version that the user may run: the environment's own may live in root's home."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (Path(sys.executable), Path("/usr/bin") / name, Path("/usr/local/bin") / name):
        if candidate.exists() and user.runs(candidate):
            return str(candidate)
    pytest.skip(f"no {name} that an ordinary user may run")


def a_platform(home: Home, interpreter: list[str], user: User | None = None) -> subprocess.Popen[bytes]:
    """Started, not yet ready. An ordinary user gets a copy of the archives: root's cache is closed to others."""
    cache = Settings().cache
    if user is not None:
        cache = home.path.parent / "cache"
        subprocess.run(["cp", "-r", Settings().cache, cache], check=True)
        subprocess.run(["chown", "-R", f"{user.uid}:{user.gid}", cache], check=True)
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    return subprocess.Popen(
        [*interpreter, SCRIPT, home.path, cache],
        stdout=subprocess.PIPE,
        cwd="/",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{CHECKOUT}:{packages}", "PYTHONDONTWRITEBYTECODE": "1"},
        user=None if user is None else user.uid,
        group=None if user is None else user.gid,
        extra_groups=None if user is None else [],
    )


def first_words(process: subprocess.Popen[bytes]) -> Words:
    assert process.stdout is not None
    return Words.model_validate_json(process.stdout.readline())
