"""House rules that neither the linter nor the walls can state, each with a violation planted to see it caught."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
EVERYWHERE = (
    "deploy/**/*.py",
    "eventlog/**/*.py",
    "facts/**/*.py",
    "services/**/*.py",
    "vocabulary/**/*.py",
    "web/**/*.py",
)


class Rule(NamedTuple):
    """``find`` gives the lines that break the rule; ``spared`` maps a file or folder to why it may."""

    says: str
    where: tuple[str, ...]
    find: Callable[[ast.Module], Iterator[int]]
    caught: str
    spared: Mapping[str, str] = {}

    def broken(self) -> list[str]:
        return [
            f"{name}:{line}: {self.says}"
            for place in self.where
            for file in sorted(ROOT.glob(place))
            if not self.spares(name := file.relative_to(ROOT).as_posix())
            for line in sorted(set(self.find(parsed(file))))
        ]

    def spares(self, name: str) -> bool:
        return any(name == spared or name.startswith(f"{spared}/") for spared in self.spared)


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def wall_clocks(tree: ast.Module) -> Iterator[int]:
    clocks = {"datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"}
    return (line for line, name in _references(tree) if name in clocks | {"time.time", "time.time_ns"})


def chance(tree: ast.Module) -> Iterator[int]:
    chances = re.compile(r"random\b|secrets\b|os\.urandom$|uuid\.uuid[14]$|uuid_utils\b")
    return (line for line, name in _references(tree) if chances.match(name))


def old_http_client(tree: ast.Module) -> Iterator[int]:
    return (line for line, name in _references(tree) if name.partition(".")[0] == "httpx")


def sql(tree: ast.Module) -> Iterator[int]:
    statement = re.compile(
        r"\s*(select\s.*\bfrom\b|select\s+(pg_|eventlog\.|\d)|insert\s+into\s|update\s+\S+\s+set\s|delete\s+from\s"
        r"|with\s+\w+\s+as\s*(materialized\s*)?\(|(create|alter|drop)\s+(table|schema|index|role|database|function|type|sequence|view)\s"
        r"|truncate\s+(table\s)?\w|copy\s+\S+\s+(from|to)\s|listen\s|notify\s)",
        re.IGNORECASE | re.DOTALL,
    )
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in told and statement.match(text):
                yield node.lineno
            case ast.JoinedStr(values=parts):
                if statement.match("".join(str(p.value) if isinstance(p, ast.Constant) else "x" for p in parts)):
                    yield node.lineno
            case _:
                pass


def broad_excepts(tree: ast.Module) -> Iterator[int]:
    """An ``except`` of everything that does not end by raising it again: clearing up behind a failure is no catch."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} if node.type else {"Exception"}
        again = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
        if caught & {"Exception", "BaseException"} and not again:
            yield node.lineno


def bare_fields(tree: ast.Module) -> Iterator[int]:
    """A field whose type says nothing of what may stand in it. Sealed content is bounded where it is sealed."""
    for owner in ast.walk(tree):
        if isinstance(owner, ast.ClassDef):
            for field in owner.body:
                if isinstance(field, ast.AnnAssign) and _is_bare(field.annotation):
                    yield field.lineno


def stray_facts(tree: ast.Module) -> Iterator[int]:
    """A class with the name of a fact, where no lock would know of it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(keyword.arg == "name" for keyword in node.keywords):
            yield node.lineno


def own_readings(tree: ast.Module) -> Iterator[int]:
    """A stored fact's JSON parsed by whoever has it: it would read old versions as if they were new."""
    parsing = re.compile(r"(loads|validate_json|from_json)$")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and parsing.search(ast.unparse(node.func)):
            yield from (each.lineno for each in node.args if isinstance(each, ast.Attribute) and each.attr == "json")


def unordered_cases(tree: ast.Module) -> Iterator[int]:
    """Cases from a set come in another order in every process, and parallel workers then disagree on the tests."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("parametrize"):
            for argument in node.args[1:]:
                if _is_a_set(argument):
                    yield node.lineno


def unanswered_checks(tree: ast.Module) -> Iterator[int]:
    """Of routes that send commands: a look at a stream or a use of keys outside of ``unless_answered``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef) and "router.post" in map(ast.unparse, _calls(node.decorator_list)):
            yield from _outside(node.body)


def _calls(decorators: list[ast.expr]) -> Iterator[ast.expr]:
    return (each.func for each in decorators if isinstance(each, ast.Call))


