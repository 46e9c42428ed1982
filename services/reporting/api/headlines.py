"""Headlines: opened when they are shown, so that an erased text is gone from every answer at once."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from eventlog.sealed import Clear, Erased, Opened, Pending, Unreadable
from eventlog.shared_keys import SharedKeys
from services.reporting.read_models.issues import IssueRow, IssueStanding


class HeadlineState(StrEnum):
    CLEAR = "clear"
    PENDING = "pending"  # its key is on its way
    ERASED = "erased"
    UNREADABLE = "unreadable"  # an error of ours, told in the log


class IssueShown(IssueStanding):
    """``headline``: the text, or a mark in its place, as ``headline_state`` says.

    ``headline_id``: the text's subject, the one to name in an erasure.
    """

    headline: str
    headline_id: UUID
    headline_state: HeadlineState


async def with_headlines(rows: Sequence[IssueRow], tenant: str, keys: SharedKeys) -> Sequence[IssueShown]:
    """Show issues with their headlines opened, all in one round trip."""
    opened = await keys.open_many(tenant, [row.headline for row in rows])
    return [
        IssueShown.model_validate(
            {
                **dict(row),
                "headline": text.shown(),
                "headline_id": row.headline.key_id,
                "headline_state": state_of(text),
            }
        )
        for row, text in zip(rows, opened, strict=True)
    ]


def state_of(opened: Opened) -> HeadlineState:
    match opened:
        case Clear():
            return HeadlineState.CLEAR
        case Pending():
            return HeadlineState.PENDING
        case Erased():
            return HeadlineState.ERASED
        case Unreadable():
            return HeadlineState.UNREADABLE
