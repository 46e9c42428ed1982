"""The doctor: says what is wrong and what to do."""

from pathlib import Path

from deploy.local.doctor import Finding, examine
from deploy.local.home import Home
from deploy.local.jars import locked
from deploy.local.settings import Settings


def found(settings: Settings) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(settings)}


class TestDoctor:
    def test_is_content_with_a_new_home_and_changes_nothing(self, tmp_path: Path) -> None:
        findings = found(Settings(home=tmp_path / "home", cache=tmp_path / "cache"))
        assert [name for name, finding in findings.items() if not finding.ok and name != "annex"] == []
        assert list(tmp_path.iterdir()) == []

    def test_names_a_damaged_jar(self, tmp_path: Path) -> None:
        jar = tmp_path / "jars" / locked()[0].file_name
        jar.parent.mkdir()
        jar.write_bytes(b"damaged")
        finding = found(Settings(home=tmp_path / "home", cache=tmp_path))["jars"]
        assert finding == Finding("jars", False, f"Damaged: {jar}.", "Delete it; the next start downloads it anew.")

    def test_names_a_secret_others_can_read(self, tmp_path: Path) -> None:
        home = Home(tmp_path / "home")
        home.create()
        home.secret("postgres")
        secret = home.keys / "postgres.secret"
        secret.chmod(0o644)
        finding = found(Settings(home=home.path, cache=tmp_path))["home"]
        assert finding == Finding("home", False, f"{secret} can be read by others.", f"Run `chmod 600 {secret}`.")

    def test_names_wrong_binaries(self, tmp_path: Path) -> None:
        finding = found(Settings(home=tmp_path, cache=tmp_path, postgres_bin=tmp_path))["postgres"]
        assert not finding.ok
        assert "SHANGYI_POSTGRES_BIN" in finding.says

    def test_asks_for_nothing_that_an_operator_provides(self, tmp_path: Path) -> None:
        settings = Settings(
            home=tmp_path, cache=tmp_path, postgres_dsn="postgresql://db/shangyi", kafka_bootstrap="kafka:9092"
        )
        assert not {"postgres", "java", "jars"} & set(found(settings))
