"""What goes wrong, when: seeded profiles, and faults named for one page by a test."""

import random
from collections import Counter
from dataclasses import dataclass

from simulator.config import FaultProfile

# Faults of the wire; any other kind is a status code such as "502".
WIRE_FAULTS = (
    "reset",  # the connection is reset instead of an answer
    "reset_mid",  # the same after half of the body
    "truncated",  # a clean close after half of the body
    "bad_length",  # Content-Length names half of what the body is
    "cut_gzip",  # Content-Encoding gzip, half of the stream, an honest Content-Length
    "html",  # 200 with an HTML page
    "empty_body",  # 200 with nothing
    "hang",  # no answer, the connection stays open
)
_STATUSES = ("429", "500", "502", "503", "504")
KINDS = WIRE_FAULTS + _STATUSES

# Runs of consecutive failures as recorded (contracts/rawg.md 1.7).
_RUNS = [1] * 26 + [2] * 13 + [3] * 8 + [4] * 3 + [6, 6, 7, 9, 18]
_MEAN_RUN = sum(_RUNS) / len(_RUNS)
_RUN_SECONDS = 1.2  # a failed request of the recorded crawl and its pause: a run is an outage
_RECORDED_KINDS = ["502"] * 132 + ["504", "reset"]
_STORM_KINDS = (
    ["502"] * 36 + ["504"] * 6 + ["503"] * 4 + ["500"] * 4 + ["reset"] * 12 + ["reset_mid"] * 6
    + ["truncated"] * 10 + ["bad_length"] * 7 + ["cut_gzip"] * 7 + ["html"] * 6
    + ["empty_body"] * 2 + ["hang"]
)  # fmt: skip
_RATES = {"none": 0.0, "recorded": 0.006, "storm": 0.05}


@dataclass
class PageFault:
    """A fault for requests whose path and query contain `match`, `times` times after `skip`."""

    match: str
    kind: str
    times: int = 1
    skip: int = 0
    fired: int = 0

    def strikes(self, target: str) -> bool:
        """Say whether this request is hit, and count it."""
        if self.match not in target or self.fired >= self.times:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.fired += 1
        return True


class FaultPlan:
    """Decides for each request in order of arrival; equal seeds and orders give equal faults."""

    def __init__(self, profile: FaultProfile, seed: int) -> None:
        self.profile = profile
        self.fired: Counter[str] = Counter()
        self.pages: list[PageFault] = []
        self._random = random.Random(seed)  # noqa: S311 - a reproducible plan, no secret
        self._left = 0
        self._kind = ""
        self._until = 0.0

    def next(self, target: str, now: float) -> str | None:
        """Return the fault of this request, None when it is answered; `now` in seconds."""
        fault = next((p.kind for p in self.pages if p.strikes(target)), None) or self._profile(now)
        if fault:
            self.fired[fault] += 1
        return fault

    def _profile(self, now: float) -> str | None:
        rate = _RATES[self.profile]
        if self._left and now < self._until:
            self._left -= 1
            return self._kind
        self._left = 0
        # A run is followed by an answer: start runs so often that `rate` of all requests fail.
        if self._random.random() >= rate / (_MEAN_RUN * (1 - rate)):
            return None
        run = self._random.choice(_RUNS)
        kinds = _STORM_KINDS if self.profile == "storm" else _RECORDED_KINDS
        self._kind = self._random.choice(kinds)
        if self._kind not in _STATUSES:
            run = 1  # outages are 5xx; a broken wire is a matter of one answer
        self._left, self._until = run - 1, now + run * _RUN_SECONDS
        return self._kind


class Quota:
    """Requests of a month. Soft at its edge, as recorded: 122 refusals and 32 answers mixed."""

    _EDGE = 122 * [True] + 32 * [False]

    def __init__(self, seed: int) -> None:
        self.spent = 0
        edge = self._EDGE[1:]
        random.Random(seed).shuffle(edge)  # noqa: S311 - a reproducible plan, no secret
        self._edge = [True, *edge]

    def refuses(self, limit: int) -> bool:
        """Count a request; say whether it is over `limit` (0: there is none)."""
        self.spent += 1
        over = self.spent - limit
        if not limit or over <= 0:
            return False
        return self._edge[over - 1] if over <= len(self._edge) else True
