"""The walls of `.importlinter` hold: a violation, planted in a copy of the tree, breaks just the walls it should."""

import shutil
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
from importlinter.application.use_cases import lint_imports
from importlinter.configuration import configure

configure()

ROOT = Path(__file__).parents[2]
PACKAGES = ("deploy", "eventlog", "facts", "services", "vocabulary", "web")

VIOLATIONS: list[tuple[str, set[str], dict[str, str]]] = [
    # what is done, which walls it breaks, what is added to which file
    ("the log hears of a county", {"storeys"}, {"eventlog/facts.py": "import vocabulary.matter"}),
    ("a word leans on a fact", {"storeys"}, {"vocabulary/roles.py": "import facts.mediation.access"}),
    ("the web knows a fact", {"storeys"}, {"web/paging.py": "import facts.mediation.access"}),
    ("a service calls its deployment", {"storeys"}, {"services/intake/admin.py": "import deploy.local.files"}),
    (
        "deployment reaches past the door",
        {"deploy-at-the-door"},
        {"deploy/local/files.py": "import services.intake.domain.division"},
    ),
    ("a service calls another", {"services-apart"}, {"services/intake/admin.py": "import services.mediation.admin"}),
    (
        "a rule asks for a suggestion",
        {"write-service"},
        {
            "services/intake/assist/__init__.py": "",
            "services/intake/domain/division.py": "import services.intake.assist",
        },
    ),
    (
        "the operators' door leads through the routes",
        {"write-service"},
        {"services/intake/admin.py": "import services.intake.api.divisions"},
    ),
    (
        "a reaction looks up contexts",
        {"write-service"},
        {"services/deliberation/reactions.py": "import services.deliberation.contexts"},
    ),
    ("a slot nobody decided on", {"write-service"}, {"services/mediation/helpers.py": ""}),
    ("a slot nobody decided on, in reporting", {"reporting"}, {"services/reporting/helpers.py": ""}),
    (
        "a figure asks the store",
        {"reporting", "no-cycles"},
        {"services/reporting/indicators/definition.py": "import services.reporting.fact_store.question"},
    ),
    ("a rule waits", {"pure"}, {"services/mediation/domain/committee.py": "import asyncio"}),
    ("a rule looks at a clock", {"pure"}, {"services/intake/domain/division.py": "import time"}),
    ("a rule sends commands", {"pure"}, {"services/deliberation/domain/quorum.py": "import eventlog.handler"}),
    ("a rule reads the log", {"pure"}, {"services/deliberation/domain/quorum.py": "import eventlog.memory_log"}),
    ("a fact reads a database", {"pure"}, {"facts/intake/division.py": "import asyncpg"}),
    ("a word calls another machine", {"pure"}, {"vocabulary/matter.py": "import httpx2"}),
    ("a figure is a route", {"pure"}, {"services/reporting/indicators/publicity.py": "import fastapi"}),
    ("a suggestion reads Kafka", {"pure"}, {"services/intake/assist/__init__.py": "import aiokafka"}),
    (
        "intake's rules read others' facts",
        {"intake-domain"},
        {"services/intake/domain/division.py": "import facts.mediation.committee"},
    ),
    (
        "deliberation's rules read others' facts",
        {"deliberation-domain"},
        {"services/deliberation/domain/quorum.py": "import facts.intake.division"},
    ),
    (
        "mediation's rules read others' facts",
        {"mediation-domain"},
        {"services/mediation/domain/committee.py": "import facts.intake.division"},
    ),
    ("deployment reads settings", {"settings"}, {"deploy/local/files.py": "import services.intake.settings"}),
    (
        "a route reads settings",
        {"settings", "write-service"},
        {"services/intake/api/divisions.py": "import services.intake.settings"},
    ),
    ("the engine knows an edge", {"eventlog"}, {"eventlog/migrations.py": "import eventlog.read_model"}),
    ("an edge knows another", {"eventlog"}, {"eventlog/read_model.py": "import eventlog.key_relay"}),
    ("the core knows the engine", {"eventlog", "pure"}, {"eventlog/decider.py": "import eventlog.migrations"}),
    ("a module outside the rings", {"eventlog"}, {"eventlog/helpers.py": ""}),
    ("production leans on what tests use", {"testing"}, {"web/paging.py": "import web.testing"}),
    ("a service leans on a test's fake", {"production"}, {"services/intake/admin.py": "import tests.fakes.kafka"}),
    ("a circle", {"no-cycles"}, {"vocabulary/divisions.py": "import vocabulary.matter"}),
]


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the packages and their walls, to be spoiled; import-linter finds it before the real ones."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=_all_but_modules)
        monkeypatch.delitem(sys.modules, package, raising=False)
    shutil.copy(ROOT / ".importlinter", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


class TestWalls:
    def test_stand_as_the_tree_is(self, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert broken(copy, capsys) == set()

    @pytest.mark.parametrize(
        ("walls", "planted"), [case[1:] for case in VIOLATIONS], ids=[case[0] for case in VIOLATIONS]
    )
    def test_break_where_a_violation_is_planted(
        self, copy: Path, capsys: pytest.CaptureFixture[str], walls: set[str], planted: dict[str, str]
    ) -> None:
        for name, line in planted.items():
            file = copy / name
            file.parent.mkdir(exist_ok=True)
            with file.open("a", encoding="utf-8") as end:
                end.write(f"\n{line}\n")
        assert broken(copy, capsys) == walls

    def test_have_a_violation_planted_each(self) -> None:
        assert set().union(*(walls for _, walls, _ in VIOLATIONS)) == set(names(ROOT).values())


def broken(root: Path, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """Return the ids of the contracts that import-linter finds broken in ``root``."""
    whole = lint_imports(str(root / ".importlinter"), cache_dir=None, is_debug_mode=True, no_logo=True)
    told = capsys.readouterr().out
    verdicts = {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in told.splitlines()}
    seen = {contract: verdicts.get(name) for name, contract in names(root).items()}
    assert set(seen.values()) <= {"KEPT", "BROKEN"}, told
    assert whole == ("BROKEN" not in seen.values()), told
    return {contract for contract, verdict in seen.items() if verdict == "BROKEN"}


def names(root: Path) -> dict[str, str]:
    """Return the id of each contract by its name."""
    config = ConfigParser()
    config.read(root / ".importlinter", encoding="utf-8")
    prefix = "importlinter:contract:"
    return {config[section]["name"]: section.removeprefix(prefix) for section in config if section.startswith(prefix)}


def _all_but_modules(directory: str, entries: list[str]) -> set[str]:
    others = {name for name in entries if not name.endswith(".py") and not (Path(directory) / name).is_dir()}
    return others | {"__pycache__"}
