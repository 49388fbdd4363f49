"""Serve a simulated RAWG, in this process or in one of its own."""

import asyncio
import signal
import sys

from simulator.app import Simulator
from simulator.config import SimulatorConfig
from simulator.control import Controls
from simulator.process import SimulatorProcess
from simulator.wire import Connection
from utils.errors import UsageError

__all__ = ["SimulatorConfig", "SimulatorProcess", "serve"]


def serve(config: SimulatorConfig) -> None:
    """Serve until SIGTERM or SIGINT; the first line on stdout is the base URL, ending in /api.

    Raises UsageError when the port is taken or `replay` holds no recorded page.
    """
    simulator = Simulator(config)
    try:
        asyncio.run(_serve(simulator, config))
    finally:
        simulator.catalogue.close()


async def _serve(simulator: Simulator, config: SimulatorConfig) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    controls = Controls(simulator)
    connections: set[Connection] = set()
    try:
        server = await loop.create_server(
            lambda: Connection(simulator, controls.handle, connections), config.host, config.port
        )
    except OSError as error:
        raise UsageError(
            f"cannot listen on {config.host}:{config.port}: {error.strerror}",
            operation="start the simulator",
            subject=str(config.port),
            hint="choose another port with --port, or 0 for a free one",
        ) from error
    host, port = server.sockets[0].getsockname()[:2]
    sys.stdout.write(f"http://{host}:{port}/api\n")
    sys.stdout.flush()
    await stop.wait()
    server.close()
    for connection in list(connections):
        connection.close()
    await server.wait_closed()
