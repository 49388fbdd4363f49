"""Tell the declared fields of a row from the others, at every depth.

Declared is what an Arrow type names. The others end in `_extra`: one JSON object with the values
as sent, each under the field's name, or for a nested field under its JSON pointer (RFC 6901) such
as `/platforms/0/requirements_en/devices`.
"""

from collections.abc import Mapping
from functools import cache
from typing import TypeAlias

import pyarrow as pa

from ingestion import json_slices

# The names of a struct, each with what is below it; the items of a list; None: nothing below.
_Shape: TypeAlias = "Mapping[str, _Shape] | list[_Shape] | None"


def split(row: bytes, declared: pa.Schema) -> tuple[bytes, dict[str, bytes]]:
    """Return `row` without its undeclared fields, and those as name -> JSON.

    Raises ValueError when `row` is an object that cannot be cut into members.
    """
    extra: dict[str, bytes] = {}
    kept = _keep(row, _shape(pa.struct(list(declared))), "", extra)
    return kept, {_top_name(pointer): value for pointer, value in extra.items()}


def _keep(value: bytes, shape: _Shape, pointer: str, extra: dict[str, bytes]) -> bytes:
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


@cache
def _shape(declared: pa.DataType) -> _Shape:
    if pa.types.is_struct(declared):
        return {field.name: _shape(field.type) for field in declared}
    return [_shape(declared.value_type)] if pa.types.is_list(declared) else None


def _pointer(above: str, name: str) -> str:
    return f"{above}/{name.replace('~', '~0').replace('/', '~1')}"


def _top_name(pointer: str) -> str:
    name = pointer[1:]
    return pointer if "/" in name or "~" in name else name
