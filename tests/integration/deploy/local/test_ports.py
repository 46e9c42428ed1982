"""Ports: usual where free, others where taken, remembered."""

import socket
from pathlib import Path

from deploy.local import ports
from deploy.local.home import Home

USUAL = {"postgres": 15433, "kafka": 19092}


def given(home: Home) -> dict[str, int]:
    with ports.claimed(home, USUAL) as given:
        return given


def test_a_taken_port_is_replaced_and_the_replacement_remembered(home: Home) -> None:
    home.create()
    with socket.create_server(("127.0.0.1", 15433)):
        assert given(home) == {"postgres": 15443, "kafka": 19092}
    assert given(home) == {"postgres": 15443, "kafka": 19092}
    with socket.create_server(("127.0.0.1", 15443)):
        assert given(home) == {"postgres": 15433, "kafka": 19092}


def test_two_platforms_starting_at_once_never_choose_the_same(home: Home, tmp_path: Path) -> None:
    another = Home(tmp_path / "another")
    home.create()
    another.create()
    with ports.claimed(home, USUAL) as one, ports.claimed(another, USUAL) as two:
        assert (one, two) == ({"postgres": 15433, "kafka": 19092}, {"postgres": 15443, "kafka": 19102})
