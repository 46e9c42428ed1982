"""Memory: which server a process is."""

import pytest

from bench.memory import server_of


class TestServerOf:
    @pytest.mark.parametrize(
        ("program", "argv", "server"),
        [
            ("python", ["python", "-m", "web.serve", "services.intake.app:create", "--port", "8101"], "intake"),
            ("java", ["java", "-Xmx256m", "-cp", "/a/kafka.jar", "kafka.Kafka", "server.properties"], "kafka"),
            ("postgres", ["/opt/bin/postgres", "-D", "data"], "postgres"),
        ],
    )
    def test_names_it_by_what_it_was_started_as(self, program: str, argv: list[str], server: str) -> None:
        assert server_of(program, argv) == server
