"""What a write service does behind its API is watched, all of it."""

from base64 import b64encode
from pathlib import Path

from pydantic import SecretStr

from web.settings import ServiceSettings
from web.write_service import WriteService


async def test_its_lookout_tells_of_timers_that_are_held(tmp_path: Path) -> None:
    for name in ("master", "sharing"):
        (tmp_path / name).write_bytes(b64encode(bytes(32)))
        (tmp_path / name).chmod(0o600)
    settings = ServiceSettings(
        dsn=SecretStr("postgresql://nobody@127.0.0.1:1/nowhere"),
        keys_dsn=SecretStr("postgresql://nobody@127.0.0.1:1/nowhere"),
        master_key_file=tmp_path / "master",
        sharing_key_file=tmp_path / "sharing",
        kafka_bootstrap="127.0.0.1:1",
        oidc_issuer="test",
        oidc_jwks=str(tmp_path / "jwks"),
    )
    service = WriteService("test", settings, [])
    service.timers.halted = "the clock leapt"
    assert "timer-runner is halted: the clock leapt" in service.lookout.degraded()
