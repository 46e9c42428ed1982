"""Bad input, over HTTP, on the real platform: refused with a stable code, nothing changed, nobody's words repeated."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from joserfc.jws import extract_compact

from deploy.local.endpoints import Endpoints
from deploy.local.issuer import AUDIENCE, ISSUER, Grant, Issuer
from deploy.local.platform import Platform
from deploy.local.rest import at_rest, progress
from deploy.sample.town import Town
from tests.system.copies import agree, fetch, records
from tests.system.towns import NewTown

CANARY = "Canary-8f3b61e07d"
PHONE = "13987654321"
SECRETS = (CANARY, PHONE)
MIB = 1 << 20
NOBODY = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Case:
    """One thing that somebody sends, and how it is answered. ``body``: JSON, or bytes as they are."""

    status: int
    code: str
    body: Any = None
    path: str = "/submissions"
    method: str = "POST"
    service: str = "intake"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    without: Sequence[str] = ()


def said(**changes: object) -> Mapping[str, object]:
    """A proper submission of the town, with some fields changed. ``{village}`` is filled in for each test."""
    proper = {"organ": "{village}.village-committee", "channel": "visit", "words": CANARY}
    return {**proper, "name": CANARY, "phone": PHONE, **changes}


def csv_of(*rows: str) -> bytes:
    return "\n".join(("编号,内容,姓名", *rows)).encode()


CSV = {"Content-Type": "text/csv"}
IMPORT = "/submissions/import?organ={town}.town-government&system=bad-input"
PERIOD = "from=2026-01-01&to=2026-12-31"

CASES = {
    "words are a number": Case(422, "invalid-input", said(words=5)),
    "words are a list": Case(422, "invalid-input", said(words=[CANARY])),
    "words are an object": Case(422, "invalid-input", said(words={CANARY: CANARY})),
    "words are missing": Case(422, "invalid-input", {"organ": CANARY, "channel": CANARY}),
    "words are blank": Case(422, "invalid-input", said(words=" \n\t ")),
    "words are too long": Case(422, "invalid-input", said(words=CANARY * 2_000)),
    "a name of two lines": Case(422, "invalid-input", said(name=f"{CANARY}\n{PHONE}")),
    "an unknown channel": Case(422, "invalid-input", said(channel=CANARY)),
    "an organ that is none": Case(422, "invalid-input", said(organ=f"{CANARY}.town-government")),
    "an extra field": Case(422, "invalid-input", said(**{CANARY: PHONE})),
    "an extra field that others have": Case(422, "invalid-input", said(status=CANARY)),
    "a list as body": Case(422, "invalid-input", [CANARY]),
    "null as body": Case(422, "invalid-input", b"null"),
    "nothing as body": Case(422, "invalid-input", b""),
    "broken JSON": Case(400, "json-invalid", b'{"words": "' + CANARY.encode()),
    "a field twice": Case(400, "json-duplicate-key", f'{{"words": "{CANARY}", "words": "{CANARY}"}}'.encode()),
    "a number that is none": Case(422, "json-number-out-of-range", b'{"words": NaN}'),
    "a number without end": Case(422, "json-number-out-of-range", b'{"words": ' + b"9" * 5_000 + b"}"),
    "too deep": Case(422, "json-too-deep", b'{"words": ' + b"[" * 100 + b"]" * 100 + b"}"),
    "too deep for a parser": Case(422, "json-too-deep", b"[" * 500_000),
    "too many items": Case(422, "json-array-too-long", said(words=[CANARY] * 2_000)),
    "over a megabyte": Case(413, "body-too-large", said(words=CANARY + "字" * MIB)),
    "a NUL": Case(422, "text-invalid", said(words=f"{CANARY}\x00")),
    "a bell": Case(422, "text-invalid", said(name=f"{CANARY}\x07")),
    "an escape in a field's name": Case(422, "text-invalid", said(**{f"{CANARY}\x1b": 1})),
    "a lone surrogate, escaped": Case(422, "text-invalid", f'{{"words": "{CANARY}\\ud83d"}}'.encode()),
    "a lone surrogate, as bytes": Case(422, "text-invalid", f'{{"words": "{CANARY}'.encode() + b'\xed\xa0\xbd"}'),
    "not UTF-8": Case(400, "json-invalid", f'{{"words": "{CANARY}'.encode() + '条"}'.encode("gb18030")),
    "UTF-16": Case(415, "content-type", json.dumps(said()).encode("utf-16")),
    "another media type": Case(415, "content-type", said(), headers={"Content-Type": "text/plain"}),
    "compressed": Case(415, "content-type", said(), headers={"Content-Encoding": "gzip"}),
    "said before 1900": Case(422, "invalid-input", said(said_at="1899-12-31T00:00:00+08:00")),
    "said after 2200": Case(422, "invalid-input", said(said_at="2201-01-01T00:00:00+08:00")),
    "said on no day": Case(422, "invalid-input", said(said_at="2026-02-30T00:00:00+08:00")),
    "said without a zone": Case(422, "invalid-input", said(said_at="2026-03-02T09:00:00")),
    "said in seconds": Case(422, "invalid-input", said(said_at=1_772_413_200)),
    "said tomorrow": Case(409, "occurred-in-future", said(said_at="2199-01-01T00:00:00+08:00")),
    "no key": Case(400, "idempotency-key-missing", said(), without=["Idempotency-Key"]),
    "a key too long": Case(400, "idempotency-key-invalid", said(), headers={"Idempotency-Key": CANARY * 20}),
    "a key with spaces": Case(400, "idempotency-key-invalid", said(), headers={"Idempotency-Key": f"{CANARY} 1"}),
    "a weak If-Match": Case(400, "if-match-invalid", said(), headers={"If-Match": f'W/"{CANARY}"'}),
    "a path that is none": Case(404, "not-found", said(), path=f"/{CANARY}"),
    "a method that is none": Case(405, "method-not-allowed", said(), method="DELETE"),
    "an id that is none": Case(422, "invalid-input", path=f"/submissions/{CANARY}", method="GET"),
    "an unknown parameter": Case(422, "invalid-input", path=f"/submissions/{NOBODY}?{CANARY}=1", method="GET"),
    "a table that is no text": Case(409, "spreadsheet-not-utf8", b"\xff\xfe" + csv_of(), IMPORT, headers=CSV),
    "a table without words": Case(409, "spreadsheet-column-missing", CANARY.encode(), IMPORT, headers=CSV),
    "a table too long": Case(409, "spreadsheet-too-long", csv_of(*[f"1,{CANARY},"] * 1_001), IMPORT, headers=CSV),
    "a table too large": Case(413, "body-too-large", CANARY.encode() * MIB, IMPORT, headers=CSV),
    "a table from nowhere": Case(
        422, "invalid-input", csv_of(), f"/submissions/import?organ={CANARY}&system=x", headers=CSV
    ),
    "a date that is none": Case(
        422,
        "invalid-input",
        {"committee": "{village}", "form": "meeting", "scale": "micro", "begins_at": CANARY},
        "/sessions",
        service="deliberation",
    ),
    "a case without words": Case(
        422, "invalid-input", {"organ": CANARY, "name": CANARY}, "/cases", service="mediation"
    ),
    "a place that is none": Case(
        422, "invalid-input", path=f"/reports/work?division={CANARY}&{PERIOD}", method="GET", service="reporting"
    ),
    "a period that ends before it begins": Case(
        422,
        "period-invalid",
        path="/reports/work?division={town}&from=2026-02-01&to=2026-01-01",
        method="GET",
        service="reporting",
    ),
    "a day out of range": Case(
        422,
        "invalid-input",
        path="/reports/work?division={town}&from=0001-01-01&to=9999-12-31",
        method="GET",
        service="reporting",
    ),
    "a cursor of somebody's own": Case(
        400, "cursor-invalid", path=f"/submissions?cursor={CANARY}", method="GET", service="reporting"
    ),
    "a position that is none": Case(
        400, "after-invalid", path=f"/submissions?after={CANARY}", method="GET", service="reporting"
    ),
    "an instant that is none": Case(
        400,
        "at-invalid",
        path=f"/reports/work?division={{town}}&{PERIOD}&at={CANARY}",
        method="GET",
        service="reporting",
    ),
    "a figure that is none": Case(
        404,
        "not-found",
        path=f"/reports/work/figures/{CANARY}/facts?division={{town}}&{PERIOD}",
        method="GET",
        service="reporting",
    ),
    "another county's figures": Case(
        404, "not-found", path=f"/reports/work?division=110101&{PERIOD}", method="GET", service="reporting"
    ),
}


class Sender:
    """Sends what no client of ours would, and looks at every answer: refused by code, nothing repeated."""

    def __init__(self, endpoints: Endpoints, client: httpx2.AsyncClient) -> None:
        self._endpoints = endpoints
        self._client = client

    async def refused(self, case: Case, town: Town, token: str | None) -> Mapping[str, Any]:
        """Send it; return the problem, less what names the request."""
        headers = {"Idempotency-Key": str(uuid4()), "Content-Type": "application/json", **case.headers}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        answer = await self._client.request(
            case.method,
            self._endpoints.services[case.service] + filled(case.path, town),
            headers={name: value for name, value in headers.items() if name not in case.without},
            content=content_of(case, town),
        )
        shown = answer.text + str(answer.headers)
        assert not [secret for secret in SECRETS if secret in shown], "repeats what was sent"
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (case.status, case.code)
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["title"]
        return {name: value for name, value in problem.items() if name != "correlation"}


def filled(text: str, town: Town) -> str:
    return text.replace("{town}", town.code).replace("{village}", town.village)


def content_of(case: Case, town: Town) -> bytes | None:
    match case.body:
        case None:
            return None
        case bytes():
            return case.body
        case body:
            return filled(json.dumps(body), town).encode()


@pytest.fixture
async def sender(platform: Platform) -> AsyncGenerator[Sender]:
    """A client that watches: after the test every service stands where it stood before."""
    services = platform.endpoints.services
    await at_rest(services)
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        yield Sender(platform.endpoints, client)


class TestBadInput:
    async def test_is_refused_by_code_and_changes_nothing(
        self, platform: Platform, town: NewTown, sender: Sender
    ) -> None:
        a_town = await town()
        await a_town.rest()
        before = await progress(platform.endpoints.services)
        wrong = [name for name, case in CASES.items() if not await holds(sender, case, a_town)]
        assert wrong == []
        await a_town.rest()
        assert await progress(platform.endpoints.services) == before

    async def test_a_stale_version_is_refused(self, platform: Platform, town: NewTown, sender: Sender) -> None:
        a_town = await town()
        issue = await a_town.raise_issue("村道硬化", "rural-construction")
        await a_town.rest()
        before = await progress(platform.endpoints.services)
        stale = Case(
            412,
            "version-conflict",
            {"category": "livelihood", "key": True},
            f"/issues/{issue}/classify",
            headers={"If-Match": '"1"'},
        )
        await sender.refused(stale, a_town, a_town.clerk.token)
        assert await progress(platform.endpoints.services) == before

    async def test_a_key_used_again_for_something_else_is_refused(
        self, platform: Platform, town: NewTown, sender: Sender
    ) -> None:
        a_town = await town()
        body = {"organ": a_town.village_organ, "channel": "visit", "words": "路灯坏了。"}
        first = await a_town.clerk.post("intake", "/submissions", body, "one-key")
        assert await a_town.clerk.post("intake", "/submissions", body, "one-key") == first
        await a_town.rest()
        before = await progress(platform.endpoints.services)
        other = Case(422, "idempotency-key-reused", said(), headers={"Idempotency-Key": "one-key"})
        await sender.refused(other, a_town, a_town.clerk.token)
        assert await progress(platform.endpoints.services) == before

    async def test_a_matter_of_another_town_looks_like_none(
        self, platform: Platform, town: NewTown, sender: Sender
    ) -> None:
        ours, theirs = await town(), await town()
        issue = await theirs.raise_issue("村道硬化", "rural-construction", [await theirs.receive("路不好走。")])
        case = await theirs.open_case("借款未还。", "contract")
        await theirs.rest()
        before = await progress(platform.endpoints.services)
        for person, service, path, key, command, body in (
            (ours.clerk, "intake", "/issues", issue, "classify", {"category": "livelihood", "key": True}),
            (ours.mediator, "mediation", "/cases", case, "parties", {"name": CANARY}),
        ):
            told = [
                [
                    await sender.refused(asked, ours, person.token)
                    for asked in (
                        Case(404, "not-found", path=f"{path}/{one}", method="GET", service=service),
                        Case(404, "not-found", body, f"{path}/{one}/{command}", service=service),
                    )
                ]
                for one in (key, NOBODY)
            ]
            assert told[0] == told[1]
        await ours.rest()
        assert await progress(platform.endpoints.services) == before


class TestTokens:
    async def test_only_a_token_of_ours_opens_anything(
        self, platform: Platform, town: NewTown, sender: Sender, tmp_path: Path
    ) -> None:
        a_town = await town()
        await a_town.rest()
        before = await progress(platform.endpoints.services)
        for name, (token, code) in bad_tokens(platform.issuer, a_town, tmp_path).items():
            for case in (
                Case(401, code, said()),
                Case(401, code, path=f"/sessions/{NOBODY}", method="GET", service="deliberation"),
                Case(401, code, path=f"/cases/{NOBODY}", method="GET", service="mediation"),
                Case(401, code, path=f"/reports/work?division={a_town.code}", method="GET", service="reporting"),
            ):
                try:
                    await sender.refused(case, a_town, token)
                except AssertionError as error:
                    raise AssertionError(f"{name}, {case.service}: {error}") from None
        assert await progress(platform.endpoints.services) == before


async def holds(sender: Sender, case: Case, town: Town) -> bool:
    """Whether a case is answered as it says; the reason why not is printed."""
    person = {"intake": town.officer, "deliberation": town.convener, "mediation": town.director}
    try:
        await sender.refused(case, town, person.get(case.service, town.reader).token)
    except AssertionError as error:
        print(case.path, case.code, error)  # noqa: T201 - all that is wrong at once
        return False
    return True


def bad_tokens(issuer: Issuer, town: Town, place: Path) -> Mapping[str, tuple[str | None, str]]:
    """Tokens that must not open anything, each with the code it is answered by."""
    officer = [Grant(role="town-officer", at=town.code)]
    stranger = Issuer(place)
    good = issuer.issue(CANARY, officer)
    _, claims, signature = good.split(".")
    public = OctKey.import_key(issuer.jwks.read_bytes())
    signed_with_public = jwt.encode({"alg": "HS256"}, told(officer), public, algorithms=["HS256"])
    return {
        "none": (None, "token-missing"),
        "words": (CANARY, "token-invalid"),
        "another key": (stranger.issue(CANARY, officer), "token-invalid"),
        "another key under our key's name": (of_another_key(good, officer), "token-invalid"),
        "expired": (issuer.issue(CANARY, officer, ttl=-3_600), "token-expired"),
        "alg none": (f"{part({'alg': 'none', 'typ': 'JWT'})}.{claims}.", "token-invalid"),
        "alg none, signed": (f"{part({'alg': 'none'})}.{claims}.{signature}", "token-invalid"),
        "the public key as a secret": (signed_with_public, "token-invalid"),
        "other claims": (f"{good.split('.')[0]}.{part(told(officer))}.{signature}", "token-invalid"),
        "another issuer": (Issuer(issuer.jwks.parent, issuer=CANARY).issue(CANARY, officer), "token-invalid"),
        "another audience": (Issuer(issuer.jwks.parent, audience=CANARY).issue(CANARY, officer), "token-invalid"),
        "no role": (issuer.issue(CANARY, []), "token-invalid"),
        "an unknown role": (issuer.issue(CANARY, [Grant(role="emperor", at=town.code)]), "token-invalid"),
        "two counties": (
            issuer.issue(CANARY, [*officer, Grant(role="town-officer", at="110101")]),
            "token-invalid",
        ),
    }


def of_another_key(good: str, roles: Sequence[Grant]) -> str:
    header = extract_compact(good.encode()).headers()
    return jwt.encode(header, told(roles), RSAKey.generate_key(2048), algorithms=["RS256"])


def told(roles: Sequence[Grant]) -> dict[str, object]:
    now = int(time.time())
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": CANARY, "iat": now, "exp": now + 3_600, "roles": list(roles)}


def part(content: Mapping[str, object]) -> str:
    return urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


class TestSealed:
    async def test_what_was_said_is_found_nowhere_but_under_its_key(self, platform: Platform, town: NewTown) -> None:
        """After all the bad input above, and a proper submission, an import and a case."""
        a_town = await town()
        submission = await a_town.receive(CANARY, name=CANARY, phone=PHONE)
        await a_town.officer.upload(
            "intake",
            "/submissions/import",
            csv_of(f"1,{CANARY},{CANARY}", f"2,{CANARY}\x07,{CANARY}"),
            {"organ": a_town.organ, "system": a_town.code},
            "a-table",
        )
        case = await a_town.open_case(CANARY, "neighbour")
        await a_town.seat_parties(case, CANARY, f"{CANARY}-2")
        await a_town.rest()
        for service in ("intake", "mediation"):
            assert await agree(platform.endpoints, service)
        assert await places_of(platform, SECRETS) == []
        # The same search does find what is no secret.
        assert {
            "intake: eventlog.facts",
            "shangyi.intake",
            "reporting: public.facts",
            "reporting: public.submissions",
        } <= {*await places_of(platform, [submission])}
        assert "intake.log" in await places_of(platform, [f"{a_town.code}-officer"])


async def places_of(platform: Platform, sought: Sequence[str]) -> list[str]:
    """Where something can be read: in log files, in any table of any database, in any record of any topic."""
    found = [file.name for file in platform.home.logs.iterdir() if holds_any(file.read_bytes(), sought)]
    for name, dsn in platform.endpoints.postgres_dsns.items():
        found += [f"{name}: {table}" for table in await tables_with(dsn, sought)]
    for service in ("intake", "deliberation", "mediation"):
        for topic in (f"shangyi.{service}", f"shangyi.{service}.keys"):
            written = [(r.value or b"") + str(r.headers).encode() for r in await records(platform.endpoints, topic)]
            found += [topic] * any(holds_any(content, sought) for content in written)
    return found


def holds_any(content: bytes, sought: Sequence[str]) -> bool:
    return any(one.encode() in content for one in sought)


async def tables_with(dsn: str, sought: Sequence[str]) -> list[str]:
    """The tables with a row that has it, as text or as bytes."""
    tables = await fetch(
        dsn,
        """select format('%I.%I', schemaname, tablename) as name from pg_tables
           where schemaname not in ('pg_catalog', 'information_schema')
             and has_table_privilege(format('%I.%I', schemaname, tablename), 'select')""",
    )
    forms = [form for one in sought for form in (one, one.encode().hex())]
    found: list[str] = []
    for table in tables:
        name = table["name"]
        rows = await fetch(
            dsn,
            f"""select 1 from {name} t
                where exists (select from unnest($1::text[]) s where strpos(t::text, s) > 0) limit 1""",  # noqa: S608
            forms,
        )
        found += [name] * len(rows)
    return found
