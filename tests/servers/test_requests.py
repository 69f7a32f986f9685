"""What the requests of every simulated server have to be for a careful person to get them right."""

import re

import pytest

from servers import registry
from servers.tasks import Split, play

NAMES = [*registry.worlds(), *registry.pairs()]
SPLITS: tuple[Split, ...] = ("practice", "test")


@pytest.mark.parametrize("name", ["calendar", "files", "smart_home", "tickets", "travel", "weather"])
def test_gold_calls_that_only_read_end_at_the_last_page(name: str) -> None:
    """Whoever turns the pages to the end must not be told that the first one was the answer."""
    domain = registry.load(name)
    for seed in range(3):
        for split in SPLITS:
            for task in domain.tasks(seed, split):
                played = play(domain.world(seed), task.calls)
                if task.calls and not any(played.changed):
                    last = played.results[-1]
                    assert last is not None
                    assert not last.get("next_cursor"), task


@pytest.mark.parametrize("name", NAMES)
def test_no_request_says_a_before_a_vowel(name: str) -> None:
    for split in SPLITS:
        for task in registry.load(name).tasks(1, split):
            assert not re.search(r"\b[Aa] [aeioAEIO]\w", task.query), task.query
