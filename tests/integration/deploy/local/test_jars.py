"""Jars: nothing starts from an archive that is not the locked one."""

import hashlib
from pathlib import Path

import pytest

from deploy.local.errors import JarDamaged, JarMissing
from deploy.local.jars import Jar, Jars, locked

CONTENT = b"an archive"
A_JAR = Jar("org.example", "archive", "1.0", hashlib.sha256(CONTENT).hexdigest())
SMALL = next(jar for jar in locked() if jar.artifact == "slf4j-api")


def a_cache_with(path: Path, jar: Jar, content: bytes) -> Path:
    (path / "jars").mkdir()
    file = path / "jars" / jar.file_name
    file.write_bytes(content)
    return file


class TestJars:
    def test_accepts_the_locked_archive_without_the_network(self, tmp_path: Path) -> None:
        file = a_cache_with(tmp_path, A_JAR, CONTENT)
        assert Jars(tmp_path, [A_JAR]).class_path() == str(file)

    def test_refuses_a_damaged_archive_and_says_what_to_do(self, tmp_path: Path) -> None:
        file = a_cache_with(tmp_path, A_JAR, CONTENT + b"!")
        with pytest.raises(JarDamaged, match=rf"{file}.*Delete it and start again"):
            Jars(tmp_path, [A_JAR]).ensure()
        assert file.read_bytes() == CONTENT + b"!"

    def test_fetches_a_damaged_archive_again_once_it_is_deleted(self, tmp_path: Path) -> None:
        a_cache_with(tmp_path, SMALL, b"damaged").unlink()
        told: list[tuple[int, int]] = []
        files = Jars(tmp_path, [SMALL]).ensure(lambda done, total: told.append((done, total)))
        assert [hashlib.sha256(file.read_bytes()).hexdigest() for file in files] == [SMALL.sha256]
        assert told == [(0, 1), (1, 1)]
        assert {file.name for file in (tmp_path / "jars").iterdir()} == {".lock", SMALL.file_name}

    def test_refuses_a_download_that_is_not_what_was_locked(self, tmp_path: Path) -> None:
        another = Jar(SMALL.group, SMALL.artifact, SMALL.version, A_JAR.sha256)
        with pytest.raises(JarDamaged, match=r"downloaded as org\.slf4j:slf4j-api:1\.7\.36 is not the locked"):
            Jars(tmp_path, [another]).ensure()
        assert not (tmp_path / "jars" / SMALL.file_name).exists()

    def test_says_so_when_the_cache_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(JarMissing, match="SHANGYI_CACHE"):
            Jars(tmp_path / "file").ensure()
