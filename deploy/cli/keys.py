"""``shangyi keys`` changes the secrets that keys are wrapped under; ``shangyi erase`` ends a key for good."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, TypeVar
from uuid import UUID

import typer
from pydantic import TypeAdapter, ValidationError
from rich.table import Table

from deploy.cli.terminal import fail, home, out, run, running
from deploy.local.changing_secrets import Master, Secret, Sharing, keys_of, retire, rotate
from deploy.local.erasing import NONE
from deploy.local.erasing import erase as erase_subject
from deploy.local.issuer import Issuer
from deploy.local.person import Person
from eventlog.connections import Pool
from eventlog.erasure import Reason
from eventlog.wrapping import secrets_of
from vocabulary.divisions import DivisionCode, county_of

T = TypeVar("T")
_DIVISION: TypeAdapter[str] = TypeAdapter(DivisionCode)
keys = typer.Typer(help="Look after the secrets that keys are wrapped under.", no_args_is_help=True)

WhichSecret = Annotated[
    bool, typer.Option("--sharing", help="The secret that keys travel under, not the one they lie under.")
]


@keys.command("status")
def show(sharing: WhichSecret = False) -> None:
    """Show every secret by its name, how many keys it wraps, and which one wraps from now on."""
    secret = _secret(sharing)
    uses = run(_over_keys(secret.uses))
    table = Table("secret", "keys", "", box=None)
    for n, one in enumerate(secrets_of(secret.file)):
        wraps = uses.get(one.name, 0)
        table.add_row(
            one.name.hex(), str(wraps), "wraps" if n == 0 else "still needed" if wraps else "no longer needed"
        )
    out.print(table)


@keys.command("rotate")
def change(sharing: WhichSecret = False) -> None:
    """Make a new secret and move every key to it, while all services go on; or finish a change that was broken off."""
    secret = _secret(sharing)
    moved = run(_over_keys(lambda pools: rotate(secret, pools)))
    out.print(f"{moved} keys moved. {secret.first.name.hex()} wraps from now on.")
    if len(secrets_of(secret.file)) > 1:
        out.print("No key needs another secret any more: `shangyi keys retire` takes it away for good.")


@keys.command("retire")
def let_go(sharing: WhichSecret = False) -> None:
    """Take away for good what no key needs any more: old backups of keys cannot be opened after that."""
    secret = _secret(sharing)
    gone = run(_over_keys(lambda pools: retire(secret, pools)))
    out.print(f"{', '.join(name.hex() for name in gone)} is gone." if gone else "There is none to take away.")
    if len(secrets_of(secret.file)) > 1:
        raise fail("An old secret still wraps keys.", "Finish with `shangyi keys rotate` first.")


def erase(
    county: Annotated[str, typer.Option("--county", help="Whose subject it is, such as 620724.")],
    subject: Annotated[UUID | None, typer.Argument(help="A person, a case, or an anonymous submission.")] = None,
    text: Annotated[UUID | None, typer.Option("--text", help="A published text instead, by its `headline_id`.")] = None,
    reason: Annotated[Reason, typer.Option(help="Why; kept with who had it done.")] = Reason.ASKED,
    unknown: Annotated[bool, typer.Option("--unknown", help="Even where nothing was ever sealed for it.")] = False,
) -> None:
    """Destroy a subject's key in every service: within a minute nobody can open what was sealed for it, ever again."""
    meant = subject or text
    if meant is None or (subject is not None and text is not None):
        raise fail("Name a subject or, with --text, a published text.", "shangyi erase SUBJECT --county 620724")
    try:
        at = county_of(_DIVISION.validate_python(county))
    except ValidationError:
        raise fail(f"{county!r} is no county.", "Say whose subject it is: --county 620724.") from None
    endpoints = running()

    async def work() -> None:
        async with Person(endpoints, Issuer(home().keys), "operator", {"privacy-officer": at}) as officer:
            was = await erase_subject(officer, meant, reason, text=text is not None, unknown=unknown)
        for service, key in was.items():
            out.print(f"  {service:<13} {'nothing was sealed' if key == NONE else 'erased'}")

    run(work())
    out.print("Within a minute no process can open it. What refers to it stays, and shows that it was erased.")


def _secret(sharing: bool) -> Secret:
    return Sharing(home().keys / "sharing.key") if sharing else Master(home().keys / "master.key")


async def _over_keys(work: Callable[[Sequence[Pool]], Awaitable[T]]) -> T:
    async with keys_of(running()) as pools:
        return await work(pools)
