"""`gamelake simulate`: a RAWG of one's own."""

from gamelake.options import Simulate
from gamelake.session import Session
from simulator.config import SimulatorConfig
from simulator.server import serve
from utils.errors import UsageError


def run(options: Simulate, session: Session) -> None:
    """Serve until Ctrl-C; the first line on stdout is the base URL for RAWG_BASE_URL."""
    config = SimulatorConfig(
        games=options.games,
        seed=options.seed,
        replay=options.replay,
        port=options.port,
        latency_ms=options.latency,
        faults=options.faults,
        quota=options.quota,
    )
    session.terminal.note("any key is accepted; Ctrl-C ends it. Base URL for RAWG_BASE_URL:")
    try:
        serve(config)
    except OSError as error:
        raise UsageError(
            f"port {options.port} cannot be used: {error.strerror}",
            operation="simulate",
            subject=str(options.port),
            hint="--port 0 takes a free one",
        ) from error
