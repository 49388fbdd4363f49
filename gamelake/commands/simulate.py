"""`gamelake simulate`: a RAWG of one's own."""

from gamelake.options import Simulate
from gamelake.session import Session
from simulator.config import SimulatorConfig
from simulator.server import serve


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
        key=options.key,
        depth_limit=options.depth_limit,
    )
    accepted = "only the given key is" if options.key else "any key is"
    session.terminal.note(f"{accepted} accepted; Ctrl-C ends it. Base URL for RAWG_BASE_URL:")
    serve(config)
