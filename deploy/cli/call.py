"""``shangyi call``: one request to a service, as somebody with a role, from the command line (development only)."""

import json
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from deploy.cli.terminal import fail, home, run, running
from deploy.local.issuer import Issuer
from deploy.local.person import Person
from deploy.local.rest import at_rest

_OBJECT: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


def call(
    service: Annotated[str, typer.Argument(help="intake, deliberation, mediation or reporting.")],
    path: Annotated[str, typer.Argument(help="Such as /submissions or /issues?division=620724103.")],
    body: Annotated[str | None, typer.Argument(help="A command's body, as JSON; {} for an empty one.")] = None,
    role: Annotated[str, typer.Option("--as", help="The role to hold.")] = "town-officer",
    at: Annotated[str, typer.Option("--at", help="Division code or organ id it is held at.")] = "620724103",
    organ: Annotated[str | None, typer.Option("--organ", help="The organ spoken for.")] = None,
    name: Annotated[str, typer.Option("--name", help="Who it is.")] = "somebody",
    only: Annotated[str | None, typer.Option("--get", help="Print this field of the answer only.")] = None,
) -> None:
    """Ask a service (without a body), or send it a command, and print what it answers.

    A command's answer is printed once what follows from it has been done, in all services.
    """
    given = None if body is None else _object(body)
    endpoints = running()
    if service not in endpoints.services:
        raise fail(f"There is no service {service!r}.", f"Ask one of {', '.join(endpoints.services)}.")

    async def ask() -> Any:
        async with Person(endpoints, Issuer(home().keys), name, {role: at}, organ) as person:
            if given is not None:
                done = await person.post(service, path, given)
                await at_rest(endpoints.services)
                return done
            answer = await person.get(service, path)
            return answer.json() if "json" in answer.headers["content-type"] else answer.text

    answer = run(ask())
    if only is not None:
        answer = _field(answer, only)
    if answer is not None:
        typer.echo(answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False, indent=2))


def _field(answer: Any, name: str) -> Any:
    try:
        return answer[name]
    except (KeyError, TypeError):
        raise fail(f"The answer has no field {name!r}.", "Ask again without --get to see it whole.") from None


def _object(text: str) -> dict[str, Any]:
    try:
        return _OBJECT.validate_json(text)
    except ValidationError:
        raise fail(
            "The body is no JSON object.", 'Write \'{"reason": "…"}\' in single quotes, or {} for nothing.'
        ) from None
