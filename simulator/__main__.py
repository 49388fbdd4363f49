"""`python -m simulator`: serve a simulated RAWG until Ctrl-C."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from simulator.config import FaultProfile, SimulatorConfig
from simulator.process import end_with_parent, load_config
from simulator.server import serve
from utils.errors import GamelakeError


def main(argv: Sequence[str]) -> int:
    """Parse the command line and serve; returns the exit code."""
    options = vars(_parser().parse_args(argv))
    handed = options.pop("config")
    if handed:
        end_with_parent()
    try:
        serve(load_config(handed) if handed else SimulatorConfig(**options))
    except GamelakeError as error:
        sys.stderr.write(f"{error.message}\n{error.hint}\n")
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("simulator", description=__doc__)
    default = SimulatorConfig()
    parser.add_argument("--games", type=int, default=default.games)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--replay", type=Path, metavar="DIR")
    parser.add_argument("--host", default=default.host)
    parser.add_argument("--port", type=int, default=8_571)
    parser.add_argument("--latency", dest="latency_ms", type=float, default=0.0, metavar="MS")
    parser.add_argument("--faults", choices=get_args(FaultProfile), default="none")
    parser.add_argument("--fault-seed", type=int, default=default.fault_seed)
    parser.add_argument("--quota", type=int, default=0, help="requests a month; 0 is unlimited")
    parser.add_argument("--depth-limit", type=int, default=default.depth_limit)
    parser.add_argument("--key", default="", help="the one key accepted; default: any")
    parser.add_argument("--drift", type=int, default=0, help="games that move per listing page")
    parser.add_argument("--busy-month", type=int, default=0, help="games forced into one month")
    parser.add_argument("--busy-day", type=int, default=0, help="games forced onto one day")
    parser.add_argument("--config", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
