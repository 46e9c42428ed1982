"""Who asks: only tokens of our issuer, for us, in time, about one county."""

import base64
import hmac
import json
from pathlib import Path

import httpx2
import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

from eventlog.decider import Actor
from eventlog.errors import Unavailable
from tests.unit.web.town import OFFICE, TOWN, Town, claims, issuers_key, token, write_jwks
from vocabulary.roles import Grant, Role
from web.actor import Caller, Verifier
from web.jwks import Keys

NOW = 1_800_000_000.0
STRANGER = ECKey.generate_key("P-256", {"kid": "stranger"})


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unsigned() -> str:
    return f"{part({'alg': 'none', 'kid': 'issuer'})}.{part(claims(NOW))}."


def confused() -> str:
    """HS256 with the issuer's public key as the secret."""
    signed = f"{part({'alg': 'HS256', 'kid': 'issuer'})}.{part(claims(NOW))}"
    secret = issuers_key().as_pem(private=False)
    return f"{signed}.{part(hmac.digest(secret, signed.encode(), 'sha256'))}"


def without(name: str) -> dict[str, object]:
    return {claim: value for claim, value in claims(NOW).items() if claim != name}


BAD: dict[str, str] = {
    "alg none": unsigned(),
    "alg confused": confused(),
    "another's key under our kid": token(claims(NOW), STRANGER),
    "unknown kid": token(claims(NOW), STRANGER, kid="stranger"),
    "another issuer": token(claims(NOW, iss="https://id.elsewhere")),
    "for another audience": token(claims(NOW, aud=["payments"])),
    "not yet": token(claims(NOW, nbf=NOW + 120)),
    "no exp": token(without("exp")),
    "exp as text": token(claims(NOW, exp=str(NOW + 60))),
    "no sub": token(without("sub")),
    "sub with a line break": token(claims(NOW, sub="clerk\n1")),
    "no roles": token(claims(NOW, roles=[])),
    "unknown role": token(claims(NOW, role="emperor")),
    "nowhere": token(claims(NOW, at="62")),
    "two counties": token(
        claims(NOW, roles=[{"role": "auditor", "at": "620724"}, {"role": "auditor", "at": "620725"}])
    ),
    "an organ of another county": token(claims(NOW, organ="620725.county-government")),
    "tampered": token(claims(NOW))[:-6] + "AAAAAA",
    "no token": "not-a-token",
    "not ASCII": "é",
    "endless": "a" * 10_000,
}


@pytest.fixture
def verifier(tmp_path: Path) -> Verifier:
    keys = Keys(write_jwks(tmp_path / "jwks.json", issuers_key()))
    return Verifier(keys, issuer="https://id.example", audience="shangyi", clock=lambda: NOW)


class TestCaller:
    async def test_is_what_the_token_says(self, verifier: Verifier) -> None:
        caller = await verifier.caller(f"bearer {token(claims(NOW, organ=OFFICE, aud=['x', 'shangyi'], extra=1))}")
        assert caller == Caller(
            id="clerk-1", tenant="620724", grants=(Grant(role=Role.VILLAGE_CLERK, at=TOWN),), organ=OFFICE
        )
        assert caller.actor == Actor(id="clerk-1", roles=frozenset({"village-clerk"}), organ=OFFICE)

    async def test_may_be_slightly_late_or_early(self, verifier: Verifier) -> None:
        await verifier.caller(f"Bearer {token(claims(NOW, exp=NOW - 29, nbf=NOW + 29))}")

    @pytest.mark.parametrize(
        ("key", "alg"),
        [
            (OKPKey.generate_key("Ed25519", {"kid": "k"}), "Ed25519"),
            (RSAKey.generate_key(2048, {"kid": "k"}), "RS256"),
            (ECKey.generate_key("P-256", {"kid": "k"}), "ES256"),
        ],
    )
    async def test_may_come_by_each_algorithm_of_ours(self, tmp_path: Path, key: Key, alg: str) -> None:
        keys = Keys((tmp_path / "k.json").as_uri())
        write_jwks(tmp_path / "k.json", key)
        verifier = Verifier(keys, issuer="https://id.example", audience="shangyi", clock=lambda: NOW)
        assert (await verifier.caller(f"Bearer {token(claims(NOW), key, 'k', alg)}")).id == "clerk-1"

    async def test_may_come_under_the_older_name_of_one(self, tmp_path: Path) -> None:
        key = OKPKey.generate_key("Ed25519", {"kid": "k"})
        verifier = Verifier(
            Keys(write_jwks(tmp_path / "k.json", key)),
            issuer="https://id.example",
            audience="shangyi",
            clock=lambda: NOW,
        )
        with pytest.warns(SecurityWarning):
            older = token(claims(NOW), key, "k", "EdDSA")
        assert (await verifier.caller(f"Bearer {older}")).id == "clerk-1"


class TestRefusals:
    @pytest.mark.parametrize("name", BAD)
    async def test_of_tokens_that_are_not_for_us(self, town: Town, name: str) -> None:
        town.clock = NOW
        async with town.client() as client:
            answer = await client.get("/notices", headers={b"Authorization": f"Bearer {BAD[name]}".encode()})
        assert (answer.status_code, answer.json()["code"]) == (401, "token-invalid")
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'

    async def test_of_expired_ones(self, town: Town, clerk: httpx2.AsyncClient) -> None:
        town.clock += 600 + 31
        answer = await clerk.get("/notices")
        assert (answer.status_code, answer.json()["code"]) == (401, "token-expired")

    @pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic Y2xlcms6eA=="])
    async def test_of_none_at_all(self, town: Town, authorization: str | None) -> None:
        headers = {} if authorization is None else {"Authorization": authorization}
        async with town.client() as client:
            client.headers.pop("Authorization")
            answer = await client.post("/notices", content="{", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "token-missing")
        assert answer.headers["www-authenticate"] == "Bearer"


class TestKeys:
    async def test_are_read_again_for_an_unknown_id_but_not_at_once(self) -> None:
        now, asked = 0.0, 0
        published = [issuers_key()]

        def jwks(_: httpx2.Request) -> httpx2.Response:
            nonlocal asked
            asked += 1
            return httpx2.Response(200, json=KeySet(list(published)).as_dict(private=False))

        keys = Keys("https://id.example/jwks", transport=httpx2.MockTransport(jwks), clock=lambda: now)
        assert await keys.get("issuer") is not None
        published[:] = [STRANGER]
        assert await keys.get("stranger") is None
        assert asked == 1
        now = 5.0
        assert await keys.get("stranger") is not None
        assert await keys.get("issuer") is None
        now = 64.9
        assert await keys.get("stranger") is not None
        assert asked == 2
        now = 65.0
        assert await keys.get("stranger") is not None
        assert asked == 3

    async def test_that_cannot_be_read_make_the_service_unavailable(self, town: Town) -> None:
        now, asked = 0.0, 0

        def broken(_: httpx2.Request) -> httpx2.Response:
            nonlocal asked
            asked += 1
            return httpx2.Response(500)

        keys = Keys("https://id.example/jwks", transport=httpx2.MockTransport(broken), clock=lambda: now)
        for _ in range(3):
            with pytest.raises(Unavailable):
                await keys.get("issuer")
        assert asked == 1
        del town

    def test_never_come_over_plain_http(self) -> None:
        with pytest.raises(ValueError, match="https"):
            Keys("http://id.example/jwks")
