"""A leader whose host loses its power cannot end its connection; the lead is free all the same, soon."""

import shutil
import subprocess
import sys

import pytest


def test_another_leads_within_seconds() -> None:
    for program in ("unshare", "nsenter", "ip"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} here")
    tried = subprocess.run(
        ["unshare", "--net", "sh", "-c", "ip link add here type veth peer name there"],  # as on any Linux
        capture_output=True,
        check=False,
    )
    if tried.returncode:
        pytest.skip("networks of our own are not allowed here")
    process = "tests.integration.eventlog.faults.host_process"
    ran = subprocess.run(
        ["unshare", "--net", sys.executable, "-m", process],  # as above
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert float(ran.stdout) < 25
