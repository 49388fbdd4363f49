"""Serves the strict stand-in for Dremio at port 9047 of a container, until SIGTERM."""

import asyncio
import signal
import sys
from urllib.parse import urlsplit

from dremio_standin import Standin

PORT = 9047


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    finally:
        sink.close()


async def _serve(host: str, port: int) -> None:
    async def forward(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection(host, port)
        await asyncio.gather(_copy(source, forth), _copy(back, sink), return_exceptions=True)

    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with await asyncio.start_server(forward, None, PORT):
        await stopped.wait()


def main() -> int:
    """Run until stopped."""
    with Standin(starting=2) as standin:
        parts = urlsplit(standin.url)
        asyncio.run(_serve(str(parts.hostname), int(parts.port or 0)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
