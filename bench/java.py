"""Java: the programs under ``peers``, their libraries fetched by Maven, compiled as they start."""

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PEERS = Path(__file__).with_name("peers")
PATIENCE = 600  # seconds: Maven may have much to fetch


class NotRun(Exception):
    """A program failed, or took for ever; the message holds its last words."""


@dataclass(frozen=True)
class Program:
    """A peer that can be run, in ``directory``."""

    name: str
    java: str
    class_path: str
    directory: Path

    async def run(self, *given: str) -> float:
        """Return the one number that it prints. Raises NotRun."""
        return float(await _output(self.java, "-cp", self.class_path, str(PEERS / f"{self.name}.java"), *given))

    def properties(self, name: str, words: Mapping[str, str]) -> str:
        """Write a file that the program can read; return where it is."""
        file = self.directory / f"{name}.properties"
        file.write_text("".join(f"{word}={value}\n" for word, value in words.items()), encoding="utf-8")
        return str(file)


async def program(name: str, directory: Path) -> Program | None:
    """Fetch what ``peers/<name>.java`` needs, unless Maven has it. None without Maven or a JDK. Raises NotRun."""
    maven, java, compiler = shutil.which("mvn"), shutil.which("java"), shutil.which("javac")
    if maven is None or java is None or compiler is None:
        return None
    file = directory / f"{name}.class-path"
    goal = ["-q", "-B", "-f", str(PEERS / f"{name}.xml"), "dependency:build-classpath", "-DincludeScope=runtime"]
    await _output(maven, *goal, f"-Dmdep.outputFile={file}")
    return Program(name, java, await asyncio.to_thread(file.read_text, encoding="utf-8"), directory)


async def _output(*words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE):
            printed, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise NotRun(f"{words[0]} ended with {process.returncode}: {said.decode(errors='replace')[-500:]}")
    return printed.decode()
