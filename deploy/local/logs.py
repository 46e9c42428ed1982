"""Logs: what the children print, bounded in size."""

import os
import shutil
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

LIMIT = 10 * 1024 * 1024
BRIEF = 200


def in_brief(text: str, most: int = BRIEF) -> str:
    """``text`` for the console: one line of at most ``most`` characters, its beginning and its end if it has more."""
    line = " | ".join(filter(None, (part.strip() for part in text.splitlines())))
    return line if len(line) <= most else f"{line[: most // 3]}…{line[1 + most // 3 - most :]}"


class Logs:
    """One file per child in ``path``, of at most about twice ``limit`` bytes with its predecessor ``.1``."""

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self.path = path
        self._limit = limit

    def file(self, name: str) -> Path:
        return self.path / f"{name}.log"

    def open(self, name: str) -> int:
        """A descriptor to append to; the caller closes it."""
        return os.open(self.file(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def note(self, name: str, says: str) -> None:
        """Append one line with the time. What a full disk does not take is lost: nothing else is to end by it."""
        with suppress(OSError):
            descriptor = self.open(name)
            try:
                os.write(descriptor, f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {says}\n".encode())
            finally:
                os.close(descriptor)

    def tail(self, name: str, lines: int = 8) -> str:
        """The last lines a child printed, empty when it printed nothing."""
        try:
            with self.file(name).open(encoding="utf-8", errors="replace") as file:
                return "".join(deque(file, lines)).strip()
        except FileNotFoundError:
            return ""

    def trim(self) -> None:
        """Set aside every log that outgrew the limit. Its writer holds the file open and goes on at its new start.

        One that cannot be set aside, on a full disk, stays as it is until the next time.
        """
        for file in self.path.glob("*.log"):
            with suppress(OSError):
                if file.stat().st_size > self._limit:
                    shutil.copyfile(file, f"{file}.1")
                    os.truncate(file, 0)
