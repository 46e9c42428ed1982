"""Erasing: one subject, in every service that may have sealed anything for it, by one privacy officer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

import httpx2

from deploy.local.errors import LocalError
from deploy.local.person import Person, Refused

SERVICES = ("intake", "deliberation", "mediation")
NONE, DESTROYED = "none", "destroyed"  # what a service says of a key


class NothingSealed(LocalError):
    """No service ever made a key for that subject."""


class NotErased(LocalError):
    """Some service could not be asked, or refused."""


async def standings(officer: Person, subject: UUID) -> Mapping[str, str]:
    """Ask every service what it has of a subject: service → none, there or destroyed. Raises NotErased."""
    return await _of_all(SERVICES, lambda service: _standing(officer, service, subject))


async def erase(officer: Person, subject: UUID, reason: str, *, text: bool, unknown: bool) -> Mapping[str, str]:
    """Have a subject's key destroyed, and say where it was: service → what it had.

    A person's is destroyed where none was made yet, too, so that no service ever seals under it; a published ``text``'s
    lies with the service that published it only. ``unknown``: every service destroys it, whatever it has: one whose
    keys were restored from a backup may have published what it knows nothing of. Raises NothingSealed unless that was
    asked for, and NotErased: then it is destroyed in the services that the message does not name, and the same may be
    asked again.
    """
    before = await standings(officer, subject)
    if not unknown and set(before.values()) == {NONE}:
        raise NothingSealed(
            f"No service has ever sealed anything for {subject}.",
            "Look it up again: `subject` of a submission, `person` of a party, `headline_id` of an issue, a case's id; "
            "or, where keys were restored from a backup, add --unknown.",
        )
    there = [service for service, key in before.items() if unknown or key != NONE or not text]
    await _of_all(there, lambda service: _erase(officer, service, subject, reason))
    return before


async def _standing(officer: Person, service: str, subject: UUID) -> str:
    return str((await officer.get(service, f"/erasures/{subject}")).json()["key"])


async def _erase(officer: Person, service: str, subject: UUID, reason: str) -> str:
    try:
        await officer.post(service, "/erasures", {"subject": str(subject), "reason": reason})
    except Refused as refused:
        if refused.code != "subject-erased":  # its key was destroyed again all the same
            raise
    return DESTROYED


async def _of_all(services: Sequence[str], ask: Callable[[str], Awaitable[str]]) -> Mapping[str, str]:
    """Ask each service, whatever the others say."""
    answers: dict[str, str] = {}
    failed: dict[str, str] = {}
    for service in services:
        try:
            answers[service] = await ask(service)
        except Refused as refused:
            failed[service] = str(refused)
        except httpx2.TransportError:
            failed[service] = "does not answer"
    if failed:
        told = "; ".join(f"{service}: {why}" for service, why in failed.items())
        raise NotErased(f"Not every service did it. {told}", "Run the same command again; what is done stays done.")
    return answers
