"""Tell the declared fields of a row from the others, at every depth.

Declared is what an Arrow type names. The others end in `_extra`: one JSON object with the values
as sent, each under the field's name, or for a nested field under its JSON pointer (RFC 6901) such
as `/platforms/0/requirements_en/devices`.
"""

from collections.abc import Mapping
from typing import TypeAlias

import pyarrow as pa

from ingestion import json_slices

# The names of a struct, each with what is below it; the items of a list; None: nothing below.
Shape: TypeAlias = "Mapping[str, Shape] | list[Shape] | None"


def shape_of(declared: pa.Schema | pa.DataType) -> Shape:
    """Return what `split` needs to know of a schema; make it once, not for each row."""
    if isinstance(declared, pa.Schema) or pa.types.is_struct(declared):
        return {field.name: shape_of(field.type) for field in declared}
    return [shape_of(declared.value_type)] if pa.types.is_list(declared) else None


def split(row: bytes, declared: Shape) -> tuple[bytes, dict[str, bytes]]:
    """Return `row` without its undeclared fields, and those as name -> JSON.

    Raises ValueError when `row` is an object that cannot be cut into members.
    """
    extra: dict[str, bytes] = {}
    kept = _keep(row, declared, "", extra)
    return kept, {_top_name(pointer): value for pointer, value in extra.items()}


def _keep(value: bytes, shape: Shape, pointer: str, extra: dict[str, bytes]) -> bytes:
    if isinstance(shape, Mapping) and value.startswith(b"{"):
        kept = {}
        for name, part in json_slices.members(value).items():
            below = shape.get(name)
            if below is not None:
                kept[name] = _keep(part, below, _pointer(pointer, name), extra)
            elif name in shape:
                kept[name] = part
            else:
                extra[_pointer(pointer, name)] = part
        return json_slices.joined(kept)
    if isinstance(shape, list) and value.startswith(b"["):
        parts = enumerate(json_slices.elements(value))
        kept_each = [_keep(part, shape[0], f"{pointer}/{i}", extra) for i, part in parts]
        return b"[" + b",".join(kept_each) + b"]"
    return value


def _pointer(above: str, name: str) -> str:
    return f"{above}/{name.replace('~', '~0').replace('/', '~1')}"


def _top_name(pointer: str) -> str:
    name = pointer[1:]
    return pointer if "/" in name or "~" in name else name
