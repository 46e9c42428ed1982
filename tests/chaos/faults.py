"""Faults: what a plan asks for is done and undone, and each says afterwards whether it took effect."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

import asyncpg
import psutil

from deploy.local.logs import Logs
from deploy.local.supervisor import Condition
from tests.chaos.plan import Fault, Kind
from tests.chaos.planting import ACTED
from tests.chaos.platform import Rig
from tests.chaos.proxy import Proxy, Way
from tests.system.processes import pid_of

EXTRA = 20.0  # seconds that a fault stays on until it met somebody
WELL = 90.0  # seconds for a killed process to serve again, and for a link to be in use before it is cut
LOOK = 0.02
APPENDING = (
    """select pid from pg_locks where locktype = 'advisory' and objsubid = 1 and (classid::bigint >> 16) = 21062"""
)
"""Whoever holds the log's fence has drawn positions and has not committed them."""
TO_PROCESSES = {Kind.KILL, Kind.KILL_BACKEND, Kind.STOP, Kind.STOP_BACKEND}


@dataclass(frozen=True)
class Effect:
    """What came of a planned fault. ``began`` and ``ended`` in seconds of the run; ``well``: its process served again.

    ``met``: it took effect; ``says``: the evidence.
    """

    n: int
    kind: str
    target: str
    began: float
    ended: float
    well: float
    met: bool
    says: str


