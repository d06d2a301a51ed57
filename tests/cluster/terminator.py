"""TLS before a PostgreSQL that was built without: ``terminator.py PORT CERTIFICATE KEY``.

Answers what clients ask first ("SSLRequest", PostgreSQL's protocol), and hands on what they say
then to port 5432 of the same pod.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys

DATABASE = ("127.0.0.1", 5432)
REQUEST_BYTES = 8


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def main(port: int, certificate: str, key: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readexactly(REQUEST_BYTES)
            writer.write(b"S")
            await writer.start_tls(context)
            behind = await asyncio.open_connection(*DATABASE)
        except (OSError, EOFError):
            writer.close()
            return
        await asyncio.gather(relay(reader, behind[1]), relay(behind[0], writer))

    server = await asyncio.start_server(serve, None, port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
