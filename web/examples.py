"""Examples: a request body to try, composed from the examples that the fields' own types carry."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]  # a part of an OpenAPI document

_BY_FORMAT: Mapping[str, object] = {
    "uuid": "01931c5e-7a52-7c3a-9f0d-6f2f1b6f0a11",
    "date": "2026-03-02",
    "date-time": "2026-03-02T09:00:00+08:00",
}
_DEEPEST = 12


def example(schema: Schema, schemas: Mapping[str, Schema], depth: int = 0) -> object:
    """Compose an example. A model's own comes first, then a field's, then what its type allows.

    Raises ValueError: nothing to go by, such as text with a pattern and no example.
    """
    if depth > _DEEPEST:
        raise ValueError("a schema that contains itself needs an example of its own")
    match schema:
        case {"examples": [first, *_]} | {"example": first} | {"const": first} | {"enum": [first, *_]}:
            return first
        case {"$ref": str() as reference}:
            return example(schemas[reference.rpartition("/")[2]], schemas, depth + 1)
        case {"anyOf": [*options]} | {"oneOf": [*options]} | {"allOf": [*options]}:
            return example(next(option for option in options if option.get("type") != "null"), schemas, depth + 1)
        case {"type": "object", "properties": properties}:
            return {name: example(field, schemas, depth + 1) for name, field in properties.items()}
        case {"type": "object"}:
            return {}
        case {"type": "array", "prefixItems": [*items]}:
            return [example(item, schemas, depth + 1) for item in items]
        case {"type": "array", "items": item}:
            return [example(item, schemas, depth + 1)]
        case {"format": str() as name} if name in _BY_FORMAT:
            return _BY_FORMAT[name]
        case {"type": "integer" | "number"}:
            return schema.get("minimum", 1)
        case {"type": "boolean"}:
            return True
        case {"type": "string"} if "pattern" not in schema:
            return "村道硬化"[: schema.get("maxLength", 4)]
        case _:
            raise ValueError(f"no example can be made of {sorted(schema)}")