class Faults:
    """Makes the faults of a plan happen, each target's one after the other."""

    def __init__(self, rig: Rig, clock: Callable[[], float], seed: int) -> None:
        self._rig = rig
        self._clock = clock
        self._seed = seed
        self._busy = {name: asyncio.Lock() for name in (*rig.proxies, *(s.name for s in rig.supervisor.statuses()))}

    async def happen(self, fault: Fault) -> Effect:
        """Do it, undo it, and return what came of it; whatever happens to us, nothing stays stopped or cut off."""
        async with self._busy[fault.target]:
            began = self._clock()
            if fault.kind in TO_PROCESSES:
                met, says, ended = await self._to_process(fault)
            elif fault.kind is Kind.POISON:
                met, says, ended = await self._poison(fault)
            else:
                met, says, ended = await self._to_link(fault)
            return Effect(fault.n, fault.kind.value, fault.target, began, ended, self._clock(), met, says)

    async def _to_process(self, fault: Fault) -> tuple[bool, str, float]:
        pid = await self._served(fault.target, None)
        if pid is None:
            return False, "it was not there", self._clock()
        match fault.kind:
            case Kind.KILL:
                os.kill(pid, signal.SIGKILL)
                ended = self._clock()
                after = await self._served(fault.target, pid)
                return after is not None, f"process {pid}, then {after}", ended
            case Kind.KILL_BACKEND:
                return await self._kill_backend(pid, Random(f"{self._seed}/{fault.n}"))
            case Kind.STOP_BACKEND:
                return await self._stop_backend(fault.seconds)
            case _:
                return await self._stop(pid, fault.seconds)

    async def _served(self, child: str, killed: int | None) -> int | None:
        """The child's process once it serves, another one than ``killed``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WELL):
                while True:
                    status = next(s for s in self._rig.supervisor.statuses() if s.name == child)
                    pid = pid_of(self._rig.home, child)
                    if (
                        status.condition is Condition.READY
                        and pid not in {None, killed}
                        and psutil.pid_exists(pid or 0)
                    ):
                        return pid
                    await asyncio.sleep(LOOK)
        return None

    async def _kill_backend(self, postmaster: int, random: Random) -> tuple[bool, str, float]:
        backends = [p for p in psutil.Process(postmaster).children() if "shangyi_" in " ".join(p.cmdline())]
        if not backends:
            return False, "nobody was connected", self._clock()
        victim = random.choice(sorted(backends, key=lambda process: process.pid))
        victim.kill()
        ended = self._clock()
        others = {process.pid for process in backends}
        await _until(lambda: not any(psutil.pid_exists(pid) for pid in others))
        gone = sum(not psutil.pid_exists(pid) for pid in others)
        return gone == len(others), f"backend {victim.pid}, and {gone} of {len(others)} with it", ended

    async def _stop_backend(self, seconds: float) -> tuple[bool, str, float]:
        """Catch a backend between its first position and its commit: look, stop, and look whether it still is."""
        connection = await asyncpg.connect(self._rig.dsns["intake"], timeout=EXTRA)
        stopped: list[psutil.Process] = []
        try:
            async with asyncio.timeout(EXTRA):
                while not stopped:
                    pid = await connection.fetchval(f"{APPENDING} limit 1")
                    if pid is None:
                        continue
                    caught = [psutil.Process(pid)]
                    _signal(caught, signal.SIGSTOP)
                    if await connection.fetchval(f"select $1 in ({APPENDING})", pid):
                        stopped = caught
                    else:
                        _signal(caught, signal.SIGCONT)
            await asyncio.sleep(seconds)
        except (TimeoutError, psutil.NoSuchProcess, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            return False, f"no append was met: {type(error).__name__}", self._clock()
        finally:
            _signal(stopped, signal.SIGCONT)
            connection.terminate()
        return True, f"backend {stopped[0].pid} stopped in the midst of an append for {seconds} s", self._clock()

    async def _stop(self, pid: int, seconds: float) -> tuple[bool, str, float]:
        whole = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        try:
            _signal(whole, signal.SIGSTOP)
            await asyncio.sleep(0.1)
            stopped = [process for process in whole if _state(process) == psutil.STATUS_STOPPED]
            await asyncio.sleep(seconds - 0.1)
        finally:
            _signal(whole, signal.SIGCONT)
        await asyncio.sleep(0.1)
        going = _state(whole[0]) not in {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE, None}
        says = f"{len(stopped)} of {len(whole)} processes stopped for {seconds} s"
        return bool(stopped) and going, says, self._clock()

    async def _poison(self, fault: Fault) -> tuple[bool, str, float]:
        file, log = self._rig.home.run / "poison", Logs(self._rig.home.logs).file(fault.target)
        file.touch()
        await asyncio.sleep(fault.seconds)
        await _until(lambda: ACTED in log.read_text("utf-8"))
        file.unlink()
        return ACTED in log.read_text("utf-8"), f"facts could not be folded for {fault.seconds} s", self._clock()

    async def _to_link(self, fault: Fault) -> tuple[bool, str, float]:
        proxy = self._rig.proxies[fault.target]
        before = proxy.tally.held, proxy.tally.delayed, proxy.tally.cut
        await _until(lambda: proxy.connected > 0, WELL)  # another fault may have cut it off already
        async with _ill(proxy, fault, Random(f"{self._seed}/{fault.n}")):
            await asyncio.sleep(fault.seconds)
            await _until(lambda: _change(proxy, before) != (0, 0, 0))
        held, delayed, cut = _change(proxy, before)
        says = f"{held} bytes held, {delayed} pieces delayed, {cut} connections cut"
        return max(held, delayed, cut) > 0, says, self._clock()


@asynccontextmanager
async def _ill(proxy: Proxy, fault: Fault, random: Random) -> AsyncGenerator[None]:
    match fault.kind:
        case Kind.REFUSE:
            await proxy.close()
        case Kind.RESET:
            proxy.reset()
        case Kind.BLACK_HOLE:
            proxy.hold(Way.THERE, Way.BACK)
        case Kind.ONE_WAY:
            proxy.hold(Way.BACK)
        case Kind.LATENCY:
            proxy.delay(lambda: random.uniform(0.02, 0.2))
        case Kind.CUT_AFTER | Kind.CUT_REPLY:
            proxy.cut_after(fault.bytes)
        case Kind.KILL | Kind.KILL_BACKEND | Kind.STOP | Kind.STOP_BACKEND | Kind.POISON:
            raise TypeError("not done to links")
    try:
        yield
    finally:
        proxy.heal()
        if fault.kind is Kind.REFUSE:
            await proxy.listen()


async def _until(holds: Callable[[], bool], patience: float = EXTRA) -> None:
    """Wait for what happens elsewhere; go on when that takes too long."""
    until = time.monotonic() + patience
    while not holds() and time.monotonic() < until:  # noqa: ASYNC110  # it sets no event
        await asyncio.sleep(LOOK)


def _change(proxy: Proxy, before: tuple[int, int, int]) -> tuple[int, int, int]:
    now = proxy.tally.held, proxy.tally.delayed, proxy.tally.cut
    held, delayed, cut = (n - m for n, m in zip(now, before, strict=True))
    return held, delayed, cut


def _signal(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _state(process: psutil.Process) -> str | None:
    try:
        return str(process.status())
    except psutil.NoSuchProcess:
        return None
