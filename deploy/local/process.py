"""Process: one operating-system process of ours, from its start to the last of its descendants.

It dies with us: on Linux the kernel signals it when the thread that started it ends, so start it from the main thread.
Elsewhere, and for what outlives that signal, its record in ``run/`` lets the next start end it (``leftovers.py``).
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.local import leftovers
from deploy.local.home import Home
from deploy.local.logs import Logs, in_brief
from deploy.local.user import User

_PR_SET_PDEATHSIG = 1
_LAST_WORDS = 140  # characters of them that are told
_LOOK = 0.02  # seconds between two looks at a process that is about to end


class Process:
    """Starts, watches and ends one process; its output goes to ``logs/<name>.log``."""

    def __init__(self, name: str, home: Home, stop_signal: signal.Signals, grace: float) -> None:
        self.name = name
        self._home = home
        self._logs = Logs(home.logs)
        self._stop_signal = stop_signal
        self._grace = grace
        self._popen: subprocess.Popen[bytes] | None = None

    def start(
        self,
        argv: Sequence[str | Path],
        *,
        user: User | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Run ``argv`` in a session of its own, so that Ctrl-C reaches us alone and we stop it in order.

        ``env`` is added to our environment.
        """
        output = self._logs.open(self.name)
        try:
            # A preexec function is the only way to ask for the signal; it does two system calls and nothing else.
            self._popen = subprocess.Popen(  # noqa: S603 - our own programs
                [str(word) for word in argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                user=None if user is None else user.uid,
                group=None if user is None else user.gid,
                extra_groups=None if user is None else [],
                preexec_fn=_dies_with_us(self._stop_signal),  # noqa: PLW1509 - as said above
            )
        finally:
            os.close(output)
        leftovers.record(self._home, self.name, self._popen.pid, self._stop_signal)

    @property
    def pid(self) -> int | None:
        """None before the first start and after the end."""
        return self._popen.pid if self._popen is not None and self.alive() else None

    def alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def why(self) -> str:
        """How it ended, with its last words, in one line; all it printed stays in its log."""
        code = None if self._popen is None else self._popen.poll()
        if code is None:
            ended = "is running" if self._popen is not None else "was not started"
        elif code < 0:
            ended = f"was ended by {signal.Signals(-code).name}"
        else:
            ended = f"ended with exit code {code}"
        tail = in_brief(self._logs.tail(self.name), _LAST_WORDS)
        return f"{self.name} {ended}" + (f"; its last words: {tail}" if tail else "")

    async def stop(self) -> None:
        """Ask it to end, insist after ``grace`` seconds, and leave nothing of its session running."""
        popen = self._popen
        if popen is None:
            return
        if self.alive():
            popen.send_signal(self._stop_signal)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._grace):
                    await self._end()
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nothing left; macOS says so by EPERM
            os.killpg(popen.pid, signal.SIGKILL)
        await self._end()
        leftovers.forget(self._home, self.name)

    async def _end(self) -> None:
        while self.alive():  # noqa: ASYNC110 - a process sets no event
            await asyncio.sleep(_LOOK)


def _dies_with_us(stop_signal: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    us = os.getpid()

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
        if os.getppid() != us:  # we died between the fork and the request
            os._exit(1)

    return ask
