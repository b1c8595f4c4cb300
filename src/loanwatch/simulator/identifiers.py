"""Identifiers that look like UUIDs, cheap to make by the million."""

from typing import Final

import numpy as np
import polars as pl

__all__ = ["uuid_like"]

_HEX: Final = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_LENGTH: Final = 36
_DASHES: Final = (8, 13, 18, 23)
_DIGITS: Final = np.array([i for i in range(_LENGTH) if i not in _DASHES])


def uuid_like(rows: int, rng: np.random.Generator) -> pl.Series:
    """Return identifiers of 128 random bits, written like UUIDs of version 4; a collision is not to be expected.

    >>> uuid_like(1, np.random.default_rng(0)).str.len_chars().to_list()
    [36]
    """
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415  (heavy, and features alone need no ids)

    digits = np.frombuffer(rng.bytes(16 * rows), dtype=np.uint8).reshape(rows, 16)
    text = np.full((rows, _LENGTH), ord("-"), dtype=np.uint8)
    text[:, _DIGITS[0::2]] = _HEX[digits >> 4]
    text[:, _DIGITS[1::2]] = _HEX[digits & 15]
    text[:, 14] = ord("4")
    offsets = np.arange(0, _LENGTH * (rows + 1), _LENGTH, dtype=np.int32)
    array = pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(text)))
    return pl.Series(pl.from_arrow(array))
