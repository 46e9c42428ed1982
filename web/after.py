"""After: a query may wait until what its caller has done can be seen."""

import asyncio
import re
from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request

from web.parts import parts_of
from web.refusal import Refusal

PATIENCE = 5.0
PAUSE = 0.02
_TOKEN = re.compile(r"([a-z]{1,40})-([1-9][0-9]{0,17})")


async def caught_up(
    request: Request,
    after: Annotated[
        tuple[str, ...],
        Query(
            max_length=10,
            description="A Shangyi-Position to wait for; repeatable",
            examples=[["intake-57"]],
            json_schema_extra={"items": {"type": "string", "pattern": f"^{_TOKEN.pattern}$"}},
        ),
    ] = (),
) -> None:
    """Wait until every position named is reached, at most five seconds in all.

    Raises Refusal: 400 after-invalid, 504 not-caught-up.
    """
    reached = parts_of(request).reached
    if reached is None:
        raise TypeError("an app that answers ?after= is built with reached=")
    wanted = [match for token in after if (match := _TOKEN.fullmatch(token))]
    if len(wanted) != len(after):
        raise Refusal(400, "after-invalid")
    try:
        async with asyncio.timeout(PATIENCE):
            for match in wanted:
                while not await reached(match[1], int(match[2])):  # noqa: ASYNC110 - what is waited for is in a database
                    await asyncio.sleep(PAUSE)
    except TimeoutError:
        raise Refusal(504, "not-caught-up", headers={"Retry-After": "1"}) from None


CaughtUp = Annotated[None, Depends(caught_up)]
"""For queries: ``async def list_issues(asking: Asking, after: CaughtUp)``."""
