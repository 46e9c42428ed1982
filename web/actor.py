"""Actor: from a bearer token to who asks. The county, the roles and the organ come from the token and nowhere else."""

import time
import warnings
from collections.abc import Callable
from functools import cached_property
from hashlib import sha256
from typing import Annotated

from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jws import extract_compact
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.requests import Request

from eventlog.decider import Actor
from eventlog.facts import Value
from vocabulary.divisions import county_of
from vocabulary.organs import OrganId, division_of
from vocabulary.roles import Grant
from vocabulary.words import Account
from web.jwks import Keys
from web.refusal import Refusal

ALGORITHMS = ("Ed25519", "EdDSA", "ES256", "RS256")  # ours to choose, never the token's
LONGEST = 8_192
LEEWAY = 30.0  # seconds that clocks may differ
TRUSTED_FOR = 30.0  # seconds a signature once found good is not looked at again; keys are read anew every sixty
REMEMBERED = 10_000  # tokens


class Caller(Value):
    """Who asks. All grants lie in one county, the tenant."""

    id: Account
    tenant: str
    grants: tuple[Grant, ...]
    organ: str | None = None

    @cached_property
    def actor(self) -> Actor:
        return Actor(id=self.id, roles=frozenset(grant.role.value for grant in self.grants), organ=self.organ)


class _Claims(BaseModel):
    """What we read of a token; issuers may say more."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    iss: str
    aud: str | list[str]
    exp: Annotated[float, Field(strict=True)]
    nbf: Annotated[float, Field(strict=True)] = 0
    sub: Account
    roles: Annotated[tuple[Grant, ...], Field(min_length=1, max_length=100)]
    organ: OrganId | None = None

    @model_validator(mode="after")
    def _one_county(self) -> "_Claims":
        places = [grant.at for grant in self.roles] + ([] if self.organ is None else [self.organ])
        if len({county_of(division_of(place)) for place in places}) != 1:
            raise ValueError("a token speaks of one county")
        return self

    @cached_property
    def caller(self) -> Caller:
        county = county_of(division_of(self.roles[0].at))
        return Caller(id=self.sub, tenant=county, grants=self.roles, organ=self.organ)


class Verifier:
    """Tells a caller from a token: signature, issuer, audience, time."""

    def __init__(self, keys: Keys, *, issuer: str, audience: str, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._verified: dict[bytes, tuple[float, _Claims]] = {}  # by the token's digest: no token is kept

    async def caller(self, authorization: str | None) -> Caller:
        """Raises Refusal: 401 with code token-missing, token-expired or token-invalid. Raises Unavailable: no keys."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refusal(401, "token-missing", headers={"WWW-Authenticate": "Bearer"})
        claims = await self._verified_claims(token)
        if claims is None or not self._meant_for_us(claims):
            raise Refusal(401, "token-invalid", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if claims.exp <= self._clock() - LEEWAY:
            raise Refusal(401, "token-expired", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return claims.caller

    async def _verified_claims(self, token: str) -> _Claims | None:
        """What a token claims, its signature checked now or a moment ago; time and audience are not looked at here."""
        now, digest = self._clock(), sha256(token.encode()).digest()
        checked_at, claims = self._verified.get(digest, (0.0, None))
        if claims is not None and 0 <= now - checked_at < TRUSTED_FOR:
            return claims
        claims = await self._claims(token)
        if claims is not None:
            if len(self._verified) >= REMEMBERED:
                self._verified.clear()
            self._verified[digest] = (now, claims)
        return claims

    async def _claims(self, token: str) -> _Claims | None:
        if len(token) > LONGEST:
            return None
        try:
            header = extract_compact(token.encode("ascii")).headers()
            kid = header.get("kid")
            key = await self._keys.get(kid) if isinstance(kid, str) else None
            if key is None:
                return None
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SecurityWarning)  # issuers still say EdDSA where RFC 9864 says Ed25519
                return _Claims.model_validate(jwt.decode(token, key, algorithms=ALGORITHMS).claims)
        except (JoseError, ValidationError, ValueError, TypeError):
            return None

    def _meant_for_us(self, claims: _Claims) -> bool:
        audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        in_time = claims.nbf <= self._clock() + LEEWAY
        return claims.iss == self._issuer and self._audience in audience and in_time


def caller_of(request: Request) -> Caller:
    """Who sends ``request``; every route of ours has asked before it does anything else."""
    caller = request.state.caller
    if not isinstance(caller, Caller):
        raise TypeError("this route is not one of web.routing")
    return caller