def _outside(nodes: Iterable[ast.AST]) -> Iterator[int]:
    for node in nodes:
        match node:
            case ast.AsyncWith(items=[ast.withitem(context_expr=ast.Call(func=func))]) if ast.unparse(func) == (
                "commands.unless_answered"
            ):
                continue
            case ast.Name(id="vault") | ast.Attribute(value=ast.Name(id="commands"), attr="head"):
                yield node.lineno
            case _:
                yield from _outside(ast.iter_child_nodes(node))


RULES = [
    Rule(
        "time is the database's, asked through the log",
        ("eventlog/**/*.py", "facts/**/*.py", "services/**/*.py", "vocabulary/**/*.py", "web/**/*.py"),
        wall_clocks,
        "import datetime as d\nat = d.datetime.now(d.UTC)",
        {
            "eventlog/memory_log.py": "the fake's own clock stands in for the database's",
            "web/actor.py": "a token's time is real time, by the clock of whoever verifies it",
        },
    ),
    Rule(
        "ids and chance come in as arguments",
        ("facts/**/*.py", "services/**/*.py", "vocabulary/**/*.py"),
        chance,
        "from uuid import uuid4\nkey = uuid4()",
        {"services/mediation/api/cases.py": "a read of sealed content is a command of its own, without a client's key"},
    ),
    Rule(
        "what was answered is answered again, before anything is checked",
        ("services/*/api/*.py", "web/erasing.py"),
        unanswered_checks,
        '@router.post("")\nasync def keep(body, commands, vault):\n    await vault.public(body)',
    ),
    Rule(
        "httpx is unmaintained: httpx2",
        (*EVERYWHERE, "bench/**/*.py", "tests/**/*.py"),
        old_http_client,
        "import httpx",
    ),
    Rule(
        "SQL stands beside its reader",
        EVERYWHERE,
        sql,
        'async def f(db, t):\n    """select a from b"""\n    await db.execute(f"update {t} set x = 1")',
        {
            "deploy/local/databases.py": "makes roles and databases",
            "eventlog/election.py": "its lock",
            "eventlog/history.py": "reads the log once more",
            "eventlog/key_reader.py": "the end of its session",
            "eventlog/key_relay.py": "its place in the topic",
            "eventlog/keys.py": "its keys",
            "eventlog/migrations.py": "its record of what was applied",
            "eventlog/appender.py": "the log",
            "eventlog/footing.py": "looks up whether a topic's record is a fact of the log",
            "eventlog/parked.py": "its references",
            "eventlog/postgres_log.py": "the log",
            "eventlog/progress.py": "reads how far everything has come",
            "eventlog/refusals.py": "its rows",
            "eventlog/columns.py": "looks a table up",
            "eventlog/comparing.py": "reads two tables beside each other",
            "eventlog/read_model.py": "writes any read model's rows",
            "eventlog/rebuild.py": "holds a consumer's cursor",
            "eventlog/twins.py": "makes tables like others",
            "eventlog/versions.py": "its rows, and tables' names",
            "eventlog/relay.py": "its checkpoint",
            "eventlog/shared_keys.py": "its keys",
            "eventlog/restored_keys.py": "its mark, and what the log says was erased",
            "eventlog/republishing.py": "sets checkpoints and cursors back",
            "eventlog/rotation.py": "wraps its keys again",
            "eventlog/timer_table.py": "timers by hand",
            "eventlog/verify.py": "compares the log with itself and with its topic",
            "eventlog/vitals.py": "reads how the log and its work are doing",
            "eventlog/term.py": "its cursor",
            "services/deliberation/read_models": "a slot for it",
            "services/intake/read_models": "a slot for it",
            "services/mediation/read_models": "a slot for it",
            "services/reporting/fact_store": "a slot for it",
            "services/reporting/admin/rebuilding.py": "looks where a read model's facts come from",
            "services/reporting/admin/verifying.py": "reads whole tables beside their folds",
            "services/reporting/read_models": "a slot for it",
            "web/lookout.py": "asks for life: select 1",
        },
    ),
    Rule(
        "let it rise: only edges catch everything",
        EVERYWHERE,
        broad_excepts,
        "try:\n    f()\nexcept (KeyError, Exception):\n    g()",
        {
            "deploy/local/supervisor.py": "an edge: a child's failure is not the others'",
            "eventlog/consumer.py": "an edge: what an effect fails on is parked",
            "eventlog/election.py": "an edge: what fails is told, and the next term starts from what was committed",
            "eventlog/gathering.py": "an edge: what fails is told to those who asked",
            "eventlog/making.py": "an edge: what fails in the live version too stays parked",
            "eventlog/retries.py": "an edge: what fails again stays parked",
            "eventlog/timers.py": "an edge: one stream's fault is not the others'",
            "web/access.py": "the process's edge",
            "web/background.py": "the process's edge",
        },
    ),
    Rule(
        "a field says what may stand in it: vocabulary.words, an annotated or a closed type",
        ("facts/**/*.py", "services/*/domain/**/*.py"),
        bare_fields,
        "class Party(Value):\n    roles: frozenset[str] | None = None",
    ),
    Rule(
        "facts stand in facts, where the lock knows them",
        ("deploy/**/*.py", "eventlog/**/*.py", "services/**/*.py", "vocabulary/**/*.py", "web/**/*.py"),
        stray_facts,
        'class CaseOpened(Fact, name="case-opened"): ...',
        {"eventlog/erasure.py": "what any log records of a key that was destroyed; the lock knows it"},
    ),
    Rule(
        "a stored fact is read by Stored.read alone, which knows its older versions",
        EVERYWHERE,
        own_readings,
        "data = json.loads(stored.json)",
        {"eventlog/facts.py": "Stored.read itself"},
    ),
    Rule(
        "cases of a test have an order",
        ("tests/**/*.py",),
        unordered_cases,
        "@pytest.mark.parametrize('a', set(CASES) - {'b'})\ndef test(a): ...",
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=[rule.says for rule in RULES])
class TestHouseRule:
    def test_is_kept(self, rule: Rule) -> None:
        assert rule.broken() == []

    def test_catches_a_planted_violation(self, rule: Rule) -> None:
        assert list(rule.find(ast.parse(rule.caught)))

    def test_spares_only_what_needs_it(self, rule: Rule) -> None:
        optional = re.compile(r"services/\w+/read_models$|services/reporting/")
        needless = [
            spared
            for spared in rule.spared
            if not optional.match(spared) and not list(rule.find(parsed(ROOT / spared)))
        ]
        assert needless == []


@pytest.mark.parametrize(
    ("find", "fine"),
    [
        (wall_clocks, "async def f(log):\n    return await log.now()"),
        (wall_clocks, "import time\nbegan = time.monotonic()"),
        (chance, "from uuid import UUID, uuid5\nkey = uuid5(UUID(int=0), 'a')"),
        (old_http_client, "import httpx2\nhttpx2.AsyncClient()"),
        (sql, 'def f(x):\n    """Select rows from x."""\n    x.update(a="update the rest")'),
        (broad_excepts, "try:\n    f()\nexcept BaseException:\n    g()\n    raise"),
        (broad_excepts, "try:\n    f()\nexcept KeyError:\n    pass"),
        (
            bare_fields,
            "class A(Value):\n    words: Sealed[str]\n    n: Annotated[int, Field(ge=1)]\n    to: Line | None",
        ),
    ],
)
def test_what_is_fine_is_left_alone(find: Callable[[ast.Module], Iterator[int]], fine: str) -> None:
    assert list(find(ast.parse(fine))) == []


def _references(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every imported name and every use of one, in full: ``d.datetime.now`` under ``import datetime as d``."""
    imported: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    yield node.lineno, alias.name
                    imported[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            case ast.ImportFrom(module=str(module), names=aliases):
                for alias in aliases:
                    yield node.lineno, f"{module}.{alias.name}"
                    imported[alias.asname or alias.name] = f"{module}.{alias.name}"
            case _:
                pass
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            base, _, rest = ast.unparse(node).partition(".")
            if base in imported:
                yield node.lineno, f"{imported[base]}.{rest}"


def _is_bare(annotation: ast.expr) -> bool:
    match annotation:
        case ast.Name(id=name):
            return name in {"Any", "bytes", "datetime", "dict", "float", "int", "list", "object", "str"}
        case ast.Subscript(value=ast.Name(id="Annotated" | "ClassVar" | "Literal" | "Sealed")):
            return False
        case _:
            return any(_is_bare(part) for part in ast.iter_child_nodes(annotation) if isinstance(part, ast.expr))


def _is_a_set(expression: ast.expr) -> bool:
    match expression:
        case ast.Set() | ast.SetComp() | ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.BinOp(left=left, right=right):
            return _is_a_set(left) or _is_a_set(right)
        case _:
            return False
