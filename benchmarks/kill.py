"""Does anything that a client saw get lost when relays are killed with SIGKILL at random moments?

    python -m benchmarks.kill [--kills 200] [--relays 8] [--seed 0] [--json]

Each relay has a server of its own and a client that calls without a pause, one to four calls at a time; all write into
one memory. A killed relay is started again at once. Afterwards every result that a client has read must be in the
memory, once; the file must be sound; and no process of the killed may be left.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from middleware.memory.database import open_database
from middleware.memory.rows import close_orphans, take_in_spools

ROOT = Path(__file__).parents[1]
TIMEOUT_S = 60.0
SERVER = """
import os, re, sys
for line in sys.stdin.buffer:
    identifier = re.search(rb'"id": ("[^"]*")', line)[1]
    try:
        os.write(1, b'{"jsonrpc":"2.0","id":%s,"result":{"content":[]}}\\n' % identifier)
    except BrokenPipeError:
        break
"""


@dataclass(frozen=True)
class Report:
    """What came of it."""

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


class Client(threading.Thread):
    """Calls through a relay, and starts another when it dies, until told to stop."""

    def __init__(self, number: int, memory: Path, seed: int) -> None:
        super().__init__(daemon=True)
        self.answered: list[str] = []
        self.failure: str | None = None
        self._number = number
        self._memory = memory
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
        name = f"server {self._number}"
        return subprocess.Popen(
            [
                *(sys.executable, "-I", "-m", "learner", "proxy", "--name", name, "--memory", str(self._memory)),
                *("--", sys.executable, "-I", "-S", "-c", SERVER),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "XDG_STATE_HOME": str(self._memory.parent / "state")},
        )

    def _use(self, relay: subprocess.Popen[bytes]) -> None:
        """Call through `relay` until it dies, or we are told to stop."""
        assert relay.stdin is not None
        assert relay.stdout is not None
        with relay.stdin, relay.stdout:
            buffer = b""
            ended = False
            while not (ended or self._ending.is_set()):
                wanted = self._random.randint(1, 4)
                try:
                    os.write(relay.stdin.fileno(), b"".join(self._call() for _ in range(wanted)))
                except BrokenPipeError:
                    ended = True
                while wanted and not ended:
                    data = os.read(relay.stdout.fileno(), 1 << 16)
                    *lines, buffer = (buffer + data).split(b"\n")
                    for line in lines:
                        message = json.loads(line)
                        assert "result" in message, message
                        self.answered.append(message["id"])
                    wanted -= len(lines)
                    ended = not data
        relay.wait(TIMEOUT_S)

    def _call(self) -> bytes:
        self._asked += 1
        identifier = f"{self._number}/{self._asked}"
        params = {"name": "t", "arguments": {"number": self._asked}}
        return (
            json.dumps({"jsonrpc": "2.0", "id": identifier, "method": "tools/call", "params": params}).encode() + b"\n"
        )


def measure(kills: int, relays: int, seed: int) -> Report:
    """Kill relays `kills` times in all, and look what is left."""
    started = time.monotonic()
    chance = random.Random(seed)
    left: list[psutil.Process] = []
    with tempfile.TemporaryDirectory() as folder:
        memory = Path(folder) / "memory.db"
        clients = [Client(number, memory, chance.randrange(1 << 30)) for number in range(relays)]
        for client in clients:
            client.start()
        killed = 0
        while killed < kills:
            time.sleep(chance.uniform(0, 0.15))
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
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--relays", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="Print JSON for machines.")
    options = parser.parse_args()
    report = measure(options.kills, options.relays, options.seed)
    if options.json:
        print(json.dumps(asdict(report)))
    else:
        print("  ".join(f"{name:>9}" for name in asdict(report)))
        print("  ".join(f"{value:>9}" for value in asdict(report).values()))
    sys.exit(0 if report.is_sound else 1)


if __name__ == "__main__":
    main()
