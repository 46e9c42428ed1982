"""Refusal: what the edge itself says no to, before any rule is asked."""

from collections.abc import Mapping, Sequence

from starlette.exceptions import HTTPException

from web.inputs import FieldError


class Refusal(HTTPException):
    """``code`` is stable; its sentence stands in messages.toml. ``values`` are those the sentence names.

    An HTTPException, because FastAPI lets no other out of the reading of a body.
    """

    def __init__(
        self,
        status: int,
        code: str,
        *,
        values: Mapping[str, object] | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, code, {**(headers or {})})
        self.code = code
        self.values = values or {}
        self.errors = tuple(errors)
