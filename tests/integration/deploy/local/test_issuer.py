"""The development issuer: what it signs, its published keys verify."""

import json
import stat
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import KeySet

from deploy.local.issuer import ALGORITHM, AUDIENCE, ISSUER, Issuer

CLERK = [{"role": "village-clerk", "at": "620724103201"}]


def test_a_token_is_verified_by_the_published_keys(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path)
    token = issuer.issue("li-na", [{"role": "village-clerk", "at": "620724103201"}], organ="an-organ", ttl=60)
    keys = KeySet.import_key_set(json.loads(issuer.jwks.read_text()))
    claims = jwt.decode(token, keys, algorithms=[ALGORITHM]).claims
    issued = claims.pop("iat")
    assert claims == {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "li-na",
        "exp": issued + 60,
        "roles": CLERK,
        "organ": "an-organ",
    }


def test_the_key_stays_and_stays_private(tmp_path: Path) -> None:
    before = Issuer(tmp_path).jwks.read_text()
    after = Issuer(tmp_path).jwks.read_text()
    assert before == after
    assert '"d"' not in before
    assert stat.S_IMODE((tmp_path / "issuer.pem").stat().st_mode) == 0o600
