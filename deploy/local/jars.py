"""Jars: the broker's Java archives, downloaded once per user and checked by their sha256 before every start.

`python -m deploy.local.jars lock` writes ``kafka-jars.lock`` anew from the versions below; it needs Maven.
The lock names coordinates and checksums, never an address: where archives come from is the machine's affair.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import JarDamaged, JarMissing

LOCK = Path(__file__).with_name("kafka-jars.lock")
_ROOTS = (
    "org.apache.kafka:kafka_2.13:4.3.1",
    "org.apache.logging.log4j:log4j-core:2.25.4",  # the logging back-end the broker does not bring itself
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",
)
_THREADS = 8
_ATTEMPTS = 3
_TIMEOUT = 30  # seconds without an answer


@dataclass(frozen=True, order=True)
class Jar:
    """One locked archive."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def coordinate(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def locked(lock: Path = LOCK) -> tuple[Jar, ...]:
    """The archives of a lock file, one ``group:artifact:version sha256`` a line."""
    return tuple(_parse(line) for line in lock.read_text(encoding="utf-8").splitlines() if line)


class Jars:
    """The archives in the cache that all platforms of a user share."""

    def __init__(self, cache: Path, wanted: Sequence[Jar] | None = None) -> None:
        """``wanted`` None means those of the lock file."""
        self._directory = cache / "jars"
        self._wanted = locked() if wanted is None else tuple(wanted)

    def missing(self) -> tuple[Jar, ...]:
        return tuple(jar for jar in self._wanted if not self._file(jar).exists())

    def damaged(self) -> tuple[Path, ...]:
        """Archives that are there but are not the locked ones."""
        present = (jar for jar in self._wanted if self._file(jar).exists())
        return tuple(self._file(jar) for jar in present if _sha256(self._file(jar)) != jar.sha256)

    def ensure(self, progress: Callable[[int, int], None] = lambda done, total: None) -> tuple[Path, ...]:
        """All archives, each checked; what is missing is downloaded, ``progress`` told (downloaded, to download).

        Raises JarDamaged: nothing is replaced behind anyone's back. Raises JarMissing: the network.
        """
        with self._alone():
            self._fetch(self.missing(), progress)
        if damaged := self.damaged():
            names = ", ".join(str(file) for file in damaged)
            raise JarDamaged(
                f"Not the locked archive (its sha256 differs): {names}.",
                "Delete it and start again: the next start downloads it anew. If it happens again, do not trust the "
                "place it comes from.",
            )
        return tuple(self._file(jar) for jar in self._wanted)

    def class_path(self) -> str:
        """What `java -cp` wants, in the order of the lock. Raises as `ensure`."""
        return ":".join(str(file) for file in self.ensure())

    def _fetch(self, jars: Sequence[Jar], progress: Callable[[int, int], None]) -> None:
        if not jars:
            return
        progress(0, len(jars))
        # Downloads grow elsewhere and arrive whole: an interrupted one leaves no damaged archive behind.
        with tempfile.TemporaryDirectory(dir=self._directory) as growing, ThreadPoolExecutor(_THREADS) as threads:
            downloads = [threads.submit(self._download, jar, Path(growing)) for jar in jars]
            try:
                for done, download in enumerate(as_completed(downloads), start=1):
                    download.result()
                    progress(done, len(jars))
            except BaseException:
                threads.shutdown(cancel_futures=True)
                raise

    def _download(self, jar: Jar, growing: Path) -> None:
        # Here, because it takes half a second and only a first start needs it.
        from jgo.maven import MavenContext

        for attempt in range(1, _ATTEMPTS + 1):
            repository = growing / f"{jar.file_name}-{attempt}"
            context = MavenContext(repo_cache=repository, timeout=_TIMEOUT)
            try:
                file = context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
            except (OSError, RuntimeError) as error:  # the network in all its forms; not found anywhere
                if attempt == _ATTEMPTS:
                    raise JarMissing(
                        f"{jar.coordinate} could not be downloaded ({type(error).__name__}).",
                        "Check the network and start again; what has arrived is kept.",
                    ) from error
            else:
                if _sha256(file) != jar.sha256:
                    raise JarDamaged(
                        f"What was downloaded as {jar.coordinate} is not the locked archive (its sha256 differs).",
                        "Start again; if it happens again, do not trust the place it comes from.",
                    )
                file.replace(self._file(jar))
                return

    @contextmanager
    def _alone(self) -> Generator[None]:
        """Two platforms of one user do not download the same at once."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            lock = (self._directory / ".lock").open("w")
        except OSError as error:
            raise JarMissing(
                f"The cache {self._directory} cannot be written: {error.strerror}.",
                "Set SHANGYI_CACHE to a directory you own.",
            ) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _file(self, jar: Jar) -> Path:
        return self._directory / jar.file_name


def _parse(line: str) -> Jar:
    coordinate, sha256 = line.split()
    group, artifact, version = coordinate.split(":")
    return Jar(group, artifact, version, sha256)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def resolve_lock(roots: Sequence[str] = _ROOTS) -> tuple[Jar, ...]:
    """The roots with everything they need at run time, as Maven resolves it."""
    maven = shutil.which("mvn")
    if maven is None:
        raise JarMissing("Maven is not installed.", "Install it to write the lock anew; nothing else needs it.")
    with tempfile.TemporaryDirectory() as directory:
        project, output = Path(directory) / "pom.xml", Path(directory) / "jars"
        project.write_text(_project(roots), encoding="utf-8")
        goal = [maven, "-q", "-B", "-f", str(project), "dependency:copy-dependencies", "-DincludeScope=runtime"]
        subprocess.run(  # noqa: S603 - Maven, found above
            [*goal, f"-DoutputDirectory={output}", "-Dmdep.useRepositoryLayout=true"], check=True, stdout=sys.stderr
        )
        return tuple(sorted(_jar(file, output) for file in output.rglob("*.jar")))


def _jar(file: Path, repository: Path) -> Jar:
    *group, artifact, version, _ = file.relative_to(repository).parts
    return Jar(".".join(group), artifact, version, _sha256(file))


def _project(roots: Sequence[str]) -> str:
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>"
        for group, artifact, version in (root.split(":") for root in roots)
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        f"<groupId>shangyi</groupId><artifactId>jars</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )


def main() -> None:
    """Write the lock."""
    if sys.argv[1:] != ["lock"]:
        raise SystemExit("usage: python -m deploy.local.jars lock")
    LOCK.write_text("".join(f"{jar.coordinate} {jar.sha256}\n" for jar in resolve_lock()), encoding="utf-8")


if __name__ == "__main__":
    main()
