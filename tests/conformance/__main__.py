"""Ask whether the suite's verdict through the relay is the one without it, on every check of every scenario.

    python -m tests.conformance [--place http-url ...] [--revision 2025-11-25 ...] [--json]

The suite plays the client against the fixture server, and the server against our client, each directly and through
the relay. Prints one row a scenario: what passed and failed directly and at each place. Exits 1 where a place differs
from the direct verdict (and from what `baseline.json` says it must differ in, with the reason), where a scored scenario
fails directly, or where something did not start.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.conformance.compare import Verdict, differences, failures, known_differences, table
from tests.conformance.places import HTTP_PLACES, StartError, standing
from tests.conformance.suite import CLIENT_SCENARIOS, REVISIONS, SuiteError, client_verdict, server_verdict
from tests.middleware.peer import remembered

# Where our client stands, before the suite's servers.
CLIENT_PLACES = ("stdio-url", "http-url")

# By revision and role ("2025-11-25 server"), then by place.
Verdicts = dict[str, dict[str, Verdict]]


def ask_servers(places: Sequence[str], revisions: Sequence[str], folder: Path) -> Verdicts:
    """Return the verdicts on the fixture, directly and from behind the relay at each place.

    Raises:
        StartError: something did not start.
        SuiteError: the suite did not run, or the relay was not in between.
    """
    verdicts: Verdicts = {f"{revision} server": {} for revision in revisions}
    for place in ("direct", *places):
        memory = folder / f"{place}.db"
        with standing("http" if place == "direct" else place, memory) as url:
            assert isinstance(url, str)
            for revision in revisions:
                progress(f"{revision} server, {place}")
                found = server_verdict(url, revision, folder / f"server-{place}-{revision}")
                verdicts[f"{revision} server"][place] = found
        check_that_it_was_between(place, memory)
    return verdicts


def ask_clients(places: Sequence[str], revisions: Sequence[str], folder: Path) -> Verdicts:
    """Return the verdicts on our client, directly and from before the relay at each place.

    Raises:
        SuiteError: the suite did not run, or the relay was not in between.
    """
    verdicts: Verdicts = {f"{revision} client": {} for revision in revisions}
    for place in ("direct", *places):
        memory = folder / f"client-{place}.db"
        stand = "http" if place == "direct" else place
        for revision in revisions:
            progress(f"{revision} client, {place}")
            ask = partial(
                client_verdict,
                place=stand,
                memory=memory,
                revision=revision,
                folder=folder / f"client-{place}-{revision}",
            )
            scenarios = CLIENT_SCENARIOS[revision]
            # Each scenario has a server and a client of its own, and mostly waits for the client to start.
            with ThreadPoolExecutor(2) as pool:
                verdicts[f"{revision} client"][place] = dict(zip(scenarios, pool.map(ask, scenarios), strict=True))
        check_that_it_was_between(place, memory)
    return verdicts


def ask(places: Sequence[str], revisions: Sequence[str]) -> tuple[Verdicts, list[str]]:
    """Return all verdicts, and a line for each that is not as it must be.

    Raises:
        StartError: something did not start.
        SuiteError: the suite did not run, or the relay was not in between.
    """
    with tempfile.TemporaryDirectory() as name:
        verdicts = ask_servers([place for place in HTTP_PLACES if place in places], revisions, Path(name))
        verdicts |= ask_clients([place for place in CLIENT_PLACES if place in places], revisions, Path(name))
    wrong: list[str] = []
    for title, found in verdicts.items():
        wrong += [f"{title}, direct: {line}" for line in failures(found["direct"])]
        for place in [place for place in found if place != "direct"]:
            lines = differences(found["direct"], found[place], known_differences(place), title)
            wrong += [f"{title}, {place}: {line}" for line in lines]
    return verdicts, wrong


def check_that_it_was_between(place: str, memory: Path) -> None:
    """Raise `SuiteError` if a relay at `place` remembers nothing."""
    if place != "direct" and not remembered(memory):
        raise SuiteError(f"Nothing was remembered at {place}: the relay was not in between.")


def progress(doing: str) -> None:
    """Say what is being done."""
    print(f"{doing} ...", file=sys.stderr, flush=True)


def main() -> int:
    """Run what the command line says and return the exit code."""
    every = sorted({*HTTP_PLACES, *CLIENT_PLACES})
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--place", action="append", choices=every, help="where to ask; default: everywhere")
    parser.add_argument("--revision", action="append", choices=REVISIONS, help="what to ask for; default: both")
    parser.add_argument("--json", action="store_true", help="print every check as JSON")
    options = parser.parse_args()
    chosen, revisions = options.place or every, options.revision or REVISIONS
    try:
        verdicts, wrong = ask(chosen, revisions)
        if wrong:
            # The suite waits for fixed times, which a busy machine may exceed: what differs must differ twice.
            print("\n".join(["asking again, because:", *wrong]), file=sys.stderr)
            verdicts, wrong = ask(chosen, revisions)
    except (StartError, SuiteError) as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps({"verdicts": verdicts, "differences": wrong}, indent=1))
    else:
        for title, found in verdicts.items():
            print(f"{title}, passed/failed\n{table(found)}\n")
        print("\n".join(wrong) or "The same verdict everywhere, or as baseline.json has it.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
