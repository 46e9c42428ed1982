"""The home: one platform at a time, secrets for its owner only, answers that do not trust stale files."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.endpoints import Endpoints
from deploy.local.errors import HomeInUse, HomeNotOurs
from deploy.local.home import Home
from deploy.local.settings import CHECKOUT

ENDPOINTS = Endpoints(
    pid=1,
    ports={"postgres": 5433},
    postgres_dsns={"intake": "postgresql://intake:secret@127.0.0.1:5433/intake"},
    kafka_bootstrap="127.0.0.1:9092",
    services={"intake": "http://127.0.0.1:8101"},
    issuer="urn:shangyi:development",
    audience="shangyi",
    jwks="jwks.json",
)
HOLD = """
import sys, time
from pathlib import Path
from deploy.local.home import Home
with Home(Path(sys.argv[1])).locked():
    print("held", flush=True)
    time.sleep(60)
"""


def a_process_holding(home: Home) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home.path)], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


class TestHome:
    def test_refuses_a_second_platform_until_the_first_is_gone_even_by_a_kill(self, home: Home) -> None:
        with a_process_holding(home) as first:
            assert home.holder() == first.pid
            with pytest.raises(HomeInUse, match=rf"process {first.pid}\).*shangyi stop"), home.locked():
                pass
            first.send_signal(signal.SIGKILL)
        assert home.holder() is None
        with home.locked():
            assert home.holder() == os.getpid()
        assert home.holder() is None

    def test_tells_where_the_platform_is_only_while_it_runs(self, home: Home) -> None:
        assert home.endpoints() is None
        with home.locked():
            home.publish(ENDPOINTS)
            assert home.endpoints() == ENDPOINTS
        assert home.endpoints() is None
        home.publish(ENDPOINTS)  # as a killed platform leaves it
        assert home.endpoints() is None

    def test_keeps_a_secret_for_its_owner(self, home: Home) -> None:
        home.create()
        secret = home.secret("postgres")
        assert (home.secret("postgres"), len(secret)) == (secret, 32)
        assert secret != home.secret("another")
        home.publish(ENDPOINTS)
        files = [*home.keys.iterdir(), home.run / "platform.json"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}

    def test_leaves_the_mode_of_a_home_it_did_not_make(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o750)
        Home(tmp_path).create()
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750

    def test_says_so_when_it_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(HomeNotOurs, match=r"cannot be written.*SHANGYI_HOME"):
            Home(tmp_path / "file" / "home").create()
