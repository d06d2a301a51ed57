"""Streaming multipart parser that keeps files of one field and the texts that are asked for.

Frameworks write large parts to temporary files and take a form that breaks off for a complete one.
What RFC 7578 forbids to senders and RFC 2046 knows is read all the same where it can mean one thing
alone: a preamble, ``filename*``, a file without a name, base64, folded headers. A form that ends
before its last boundary is refused, since nobody could tell that the file is whole; so are lines
that end in LF.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeVar
from urllib.parse import unquote

from python_multipart.decoders import Base64Decoder, QuotedPrintableDecoder
from python_multipart.exceptions import DecodeError, FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from service.http.unfolding import unfolded

MAX_PARTS: Final = 16
BROKEN_HEADER: Final = "a header of a part that is broken or too long"
LONGEST_BOUNDARY: Final = 70
"""RFC 2046, section 5.1.1."""
LONGEST_TEXT: Final = 1024
"""Bytes of a field beside the files."""
HEAD: Final = 64
"""Bytes by which a file without a name is told from text that somebody typed."""

_BLANKS: Final = 256
"""Most of them behind the first boundary, where it comes in pieces."""
_QUOTED: Final = re.compile(r'"(?:\\.|[^"\\])*"')
_EXTENDED: Final = re.compile(r";\s*filename\*(?:0\*?)?\s*=([^;]*)", re.IGNORECASE)
"""A name as RFC 5987 writes it, which :func:`parse_options_header` leaves out."""
_PLAIN: Final = frozenset({"", "7bit", "8bit", "binary"})
_DECODERS: Final[dict[str, Callable[[Any], Any]]] = {
    "base64": Base64Decoder,
    "quoted-printable": QuotedPrintableDecoder,
}


class MultipartError(ValueError):
    """The body is not a multipart form, or not all of it."""


class TooManyPartsError(MultipartError):
    """The form has more parts than anybody should send."""


class Receiver(Protocol):
    """Takes the content of one file. Made with its type and the name that it was sent under."""

    @property
    def present(self) -> bool:
        """False where there is no file: nothing was chosen, or a text was typed instead."""

    def write(self, data: bytes) -> None: ...


@dataclass
class File:
    """A file out of a form, in memory; ``name`` is empty where it came without one."""

    content_type: str
    name: str
    data: bytearray = field(default_factory=bytearray)

    @property
    def present(self) -> bool:
        return bool(self.name) or is_file(bytes(self.data[:HEAD]))

    def write(self, data: bytes) -> None:
        self.data += data


R = TypeVar("R", bound=Receiver)


def is_file(head: bytes) -> bool:
    """Whether what begins with ``head`` is a file's content, not text that somebody typed."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return True
    return not all(character.isprintable() or character in "\t\r\n" for character in text)


async def files(
    content_type: str,
    body: AsyncIterator[bytes],
    wanted: str,
    factory: Callable[[str, str], R],
    most: int = MAX_PARTS,
    skipped: Callable[[str], bool] = lambda _: False,
) -> list[R]:
    """Return the files in field ``wanted``, each received by what ``factory`` made for it.

    Files of a name that is to be ``skipped`` are let go. Raises :class:`MultipartError`,
    :class:`TooManyPartsError` for more than ``most`` parts.
    """
    return (await form(content_type, body, wanted, factory, (), most, skipped))[0]


async def form(
    content_type: str,
    body: AsyncIterator[bytes],
    wanted: str,
    factory: Callable[[str, str], R],
    texts: Collection[str] = (),
    most: int = MAX_PARTS,
    skipped: Callable[[str], bool] = lambda _: False,
) -> tuple[list[R], Mapping[str, str]]:
    """Return the files as :func:`files` does, and the fields that ``texts`` names, in UTF-8.

    Fields that were left empty are not among them; all others are let go. Raises
    :class:`MultipartError` for one of more than :data:`LONGEST_TEXT` bytes as well.
    """
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise MultipartError("no boundary")
    if len(boundary) > LONGEST_BOUNDARY:
        raise MultipartError(f"a boundary of more than {LONGEST_BOUNDARY} characters")
    names = frozenset(name.encode() for name in texts)
    taken = _Form(wanted.encode(), factory, names, most, skipped)
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": taken.part_begin,
                "on_header_field": taken.header_field,
                "on_header_value": taken.header_value,
                "on_header_end": taken.header_end,
                "on_headers_finished": taken.headers_finished,
                "on_part_data": taken.part_data,
                "on_part_end": taken.part_end,
                "on_end": taken.end,
            },
        )
        async for chunk in unfolded(without_preamble(body, boundary), boundary):
            parser.write(chunk)
    except DecodeError:
        raise MultipartError("a part that is not encoded as it says") from None
    except FormParserError:
        raise MultipartError(BROKEN_HEADER) from None
    if not taken.ended:
        raise MultipartError("cut short")
    return [file for file in taken.files if file.present], _decoded(taken.texts)


