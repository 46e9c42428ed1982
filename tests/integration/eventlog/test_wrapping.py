"""Secrets lie in files of their own, which processes follow; what one wrapped opens with it and nothing else."""

from pathlib import Path
from uuid import UUID

import pytest

from eventlog.errors import CorruptHistory, Unavailable
from eventlog.wrapping import NAME, SecretFile, Wrapping, secrets_of

TENANT, OTHER_TENANT = "620724", "620725"
ONE, OTHER = Wrapping(bytes(32)), Wrapping(bytes([1]) * 32)
KEY_ID, KEY = UUID(int=1), b"k" * 32


def keep(file: Path, *secrets: Wrapping, mode: int = 0o600) -> Path:
    """Replace a file of secrets, as whoever rolls it out does."""
    made = file.with_suffix(".new")
    made.write_text("\n".join(secret.written() for secret in secrets) + "\n")
    made.chmod(mode)
    made.rename(file)
    return file


class TestWrapping:
    def test_reads_what_it_created(self, tmp_path: Path) -> None:
        file = tmp_path / "master"
        wrapped = Wrapping.create(file).wrap(TENANT, KEY_ID, KEY)
        assert SecretFile(file).unwrap(TENANT, KEY_ID, wrapped) == KEY
        assert file.stat().st_mode & 0o777 == 0o600

    def test_never_replaces_a_secret(self, tmp_path: Path) -> None:
        Wrapping.create(tmp_path / "master")
        with pytest.raises(FileExistsError):
            Wrapping.create(tmp_path / "master")

    def test_has_a_name_that_every_key_it_wraps_begins_with(self) -> None:
        assert len(ONE.name) == NAME
        assert ONE.name != OTHER.name
        assert ONE.wrap(TENANT, KEY_ID, KEY)[:NAME] == ONE.wrap(OTHER_TENANT, UUID(int=2), KEY)[:NAME] == ONE.name

    @pytest.mark.parametrize(
        ("tenant", "key_id", "secret"),
        [(OTHER_TENANT, KEY_ID, ONE), (TENANT, UUID(int=2), ONE), (TENANT, KEY_ID, OTHER)],
    )
    def test_unwraps_for_the_same_tenant_key_and_secret_only(self, tenant: str, key_id: UUID, secret: Wrapping) -> None:
        with pytest.raises(CorruptHistory):
            secret.unwrap(tenant, key_id, ONE.wrap(TENANT, KEY_ID, KEY))

    def test_is_not_taken_in_by_another_secrets_name(self) -> None:
        with pytest.raises(CorruptHistory):
            OTHER.unwrap(TENANT, KEY_ID, OTHER.name + ONE.wrap(TENANT, KEY_ID, KEY)[NAME:])


class TestSecretFile:
    def test_refuses_what_others_may_read(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="chmod 600"):
            SecretFile(keep(tmp_path / "master", ONE, mode=0o640))

    @pytest.mark.parametrize(
        "content",
        [b"", b"c2hvcnQ=", b"not base64!", b"\xff\xfe", b"A" * 43, f"{ONE.written()}\n{ONE.written()}".encode()],
        ids=["empty", "short", "no base64", "no text", "cut", "twice"],
    )
    def test_refuses_what_is_no_secret_without_repeating_it(self, tmp_path: Path, content: bytes) -> None:
        file = tmp_path / "master"
        file.write_bytes(content)
        file.chmod(0o600)
        with pytest.raises(ValueError, match=r"does not hold 32 bytes in base64 a line, each once$"):
            secrets_of(file)

    def test_wraps_with_the_first_and_opens_with_each(self, tmp_path: Path) -> None:
        secrets = SecretFile(keep(tmp_path / "master", ONE, OTHER))
        assert secrets.wrap(TENANT, KEY_ID, KEY)[:NAME] == ONE.name
        assert secrets.unwrap(TENANT, KEY_ID, OTHER.wrap(TENANT, KEY_ID, KEY)) == KEY

    def test_follows_its_file(self, tmp_path: Path) -> None:
        file = keep(tmp_path / "master", ONE)
        secrets = SecretFile(file)
        others = OTHER.wrap(TENANT, KEY_ID, KEY)
        with pytest.raises(Unavailable, match=OTHER.name.hex()):
            secrets.unwrap(TENANT, KEY_ID, others)
        keep(file, ONE, OTHER)
        assert secrets.unwrap(TENANT, KEY_ID, others) == KEY
        assert secrets.wrap(TENANT, KEY_ID, KEY)[:NAME] == ONE.name
        keep(file, OTHER, ONE)
        assert secrets.wrap(TENANT, KEY_ID, KEY)[:NAME] == OTHER.name
        keep(file, OTHER)
        secrets.wrap(TENANT, KEY_ID, KEY)
        with pytest.raises(Unavailable):
            secrets.unwrap(TENANT, KEY_ID, ONE.wrap(TENANT, KEY_ID, KEY))

    def test_reads_again_what_it_could_not_read(self, tmp_path: Path) -> None:
        file = keep(tmp_path / "master", ONE)
        secrets = SecretFile(file)
        keep(file, OTHER, mode=0o644)
        assert secrets.wrap(TENANT, KEY_ID, KEY)[:NAME] == ONE.name
        file.chmod(0o600)
        assert secrets.wrap(TENANT, KEY_ID, KEY)[:NAME] == OTHER.name

    @pytest.mark.parametrize("broken", ["gone", "cut", "open to all"])
    def test_keeps_what_it_knew_while_the_file_cannot_be_read(self, tmp_path: Path, broken: str) -> None:
        file = keep(tmp_path / "master", ONE)
        secrets = SecretFile(file)
        match broken:
            case "gone":
                file.unlink()
            case "cut":
                file.write_text(OTHER.written()[:20])
            case _:
                keep(file, OTHER, mode=0o644)
        assert secrets.unwrap(TENANT, KEY_ID, secrets.wrap(TENANT, KEY_ID, KEY)) == KEY
        keep(file, OTHER, ONE)
        assert secrets.wrap(TENANT, KEY_ID, KEY)[:NAME] == OTHER.name
