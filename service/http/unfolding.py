"""Headers of parts that are folded into several lines (RFC 5322, section 2.2.3), on one line each.

HTTP has done away with folding, but libraries that make mail fold the long name of a file, and a
form of theirs is no less clear for it. The parser takes lines as headers.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final

LONGEST_HEAD: Final = 16 * 1024
"""Bytes of a part's headers; the parser, which refuses far fewer, is left to refuse longer ones."""
_FOLD: Final = re.compile(rb"\r\n(?=[ \t])")
_REST_OF_LINE: Final = re.compile(rb"[ \t]*\r\n")
_MAY_BE_MORE: Final = re.compile(rb"-?|[ \t]{0,256}\r?")
"""What stands behind a boundary, as long as it is not told whether it is one."""


async def unfolded(body: AsyncIterator[bytes], boundary: bytes) -> AsyncIterator[bytes]:
    """Yield ``body``, which begins with its first boundary, with each header on one line."""
    line = b"\r\n--" + boundary
    # The first boundary has no line end before it; it is given one, which is left out again.
    held, in_head, given = b"\r\n", False, 2
    async for chunk in body:
        held += chunk
        out = []
        while held:
            if in_head:
                end = 2 if held.startswith(b"\r\n") else held.find(b"\r\n\r\n") + 4
                if end < 4 and not held.startswith(b"\r\n"):
                    if len(held) <= LONGEST_HEAD:
                        break
                    end = len(held)
                out.append(_FOLD.sub(b"", held[:end]))
                held, in_head = held[end:], False
                continue
            at = held.find(line)
            if at < 0:
                kept = len(line) - 1
                out.append(held[:-kept])
                held = held[-kept:]
                break
            behind = at + len(line)
            rest = _REST_OF_LINE.match(held, behind)
            if rest is None and _MAY_BE_MORE.fullmatch(held, behind):
                out.append(held[:at])
                held = held[at:]
                break
            end = behind if rest is None else rest.end()
            out.append(held[:end])
            held, in_head = held[end:], rest is not None
        if piece := b"".join(out)[given:]:
            given = 0
            yield piece
    yield held[given:]