async def without_preamble(body: AsyncIterator[bytes], boundary: bytes) -> AsyncIterator[bytes]:
    """Yield ``body`` from its first boundary on: what comes before is for nobody."""
    line = b"\r\n--" + boundary
    # A line may begin with the boundary and be another.
    whole = re.compile(re.escape(line) + rb"(?:[ \t]*(\r\n)|--)")
    held, begun = b"\r\n", False
    async for chunk in body:
        if begun:
            yield chunk
            continue
        held += chunk
        found = whole.search(held)
        if found is None:
            # What may be the beginning of such a line, with blanks behind it as relays add them.
            at = held.rfind(line, -len(line) - _BLANKS)
            held = held[at if at >= 0 else -len(line) + 1 :]
        else:
            begun = True
            yield line[2:] + (found[1] or b"--") + held[found.end() :]
    if not begun:
        raise MultipartError("no line of it, ended by CR and LF, is its boundary")


class _Form(Generic[R]):
    """Takes the parser's calls, in the order of the body."""

    def __init__(
        self,
        wanted: bytes,
        factory: Callable[[str, str], R],
        texts: Collection[bytes],
        most: int,
        skipped: Callable[[str], bool],
    ) -> None:
        self._wanted = wanted
        self._factory = factory
        self._asked = texts
        self._most = most
        self._skipped = skipped
        self._parts = 0
        self._name = b""
        self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._current: R | None = None
        self._text: bytearray | None = None
        self._decoder: Any = None
        self.files: list[R] = []
        self.texts: dict[bytes, bytearray] = {}
        self.ended = False

    def part_begin(self) -> None:
        self._parts += 1
        if self._parts > self._most:
            raise TooManyPartsError(f"more than {self._most} parts")
        self._headers = {}
        self._current = self._decoder = self._text = None

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def headers_finished(self) -> None:
        disposition = self._header(b"content-disposition")
        options = parse_options_header(disposition)[1]
        if b"name" not in options:
            raise MultipartError("a part has no name")
        if options[b"name"] in self._asked and b"filename" not in options:
            self._text = self.texts.setdefault(options[b"name"], bytearray())
            # One that comes twice counts once, with its last value.
            self._text.clear()
        if options[b"name"] != self._wanted:
            return
        name = _text_of(options.get(b"filename", b"")) or _extended(disposition)
        if self._skipped(name):
            return
        self._current = self._factory(self._header(b"content-type"), name)
        self.files.append(self._current)
        encoding = self._header(b"content-transfer-encoding").strip().lower()
        if encoding in _DECODERS:
            self._decoder = _DECODERS[encoding](self._current)
        elif encoding not in _PLAIN:
            raise MultipartError("a part of an encoding that is none of RFC 2045")

    def _header(self, name: bytes) -> str:
        return self._headers.get(name, b"").decode("latin-1")

    def part_data(self, data: bytes, start: int, end: int) -> None:
        if self._decoder is not None:
            found = data[start:end]
            # The decoder counts what base64 is broken into lines with.
            breaks = b"\r\n\t " if isinstance(self._decoder, Base64Decoder) else b""
            self._decoder.write(found.translate(None, breaks))
        elif self._current is not None:
            self._current.write(data[start:end])
        elif self._text is not None:
            self._text += data[start:end]
            if len(self._text) > LONGEST_TEXT:
                raise MultipartError(f"a field of more than {LONGEST_TEXT} bytes")

    def part_end(self) -> None:
        if self._decoder is not None:
            self._decoder.finalize()

    def end(self) -> None:
        self.ended = True


def _text_of(data: bytes) -> str:
    """Return ``data`` as browsers write it, or as programs did before them."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _decoded(texts: Mapping[bytes, bytearray]) -> Mapping[str, str]:
    try:
        found = {name.decode(): bytes(text).decode() for name, text in texts.items()}
    except UnicodeDecodeError:
        raise MultipartError("a field that is not UTF-8") from None
    return {name: text for name, text in found.items() if text.strip()}


def _extended(disposition: str) -> str:
    """Return the name in ``filename*``, "" where there is none."""
    found = _EXTENDED.search(_QUOTED.sub('""', disposition))
    return "" if found is None else unquote(found[1].strip(' "').rpartition("'")[2])
