"""Erasing: the route by which every service with keys destroys one for good (PIPL art. 47), and says where one stands.

A subject is named by the random id that its words are sealed under: a person, a case, an anonymous submission, or a
published text.
"""

from uuid import UUID

from eventlog.erasure import EraseSubject, erasure
from eventlog.facts import Value
from eventlog.keys import Standing
from vocabulary.organs import OrganKind, organ_id
from web.commands import Commands, Created
from web.routing import APIRouter
from web.vault import Vault

router = APIRouter(prefix="/erasures", tags=["erasure"])


class SubjectShown(Value):
    """``key``: none was ever made here, one is there, or it was destroyed."""

    subject: UUID
    key: Standing


@router.post("", status_code=201, summary="Erase a subject")
async def erase_subject(body: EraseSubject, commands: Commands, vault: Vault) -> Created:
    """Destroy the subject's key for good, also where none was made yet, and keep who had it done, and why.

    Within a minute no process can open anything sealed for it. What refers to it stays: facts, figures, lists.
    """
    async with commands.unless_answered():
        county = organ_id(commands.tenant, OrganKind.COUNTY_GOVERNMENT)
        commands.authorize(county, commands.caller.id)
        await vault.destroy(body.subject)  # again, should a backup have brought it back
        return await commands.create(erasure, body, organ=county, key=body.subject)
    return commands.created_before()


@router.get("/{subject}", summary="Show whether a subject has a key")
async def show_subject(subject: UUID, commands: Commands, vault: Vault) -> SubjectShown:
    """Say whether anything may be sealed here for a subject, and whether it was erased."""
    commands.authorize(organ_id(commands.tenant, OrganKind.COUNTY_GOVERNMENT))
    return SubjectShown(subject=subject, key=await vault.standing(subject))
