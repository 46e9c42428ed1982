"""DSNs are URLs: every part is quoted."""

from deploy.local.databases import Databases

OPERATORS = Databases("postgresql://admin:p%40ss@db.example:6432/postgres?sslmode=require")


def test_the_administrator_keeps_credentials_and_options() -> None:
    assert OPERATORS.admin_dsn("intake") == "postgresql://admin:p%40ss@db.example:6432/intake?sslmode=require"


def test_a_service_gets_its_own_credentials() -> None:
    expected = "postgresql://in%2Ftake:a%40b%3Ac@db.example:6432/intake?sslmode=require"
    assert OPERATORS.dsn("intake", "in/take", "a@b:c") == expected
