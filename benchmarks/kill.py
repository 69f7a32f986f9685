"""Does anything that a client saw get lost when relays are killed with SIGKILL at random moments?

    python -m benchmarks.kill [--way WAY] [--kills 200] [--relays 8] [--seed 0] [--json]

A way is what the client speaks and what the server does: 'stdio' (both), 'stdio-url', 'http-url' or 'http-stdio'; all
in turn without --way. Each relay has a client that calls without a pause, one to four calls at a time, and a server of
its own, but for that at the URL, which all share; all write into one memory. A killed relay is started again at once.
Afterwards every result that a client has read must be in the memory, once; the file must be sound; and no process of
the killed may be left.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from benchmarks.ways import TIMEOUT_S, WAYS, RelayGoneError, client_of, remote, start_relay
from middleware.memory.database import open_database
from middleware.memory.rows import close_orphans, take_in_spools

# A relay over HTTP takes longer to start, and is to be killed at work too.
PAUSE_S = {"stdio": 0.15, "stdio-url": 0.8, "http-url": 0.8, "http-stdio": 0.8}


@dataclass(frozen=True)
class Report:
    """What came of it."""

    way: str
    kills: int
    answers: int  # results that clients have read
    rows: int  # calls in the memory, those that nobody saw answered too
    missing: int  # answers that are not in the memory
    repeated: int  # calls that are in the memory more than once
    orphans: int  # processes of killed relays that were still there after some seconds
    integrity: str
    seconds: float

    @property
    def is_sound(self) -> bool:
        return not (self.missing or self.repeated or self.orphans) and self.integrity == "ok"


class Caller(threading.Thread):
    """Calls through a relay, and starts another when it dies, until told to stop."""

    def __init__(self, way: str, number: int, memory: Path, url: str, seed: int) -> None:
        super().__init__(daemon=True)
        self.answered: list[str] = []
        self.failure: str | None = None
        self._way = way
        self._number = number
        self._memory = memory
        self._url = url
        self._random = random.Random(seed)
        self._asked = 0
        self._ending = threading.Event()
        self.relay = self._start_relay()

    def run(self) -> None:
        try:
            while not self._ending.is_set():
                self._use(self.relay)
                if not self._ending.is_set():
                    self.relay = self._start_relay()
        except Exception as error:  # noqa: BLE001 - told in the report's place
            self.failure = f"{type(error).__name__}: {error}"

    def stop(self) -> None:
        self._ending.set()
        self.join(TIMEOUT_S)
        if self.failure or self.is_alive():
            raise RuntimeError(f"client {self._number}: {self.failure or 'it hangs'}")

    def _start_relay(self) -> subprocess.Popen[bytes]:
        return start_relay(self._way, self._memory, name=f"server {self._number}", url=self._url)

    def _use(self, relay: subprocess.Popen[bytes]) -> None:
        """Call through `relay` until it dies, or we are told to stop."""
        client = None
        with suppress(RelayGoneError):
            client = client_of(self._way, relay, self._number)
            while not self._ending.is_set():
                for identifier in client.calls(self._identifiers()):
                    self.answered.append(identifier)
        if client is not None:
            client.close()
        if self._way.startswith("http") and self._ending.is_set():
            relay.terminate()
        relay.wait(TIMEOUT_S)
        for end in (relay.stdin, relay.stdout, relay.stderr):
            if end is not None:
                end.close()

    def _identifiers(self) -> list[str]:
        first = self._asked
        self._asked += self._random.randint(1, 4)
        return [f"{self._number}/{number}" for number in range(first, self._asked)]


def measure(kills: int, relays: int, seed: int, way: str = "stdio") -> Report:
    """Kill relays `kills` times in all, and look what is left."""
    started = time.monotonic()
    chance = random.Random(seed)
    left: list[psutil.Process] = []
    with tempfile.TemporaryDirectory() as folder, remote() if way.endswith("url") else nullcontext("") as url:
        memory = Path(folder) / "memory.db"
        clients = [Caller(way, number, memory, url, chance.randrange(1 << 30)) for number in range(relays)]
        for client in clients:
            client.start()
        killed = 0
        while killed < kills:
            time.sleep(chance.uniform(0, PAUSE_S[way]))
            relay = chance.choice(clients).relay
            try:
                left += psutil.Process(relay.pid).children(recursive=True)
            except psutil.NoSuchProcess:
                continue
            if relay.poll() is None:
                relay.kill()
                killed += 1
                if sys.stderr.isatty():
                    print(f"\r{killed} of {kills} killed", end="", file=sys.stderr)
        for client in clients:
            client.stop()
        answers = [identifier for client in clients for identifier in client.answered]
        connection = open_database(memory)
        take_in_spools(connection, memory)
        close_orphans(connection)
        rows = connection.execute(
            "SELECT jsonrpc_id, count(*), max(outcome = 'result') FROM calls GROUP BY 1"
        ).fetchall()
        integrity = str(connection.execute("PRAGMA integrity_check").fetchall()[0][0])
        connection.close()
    kept = {json.loads(str(identifier)) for identifier, _, has_result in rows if has_result}
    return Report(
        way=way,
        kills=killed,
        answers=len(answers),
        rows=sum(int(str(count)) for _, count, _ in rows),
        missing=len(set(answers) - kept),
        repeated=sum(int(str(count)) > 1 for _, count, _ in rows),
        orphans=_still_there(left),
        integrity=integrity,
        seconds=round(time.monotonic() - started, 1),
    )


def _still_there(processes: list[psutil.Process]) -> int:
    """Return how many of `processes` have not ended some seconds later."""
    deadline = time.monotonic() + 20
    while True:
        alive = [process for process in processes if not _has_ended(process)]
        if not alive or time.monotonic() > deadline:
            return len(alive)
        time.sleep(0.1)


def _has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def main() -> None:
    parser = argparse.ArgumentParser(description="What is lost when relays are killed at random moments.")
    parser.add_argument("--way", choices=WAYS, help="Only this one.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--relays", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="Print JSON for machines.")
    options = parser.parse_args()
    are_sound = True
    for number, way in enumerate([options.way] if options.way else WAYS):
        report = measure(options.kills, options.relays, options.seed, way)
        are_sound &= report.is_sound
        if options.json:
            print(json.dumps(asdict(report)), flush=True)
            continue
        if number == 0:
            print("  ".join(f"{name:>10}" for name in asdict(report)))
        print("  ".join(f"{value:>10}" for value in asdict(report).values()), flush=True)
    sys.exit(0 if are_sound else 1)


if __name__ == "__main__":
    main()
