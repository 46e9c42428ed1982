"""Ports: the usual ones where they are free, others where they are not, the same again next time."""

import json
import socket
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from deploy.local.errors import NoFreePort
from deploy.local.files import write_whole
from deploy.local.home import Home

USUAL = {
    "postgres": 5433,
    "kafka": 9092,
    "kafka-controller": 9093,
    "intake": 8101,
    "deliberation": 8102,
    "mediation": 8103,
    "reporting": 8104,
}

_STEP = 10  # the usual ports differ in their last digits, so no two of them ever try the same port
_STEPS = 90


@contextmanager
def claimed(home: Home, usual: Mapping[str, int] = USUAL) -> Generator[dict[str, int]]:
    """A free port for every name, ours while the block runs and remembered in the home: what was bookmarked stays.

    Enter it holding the home and after leftovers were ended. Raises NoFreePort.
    """
    file = home.run / "ports.json"
    remembered: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    ports: dict[str, int] = {}
    with ExitStack() as claims:
        for name, port in usual.items():
            candidates = [remembered.get(name, port), *(port + _STEP * n for n in range(_STEPS))]
            ports[name] = _first(name, candidates, claims)
        write_whole(file, json.dumps({**remembered, **ports}))
        yield ports


def _first(name: str, candidates: Sequence[int], claims: ExitStack) -> int:
    for port in candidates:
        claim = _claim(port)
        if claim is not None:
            claims.enter_context(claim)
            return port
    raise NoFreePort(
        f"No free port for {name} up to {candidates[-1]}.",
        "End the programs that hold them (`ss -ltnp` lists them).",
    )


def _claim(port: int) -> socket.socket | None:
    """Keep other platforms from choosing ``port`` before our server listens on it, and while that is restarted.

    The claim is the UDP port of the same number: it is in nobody's way, and the kernel drops it when we die.
    """
    claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        claim.bind(("127.0.0.1", port))
    except OSError:
        claim.close()
        return None
    if is_free(port):
        return claim
    claim.close()
    return None


def is_free(port: int) -> bool:
    """Whether a server could listen on ``port`` of the loopback interface right now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Connections of an earlier server that are still winding down do not keep the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
