"""Where bytes that somebody sent meet a decoder that somebody else wrote."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from models.image.errors import DecoderError, ScanError


@contextmanager
def decoder_errors(what: str) -> Iterator[None]:
    """Turn whatever a decoder raises into :class:`DecoderError`, a :class:`CorruptFileError`.

    On bytes that it did not expect a decoder may raise anything, and its message may quote them;
    so the cause is cut off too. A :class:`ScanError` is our own, and goes on as it is; so does
    :class:`MemoryError`, which tells of a limit here and of no damage there.
    """
    try:
        yield
    except (ScanError, MemoryError):
        raise
    except Exception:
        raise DecoderError(
            f"The {what} data cannot be decoded: they are damaged or truncated."
        ) from None
