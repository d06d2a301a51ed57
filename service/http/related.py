"""Streaming parser of ``multipart/related`` (RFC 2387), a part at a time.

``type`` and ``boundary`` are taken quoted or not, and ``type`` may be missing: each part says what
it is. Part by part, what is larger than allowed is let go as it comes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from service.http.multipart import (
    BROKEN_HEADER,
    LONGEST_BOUNDARY,
    MultipartError,
    without_preamble,
)
from service.http.unfolding import unfolded

RELATED: Final = b"multipart/related"
_PLAIN: Final = frozenset({b"", b"7bit", b"8bit", b"binary"})
_LONGEST_HEADER: Final = 4096


@dataclass
class Part:
    """What one part holds; ``data`` is incomplete where ``too_large``."""

    content_type: str = ""
    data: bytearray = field(default_factory=bytearray)
    too_large: bool = False


async def parts(
    content_type: str, body: AsyncIterator[bytes], *, most: int, largest: int
) -> AsyncIterator[Part]:
    """Yield each part once it is whole, at most ``most`` of at most ``largest`` bytes.

    Raises :class:`~service.http.multipart.MultipartError`, perhaps after some of them.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind.lower() != RELATED or not boundary:
        raise MultipartError("no boundary")
    if len(boundary) > LONGEST_BOUNDARY:
        raise MultipartError(f"a boundary of more than {LONGEST_BOUNDARY} characters")
    reader = _Reader(most, largest)
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": reader.begin,
                "on_header_field": reader.header_field,
                "on_header_value": reader.header_value,
                "on_header_end": reader.header_end,
                "on_part_data": reader.data,
                "on_part_end": reader.finish,
                "on_end": reader.end,
            },
        )
        async for chunk in unfolded(without_preamble(body, boundary), boundary):
            parser.write(chunk)
            while reader.whole:
                yield reader.whole.pop(0)
    except FormParserError:
        raise MultipartError(BROKEN_HEADER) from None
    if not reader.ended:
        raise MultipartError("cut short")


class _Reader:
    """Takes the parser's calls, in the order of the body."""

    def __init__(self, most: int, largest: int) -> None:
        self._most = most
        self._largest = largest
        self._count = 0
        self._name = b""
        self._value = b""
        self._part = Part()
        self.whole: list[Part] = []
        self.ended = False

    def begin(self) -> None:
        self._count += 1
        if self._count > self._most:
            raise MultipartError(f"more than {self._most} parts")
        self._part = Part()

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name = self._grown(self._name, data[start:end])

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value = self._grown(self._value, data[start:end])

    def _grown(self, before: bytes, more: bytes) -> bytes:
        if len(before) + len(more) > _LONGEST_HEADER:
            raise MultipartError("a header of a part that is too long")
        return before + more

    def header_end(self) -> None:
        name, value = self._name.lower(), self._value.strip()
        if name == b"content-type":
            kind, _ = parse_options_header(value)
            self._part.content_type = kind.decode("latin-1").lower()
        elif name == b"content-transfer-encoding" and value.lower() not in _PLAIN:
            raise MultipartError("a part that is encoded, which HTTP does not need")
        self._name = self._value = b""

    def data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if part.too_large or len(part.data) + end - start > self._largest:
            part.too_large = True
            part.data.clear()
        else:
            part.data += data[start:end]

    def finish(self) -> None:
        self.whole.append(self._part)

    def end(self) -> None:
        self.ended = True
