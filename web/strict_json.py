"""Strict JSON: what a body may be before any model sees it. Most parsers take much more, and take it differently."""

import json
import math
import re
from collections.abc import Sequence
from email.message import Message

from pydantic import JsonValue
from starlette.datastructures import Headers

from web.parts import Limits
from web.refusal import Refusal

_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_LARGEST = (1 << 63) - 1
_DIGITS = 20  # of the largest number and its sign
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def check_type(headers: Headers) -> None:
    """Refuse (415) whatever is not declared as JSON in UTF-8, sent as it is."""
    if headers.get("content-type") == "application/json" and "content-encoding" not in headers:
        return
    message = Message()
    message["content-type"] = headers.get("content-type", "")
    plain = headers.get("content-encoding", "identity").lower() == "identity"
    charset = message.get_param("charset", "utf-8")
    if not plain or message.get_content_type() != "application/json" or str(charset).lower() != "utf-8":
        raise Refusal(415, "content-type")


def parse(body: bytes, limits: Limits) -> JsonValue:
    """Read one JSON text.

    Raises Refusal: 415 with a byte order mark or in UTF-16, 400 for broken JSON or a repeated key, 422 for what is
    too deep, too long, out of range or no text.
    """
    if body.startswith(_MARKS) or b"\0" in body[:4]:
        raise Refusal(415, "content-type")
    try:
        value: JsonValue = _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        # A surrogate encoded by itself (CESU-8) is no text, like its escape; all else is not UTF-8 at all.
        lone = body[error.start : error.start + 2] >= b"\xed\xa0" and body[error.start] == 0xED
        raise (Refusal(422, "text-invalid") if lone else Refusal(400, "json-invalid")) from None
    except json.JSONDecodeError:
        raise Refusal(400, "json-invalid") from None
    except RecursionError:
        raise _too_deep(limits) from None
    _check(value, limits)
    return value


def _check(value: JsonValue, limits: Limits) -> None:
    """Walk everything without recursion; stop at the first thing that is too much."""
    level: Sequence[JsonValue] = [value]
    for depth in range(limits.depth + 1):
        if depth == limits.depth and any(isinstance(item, list | dict) for item in level):
            break
        below: list[JsonValue] = []
        for item in level:
            match item:
                case str():
                    _text(item)
                case list():
                    if len(item) > limits.items:
                        raise Refusal(422, "json-array-too-long", values={"items": limits.items})
                    below += item
                case dict():
                    for key in item:
                        _text(key)
                    below += item.values()
                case _:
                    continue
        if not below:
            return
        level = below
    raise _too_deep(limits)


def _too_deep(limits: Limits) -> Refusal:
    return Refusal(422, "json-too-deep", values={"depth": limits.depth})


def _text(text: str) -> None:
    if _NOT_TEXT.search(text):
        raise Refusal(422, "text-invalid")


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refusal(400, "json-duplicate-key")
    return found


def _integer(digits: str) -> int:
    if len(digits) > _DIGITS or abs(number := int(digits)) > _LARGEST:
        raise Refusal(422, "json-number-out-of-range")
    return number


def _real(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number) or abs(number) > _LARGEST:
        raise Refusal(422, "json-number-out-of-range")
    return number


def _constant(name: str) -> float:
    del name
    raise Refusal(422, "json-number-out-of-range")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_real, parse_constant=_constant
)  # made once: making it costs more than most bodies
