"""Tell the declared fields of a row from the others, at every depth.

Declared is what an Arrow type names. The others end in `_extra`: one JSON object with the values
as sent, each under the field's name, or for a nested field under its JSON pointer (RFC 6901) such
as `/platforms/0/requirements_en/devices`.
"""

import pyarrow as pa

from ingestion import json_slices


def split(row: bytes, declared: pa.Schema) -> tuple[bytes, dict[str, bytes]]:
    """Return `row` without its undeclared fields, and those as name -> JSON.

    Raises ValueError when `row` is an object that cannot be cut into members.
    """
    extra: dict[str, bytes] = {}
    kept = _keep(row, pa.struct(list(declared)), "", extra)
    return kept, {_top_name(pointer): value for pointer, value in extra.items()}


def _keep(value: bytes, declared: pa.DataType, pointer: str, extra: dict[str, bytes]) -> bytes:
    if pa.types.is_struct(declared) and value.startswith(b"{"):
        kept = {}
        for name, part in json_slices.members(value).items():
            below = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            index = declared.get_field_index(name)
            if index < 0:
                extra[below] = part
            else:
                kept[name] = _keep(part, declared.field(index).type, below, extra)
        return json_slices.joined(kept)
    if pa.types.is_list(declared) and value.startswith(b"["):
        parts = enumerate(json_slices.elements(value))
        below_each = [_keep(x, declared.value_type, f"{pointer}/{i}", extra) for i, x in parts]
        return b"[" + b",".join(below_each) + b"]"
    return value


def _top_name(pointer: str) -> str:
    name = pointer[1:]
    return pointer if "/" in name or "~" in name else name
