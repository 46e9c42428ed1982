"""Paging: lists come in pages, each with an opaque cursor to the next."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, ValidationError

from eventlog.facts import Value
from web.refusal import Refusal

T = TypeVar("T")
V = TypeVar("V", bound=Value)
MOST = 200
_LONGEST = 1_000


class Page(BaseModel, Generic[T]):
    """Some items; ``next`` is the cursor of the page after them, null on the last."""

    items: tuple[T, ...]
    next: str | None = None

    @classmethod
    def of(cls, rows: Sequence[T], paging: "PagingRequest", place: Callable[[T], Value]) -> "Page[T]":
        """Make a page of rows read with ``paging.fetch`` as their limit; ``place`` says where in the order a row is."""
        items = tuple(rows[: paging.limit])
        more = len(rows) > len(items)
        return cls(items=items, next=cursor(place(items[-1])) if more and items else None)


class PagingRequest:
    """How many items a caller wants, and behind which place."""

    def __init__(self, limit: int, cursor: str | None) -> None:
        self.limit = limit
        self._cursor = cursor

    @property
    def fetch(self) -> int:
        """How many rows to read: one more tells whether there is a next page."""
        return self.limit + 1

    def after(self, place: type[V]) -> V | None:
        """Return the place to go on behind; None at the beginning. Raises Refusal (400): a cursor that is not ours."""
        if self._cursor is None:
            return None
        try:
            return place.model_validate_json(urlsafe_b64decode(self._cursor.encode("ascii")))
        except (ValidationError, ValueError):
            raise Refusal(400, "cursor-invalid") from None


def cursor(place: Value) -> str:
    """Write a place in an order as text that means nothing to anybody else."""
    return urlsafe_b64encode(place.model_dump_json().encode()).decode()


async def paging(
    limit: Annotated[int, Query(ge=1, le=MOST, description="How many items")] = 50,
    cursor: Annotated[str | None, Query(max_length=_LONGEST, description="``next`` of the page before")] = None,
) -> PagingRequest:
    return PagingRequest(limit, cursor)


Paging = Annotated[PagingRequest, Depends(paging)]
"""For lists: ``async def list_issues(asking: Asking, paging: Paging) -> Page[IssueRow]``."""
