"""Leftovers: processes of an earlier platform on this home that was killed before it could stop them."""

import contextlib
import signal
from pathlib import Path

import psutil
from pydantic import BaseModel

from deploy.local.files import write_whole
from deploy.local.home import Home

_GRACE = 5.0  # seconds
_CLOCK = 5.0  # seconds by which a process's start time may seem to move when the clock is set


class Record(BaseModel):
    """What identifies a process: its id alone may belong to a stranger by now."""

    pid: int
    started: float
    stop_signal: int


def record(home: Home, name: str, pid: int, stop_signal: signal.Signals) -> None:
    """Remember a child until ``forget``."""
    try:
        started = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return  # it ended at once: nothing to remember
    write_whole(_file(home, name), Record(pid=pid, started=started, stop_signal=stop_signal).model_dump_json())


def forget(home: Home, name: str) -> None:
    _file(home, name).unlink(missing_ok=True)


def recorded(home: Home) -> dict[str, bool]:
    """Child → whether it is still running, for every record in the home."""
    return {file.stem: _process(file) is not None for file in _files(home)}


def end(home: Home) -> tuple[str, ...]:
    """End what an earlier platform left running, by name; call it holding the home and before anything starts."""
    ended: list[str] = []
    for file in _files(home):
        process = _process(file)
        if process is not None:
            ended.append(file.stem)
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(Record.model_validate_json(file.read_bytes()).stop_signal)
                _wait_or_kill(process)
        file.unlink()
    return tuple(ended)


def end_in(directory: Path, program: str) -> None:
    """Kill every ``program`` whose working directory is ``directory``: what a killed parent left without a record."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # ended meanwhile, or a stranger's
            if process.name() == program and process.cwd() == str(directory):
                process.kill()
                process.wait(_GRACE)


def _wait_or_kill(process: psutil.Process) -> None:
    try:
        process.wait(_GRACE)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(_GRACE)


def _process(file: Path) -> psutil.Process | None:
    """The recorded process when it is alive and the very one we started."""
    entry = Record.model_validate_json(file.read_bytes())
    try:
        process = psutil.Process(entry.pid)
        ours = abs(process.create_time() - entry.started) < _CLOCK and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if ours else None


def _file(home: Home, name: str) -> Path:
    return home.run / f"{name}.child"


def _files(home: Home) -> list[Path]:
    return sorted(home.run.glob("*.child"))
