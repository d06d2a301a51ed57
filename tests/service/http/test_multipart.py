"""Forms as senders of all ages write them (RFC 7578, RFC 2046): read, or refused with a reason."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator
from email.encoders import encode_base64
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart

import pytest

from models.files import is_leftover
from service.http.multipart import File, MultipartError, TooManyPartsError, files
from tests.service.kit.fronts import API, Front
from tests.service.kit.shapes import assert_error_page, assert_problem

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3 + b"\r\n--bx\r\n-b\r\n--\r\n\r\n-"
TYPE = "multipart/form-data; boundary=b"
DISPOSITION = "Content-Disposition: form-data; "
FILE = DISPOSITION + 'name="file"; filename="a"'


def part(head: str = FILE, data: bytes = PNG) -> bytes:
    return b"--b\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n"


END = b"--b--\r\n"


async def found(body: bytes, content_type: str = TYPE, step: int = 65_536) -> list[bytes]:
    """Return the files of a form that arrives ``step`` bytes at a time."""

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), step):
            yield body[start : start + step]

    received = await files(content_type, chunks(), "file", File, skipped=is_leftover)
    return [bytes(one.data) for one in received]


HEADS = {
    "named": FILE,
    "filename* alone": DISPOSITION + "name=\"file\"; filename*=UTF-8''a%20b.png",
    "filename* with a language": DISPOSITION + "name=file; filename*=utf-8'en'%e2%82%ac.png",
    "filename* in any case": DISPOSITION + "name=\"file\"; FileName* = utf-8''a",
    "both names": DISPOSITION + 'name="file"; filename="a"; filename*=UTF-8\'\'a',
    "an empty name and filename*": DISPOSITION + 'name="file"; filename=""; filename*=\'\'a',
    "no name": DISPOSITION + 'name="file"',
    "no name, and a type": DISPOSITION + 'name="file"\r\nContent-Type: application/dicom',
    "an empty name": DISPOSITION + 'name="file"; filename=""',
    "a quote in it": DISPOSITION + 'name="file"; filename="a\\"b.png"',
    "a quote as browsers write it": DISPOSITION + 'name="file"; filename="a%22b.png"',
    "a path of Windows": DISPOSITION + 'name="file"; filename="C:\\dir\\a.png"',
    "a backslash at the end": DISPOSITION + 'name="file"; filename="C:\\dir\\"',
    "UTF-8": DISPOSITION + 'name="file"; filename="ü€.png"',
    "what looks like a field": DISPOSITION + 'filename="; name=x; filename*=y"; name="file"',
    "no quotes": DISPOSITION + "name=file; filename=a.png",
    "no blanks": 'Content-Disposition:form-data;name="file";filename="a"',
    "capitals": 'CONTENT-DISPOSITION: FORM-DATA; NAME="file"; FILENAME="a"',
    "more headers": f"X-Sent: by a modality\r\n{FILE}\r\nContent-Length: 5\r\nMIME-Version: 1.0",
    "folded": FILE.replace("; ", ";\r\n "),
    "folded with tabs, and within a name": FILE.replace("; ", ";\r\n\t \t")[:-1] + '\r\n b"',
    "binary": f"{FILE}\r\nContent-Transfer-Encoding: binary",
    "8bit": f"{FILE}\r\ncontent-transfer-encoding: 8BIT",
}


@pytest.mark.parametrize("step", [1, 7, 65_536])
@pytest.mark.parametrize("head", HEADS)
async def test_a_file_by_its_head(head: str, step: int) -> None:
    assert await found(part(HEADS[head]) + END, step=step) == [PNG]


@pytest.mark.parametrize("step", [1, 7, 65_536])
@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("base64", base64.b64encode(PNG)),
        ("BASE64", base64.encodebytes(PNG)),
        ("base64", base64.encodebytes(PNG).replace(b"\n", b"\r\n")),
        ("quoted-printable", binascii.b2a_qp(PNG, istext=False)),
    ],
)
async def test_a_file_that_is_written_as_text(name: str, encoded: bytes, step: int) -> None:
    head = f"{FILE}\r\nContent-Transfer-Encoding: {name}"
    assert await found(part(head, encoded) + END, step=step) == [PNG]


FOLDED = b"x\r\n y\r\n\r\n--b-\r\n z\r\n--bx\r\n u\r\n--\r\n--"


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7, 65_536])
async def test_only_headers_are_unfolded(step: int) -> None:
    folded = FILE.replace("; ", ";\r\n ")
    body = part(DISPOSITION + 'name="x"', FOLDED) + part(folded, FOLDED) + part(folded, b"") + END
    body = b"a\r\n preamble\r\n" + body + b"an\r\n epilogue\r\n--b\r\nA:\r\n b\r\n\r\n"
    assert await found(body, step=step) == [FOLDED, b""]


async def test_what_the_email_library_of_python_makes() -> None:
    form, scan = MIMEMultipart("form-data"), MIMEApplication(PNG, "dicom", encode_base64)
    scan.add_header("Content-Disposition", "form-data", name="file", filename="long name " * 12)
    form.attach(scan)
    head, _, body = form.as_bytes(policy=form.policy.clone(linesep="\r\n")).partition(b"\r\n\r\n")
    assert b"\r\n long name" in body or b"\r\n name" in body
    content_type = " ".join(head.decode().split("\r\n")[:2]).removeprefix("Content-Type: ")
    assert await found(body, content_type) == [PNG]


BODIES = {
    "a preamble": b"This is a message of parts.\r\n-- \r\n--bx\r\n" + part() + END,
    "an empty line before": b"\r\n" + part() + END,
    "an epilogue": part() + END + b"and more\r\n" + part(),
    "nothing behind": part() + b"--b--",
    "blanks behind boundaries": (part(DISPOSITION + 'name="x"') + part() + END).replace(
        b"--b\r\n", b"--b \t \r\n"
    ),
    "an input without a choice": part(DISPOSITION + 'name="file"; filename=""', b"") + part() + END,
    "a choice and an input without": part() + part(DISPOSITION + 'name="file"', b"") + END,
    "fields that nobody knows": part(DISPOSITION + 'name="token"', b"x")
    + part(DISPOSITION + 'name="other"; filename="a"')
    + part()
    + END,
    "what macOS leaves": part(DISPOSITION + 'name="file"; filename="._a.png"')
    + part(DISPOSITION + 'name="file"; filename="scans/.DS_Store"')
    + part(DISPOSITION + "name=\"file\"; filename*=UTF-8''._%C3%BC.png")
    + part()
    + END,
}


@pytest.mark.parametrize("step", [1, 7, 65_536])
@pytest.mark.parametrize("body", BODIES)
async def test_one_file_is_found_in(body: str, step: int) -> None:
    assert await found(BODIES[body], step=step) == [PNG]


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ('multipart/form-data; boundary="b"', b"b"),
        ("Multipart/Form-Data; charset=utf-8; BOUNDARY=b", b"b"),
        ('multipart/form-data; boundary="a\'()+_,-./:=?"', b"a'()+_,-./:=?"),
        ('multipart/form-data; boundary="a b"', b"a b"),
        ("multipart/form-data; boundary===b==", b"==b=="),
        ("multipart/form-data; boundary=" + "b" * 70, b"b" * 70),
    ],
)
async def test_boundaries(content_type: str, boundary: bytes) -> None:
    body = b"--" + boundary + b"\r\n" + FILE.encode() + b"\r\n\r\nx\r\n--" + boundary + b"--"
    assert await found(body, content_type) == [b"x"]


@pytest.mark.parametrize(
    ("body", "content_type", "why"),
    [
        (part(), TYPE, "cut short"),
        (part() + b"--b\r\n", TYPE, "cut short"),
        (part()[:-2], TYPE, "cut short"),
        ((part() + END).replace(b"\r\n", b"\n"), TYPE, "ended by CR and LF"),
        (b"", TYPE, "no line"),
        (part() + END, "multipart/form-data; boundary=c", "no line"),
        (part() + END, "multipart/form-data", "no boundary"),
        (part() + END, "multipart/form-data; boundary=" + "b" * 71, "more than 70"),
        (part("Content-Type: image/png") + END, TYPE, "no name"),
        (part(FILE + "\r\nContent-Transfer-Encoding: x-uu") + END, TYPE, "RFC 2045"),
        (part(FILE + "\r\nContent-Transfer-Encoding: base64", b"abc") + END, TYPE, "as it says"),
        (part("Content-Disposition\r\n\r\n" + FILE) + END, TYPE, "broken or too long"),
        (part(FILE + "\r\nX-Long: " + "x" * 200_000) + END, TYPE, "broken or too long"),
        (part("X-A: b\r\n" * 1000 + FILE) + END, TYPE, "broken or too long"),
    ],
)
async def test_what_is_refused(body: bytes, content_type: str, why: str) -> None:
    for step in (7, 65_536):
        with pytest.raises(MultipartError, match=why):
            await found(body, content_type, step)


async def test_more_parts_than_are_taken() -> None:
    with pytest.raises(TooManyPartsError):
        await found(part() * 17 + END)


@pytest.mark.parametrize("text", ["scan.png", "/home/me/Müller.dcm", "just\r\ntext", ""])
async def test_a_text_in_the_files_field_is_no_file(shared: Front, text: str) -> None:
    """What ``curl -F file=scan.png`` sends, without the @ before the name."""
    form = part(DISPOSITION + 'name="file"', text.encode()) + END
    headers = {"Content-Type": TYPE}
    answer = await shared.client.post(API, content=form, headers=headers)
    assert_problem(answer, "missing_file")
    for path in ("/", "/bulk"):
        page = await shared.client.post(path, content=form, headers=headers)
        assert_error_page(page, "missing_file")


@pytest.mark.parametrize("head", ["filename* alone", "no name", "UTF-8"])
async def test_on_every_way(shared: Front, png: bytes, head: str) -> None:
    form, headers = part(HEADS[head], png) + END, {"Content-Type": TYPE}
    made = await shared.client.post(API, content=form, headers=headers)
    assert made.status_code == 201
    for path in ("/", "/bulk"):
        assert (await shared.client.post(path, content=form, headers=headers)).status_code == 303
