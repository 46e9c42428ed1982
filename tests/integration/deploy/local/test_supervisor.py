"""The supervisor, with small programs in place of servers."""

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from deploy.local import leftovers
from deploy.local.errors import ChildFailed
from deploy.local.home import Home
from deploy.local.logs import BRIEF, Logs, in_brief
from deploy.local.ports import is_free
from deploy.local.process import Process
from deploy.local.service import PythonService
from deploy.local.settings import CHECKOUT
from deploy.local.supervisor import Condition, Supervisor

STUBBORN = (
    "import signal, subprocess, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "print('deaf', flush=True); time.sleep(60)\n"
)


def a_web_server(home: Home, name: str = "web", kind: type[PythonService] = PythonService) -> PythonService:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    argv = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    return kind(name, home, argv, {"PYTHONUNBUFFERED": "1"}, f"http://127.0.0.1:{port}/pyproject.toml")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is awaited happens in other processes
            await asyncio.sleep(0.02)


@pytest.fixture
async def supervisor(home: Home) -> AsyncIterator[Supervisor]:
    home.create()
    async with Supervisor(Logs(home.logs)) as supervisor:
        yield supervisor


class TestSupervisor:
    async def test_starts_a_dead_child_again_and_says_why_it_died(self, home: Home, supervisor: Supervisor) -> None:
        web = a_web_server(home)
        await supervisor.start(web)
        first = web.pid
        assert first is not None
        psutil.Process(first).kill()
        await until(lambda: supervisor.statuses()[0].restarts == 1)
        await until(lambda: supervisor.statuses()[0].condition is Condition.READY)
        assert web.pid not in {None, first}
        assert "web was ended by SIGKILL" in supervisor.statuses()[0].says
        assert "web is ready again" in Logs(home.logs).tail("supervisor")
        await supervisor.stop()
        assert (supervisor.statuses()[0].condition, web.alive()) == (Condition.STOPPED, False)
        assert leftovers.recorded(home) == {}

    async def test_keeps_a_child_while_nothing_can_be_written(self, home: Home) -> None:
        """As on a full disk: neither our own lines nor the child's log; and nobody listens any more."""

        def gone(_: str) -> None:
            raise BrokenPipeError

        home.create()
        async with Supervisor(Logs(home.logs), gone) as supervisor:
            web = a_web_server(home)
            await supervisor.start(web)
            shutil.rmtree(home.logs)
            assert web.pid is not None
            psutil.Process(web.pid).kill()
            await until(lambda: supervisor.statuses()[0].restarts > 1)
            home.logs.mkdir()
            await until(lambda: supervisor.statuses()[0].condition is Condition.READY)

    async def test_keeps_a_child_that_could_not_be_asked_why_it_ended(self, home: Home, supervisor: Supervisor) -> None:
        class Mute(PythonService):
            asked = 0

            def why(self) -> str:
                self.asked += 1
                if self.asked == 1:
                    raise OSError("input/output error")
                return super().why()

        web = a_web_server(home, kind=Mute)
        await supervisor.start(web)
        assert web.pid is not None
        psutil.Process(web.pid).kill()
        await until(lambda: supervisor.statuses()[0].restarts > 0)
        await until(lambda: supervisor.statuses()[0].condition is Condition.READY)

    async def test_stops_in_reverse_order(self, home: Home) -> None:
        class Told(PythonService):
            async def stop(self) -> None:
                order.append(self.name)
                await super().stop()

        order: list[str] = []
        home.create()
        one, two = a_web_server(home, "one", Told), a_web_server(home, "two", Told)
        async with Supervisor(Logs(home.logs)) as supervisor:
            await supervisor.start(one)
            await supervisor.start(two)
        assert order == ["two", "one"]

    async def test_a_child_that_cannot_start_is_an_error_with_its_last_words(
        self, home: Home, supervisor: Supervisor
    ) -> None:
        argv = [sys.executable, "-c", "raise SystemExit('no such table')"]
        broken = PythonService("broken", home, argv, {}, "http://127.0.0.1:1/")
        with pytest.raises(ChildFailed, match=r"broken ended with exit code 1; its last words: no such table"):
            await supervisor.start(a_web_server(home), broken)
        await supervisor.stop()
        assert leftovers.recorded(home) == {}


