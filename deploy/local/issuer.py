"""Issuer: signs tokens for the sample people; in production the county's identity provider takes its place."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from deploy.local.files import write_whole

ALGORITHM = "RS256"
ISSUER = "urn:shangyi:development"
AUDIENCE = "shangyi"
DAY = 24 * 3600


class Grant(TypedDict):
    """A role at a division code or an organ id."""

    role: str
    at: str


class Issuer:
    """Tokens of one home; its private key never leaves ``keys``."""

    def __init__(self, keys: Path, issuer: str = ISSUER, audience: str = AUDIENCE) -> None:
        """Make the key on first use, and write the public keys to ``jwks``."""
        self.issuer = issuer
        self.audience = audience
        self.jwks = keys / "jwks.json"
        self._key = _key(keys / "issuer.pem")
        public = KeySet([self._key]).as_dict(private=False)
        write_whole(self.jwks, json.dumps(public), mode=0o644)

    def issue(self, subject: str, roles: Sequence[Grant], organ: str | None = None, ttl: int = DAY) -> str:
        """A token for ``subject``, valid from now for ``ttl`` seconds of real time."""
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": subject,
            "iat": now,
            "exp": now + ttl,
            "roles": list(roles),
        }
        if organ is not None:
            claims["organ"] = organ
        return jwt.encode({"alg": ALGORITHM, "kid": self._key.kid}, claims, self._key, algorithms=[ALGORITHM])


def _key(file: Path) -> RSAKey:
    if not file.exists():
        made = RSAKey.generate_key(2048)
        write_whole(file, made.as_pem(private=True).decode())
    key = RSAKey.import_key(file.read_bytes())
    key.ensure_kid()
    return key
