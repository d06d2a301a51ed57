"""Streaming multipart parser that keeps one field of a form; other fields and names are let go.

Frameworks write large parts to temporary files and take a form that breaks off for a complete one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeVar

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

MAX_PARTS: Final = 16


class MultipartError(ValueError):
    """The body is not a multipart form, or not all of it."""


class TooManyPartsError(MultipartError):
    """The form has more parts than anybody should send."""


class Receiver(Protocol):
    """Takes the content of one file. Made with its type, and whether a file had been named."""

    @property
    def present(self) -> bool:
        """False where the part has neither name nor bytes: a form sent without a file."""

    def write(self, data: bytes) -> None: ...


@dataclass
class File:
    """A file out of a form, in memory. Its name is not among what is kept."""

    content_type: str
    named: bool
    data: bytearray = field(default_factory=bytearray)

    @property
    def present(self) -> bool:
        return self.named or bool(self.data)

    def write(self, data: bytes) -> None:
        self.data += data


R = TypeVar("R", bound=Receiver)


async def files(
    content_type: str,
    body: AsyncIterator[bytes],
    wanted: str,
    factory: Callable[[str, bool], R],
    most: int = MAX_PARTS,
) -> list[R]:
    """Return the files in field ``wanted``, each received by what ``factory`` made for it.

    Raises :class:`MultipartError`, :class:`TooManyPartsError` for more than ``most`` parts.
    """
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise MultipartError("no boundary")
    form = _Form(wanted.encode(), factory, most)
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": form.part_begin,
                "on_header_field": form.header_field,
                "on_header_value": form.header_value,
                "on_header_end": form.header_end,
                "on_headers_finished": form.headers_finished,
                "on_part_data": form.part_data,
                "on_end": form.end,
            },
        )
        async for chunk in body:
            parser.write(chunk)
    except FormParserError:
        raise MultipartError("not multipart") from None
    if not form.ended:
        raise MultipartError("cut short")
    return [file for file in form.files if file.present]


class _Form(Generic[R]):
    """Takes the parser's calls, in the order of the body."""

    def __init__(self, wanted: bytes, factory: Callable[[str, bool], R], most: int) -> None:
        self._wanted = wanted
        self._factory = factory
        self._most = most
        self._parts = 0
        self._name = b""
        self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._current: R | None = None
        self.files: list[R] = []
        self.ended = False

    def part_begin(self) -> None:
        self._parts += 1
        if self._parts > self._most:
            raise TooManyPartsError(f"more than {self._most} parts")
        self._headers = {}
        self._current = None

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def headers_finished(self) -> None:
        options = parse_options_header(self._headers.get(b"content-disposition"))[1]
        if b"name" not in options:
            raise MultipartError("a part has no name")
        if options[b"name"] == self._wanted and b"filename" in options:
            content_type = self._headers.get(b"content-type", b"").decode("latin-1")
            self._current = self._factory(content_type, bool(options[b"filename"]))
            self.files.append(self._current)

    def part_data(self, data: bytes, start: int, end: int) -> None:
        if self._current is not None:
            self._current.write(data[start:end])

    def end(self) -> None:
        self.ended = True