class TestProcess:
    async def test_a_stubborn_process_is_ended_with_its_children(self, home: Home) -> None:
        home.create()
        process = Process("stubborn", home, signal.SIGTERM, grace=0.3)
        process.start([sys.executable, "-c", STUBBORN])
        await until(lambda: Logs(home.logs).tail("stubborn") == "deaf")
        assert process.pid is not None
        everyone = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]
        await process.stop()
        assert len(everyone) == 2
        await until(lambda: not any(each.is_running() and each.status() != "zombie" for each in everyone))

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
    def test_dies_with_its_killed_parent(self, home: Home) -> None:
        home.create()
        script = (
            "import signal, sys; from pathlib import Path\n"
            "from deploy.local.home import Home; from deploy.local.process import Process\n"
            "process = Process('child', Home(Path(sys.argv[1])), signal.SIGTERM, 1)\n"
            "process.start([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
            "print(process.pid, flush=True); signal.pause()\n"
        )
        argv = [sys.executable, "-c", script, str(home.path)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as parent:
            assert parent.stdout is not None
            child = psutil.Process(int(parent.stdout.readline()))
            parent.kill()
        psutil.wait_procs([child], timeout=5)
        assert leftovers.recorded(home) == {"child": False}
        assert leftovers.end(home) == ()
        assert leftovers.recorded(home) == {}


class TestLeftovers:
    def test_what_was_left_running_is_ended(self, home: Home) -> None:
        home.create()
        with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as left:
            leftovers.record(home, "left", left.pid, signal.SIGTERM)
            assert leftovers.end(home) == ("left",)
        assert left.returncode is not None
        assert leftovers.recorded(home) == {}

    def test_a_stranger_who_got_the_number_is_spared(self, home: Home) -> None:
        home.create()
        with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
            entry = leftovers.Record(pid=stranger.pid, started=time.time() - 3600, stop_signal=signal.SIGKILL)
            (home.run / "kafka.child").write_text(entry.model_dump_json())
            assert leftovers.end(home) == ()
            assert stranger.poll() is None
            stranger.kill()


def test_logs_stay_bounded_while_their_writer_goes_on(tmp_path: Path) -> None:
    logs = Logs(tmp_path, limit=100)
    for n in range(30):
        logs.note("web", f"line {n}")
        logs.trim()
    assert logs.tail("web", 1).endswith("line 29")
    assert all(file.stat().st_size <= 150 for file in tmp_path.iterdir())
    assert {file.name for file in tmp_path.iterdir()} == {"web.log", "web.log.1"}


def test_a_log_that_cannot_be_set_aside_keeps_no_other_from_it(tmp_path: Path) -> None:
    logs = Logs(tmp_path, limit=10)
    for name in ("a", "b", "c"):
        logs.note(name, "more than the limit")
    (tmp_path / "b.log.1").mkdir()
    logs.trim()
    assert {file.name: file.stat().st_size > 0 for file in tmp_path.glob("*.log")} == {
        "a.log": False,
        "b.log": True,
        "c.log": False,
    }


def test_a_port_in_use_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not is_free(server.getsockname()[1])


def test_what_is_told_is_one_line_of_bounded_length() -> None:
    told = in_brief("FATAL: no room\n\n  LOG: shut down\n")
    long = in_brief("begins " + "x\n" * 500 + "ends")
    assert told == "FATAL: no room | LOG: shut down"
    assert (len(long), long[:6], long[-4:], "\n" in long) == (BRIEF, "begins", "ends", False)
