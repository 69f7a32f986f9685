"""Nothing of a secret is in any file that a relay writes, and harmless values are written as they are."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.middleware.secrets.carriers import Placed
from tests.middleware.secrets.corpus import Remains, placed_secrets
from tests.middleware.secrets.driving import changed, requests, through_http, through_stdio
from tests.middleware.secrets.harmless import harmless_values

SEED = 20261123
HARMLESS = 10_000
ALLOWED = HARMLESS // 100


@pytest.fixture(scope="module")
def placed() -> list[Placed]:
    return placed_secrets(SEED)


@pytest.fixture(scope="module")
def remains(placed: list[Placed]) -> Remains:
    return Remains(placed)


def left(remains: Remains, files: Sequence[tuple[Path, bytes]]) -> list[str]:
    """Return which secrets have left something in which kind of file."""
    assert any(data for _, data in files)
    return sorted({f"{one} in {path.name[:10]}" for path, data in files for one in remains.find(data)})


def test_the_corpus_is_large_and_what_is_sent_of_it_is_found(placed: list[Placed], remains: Remains) -> None:
    assert len(placed) >= 2000
    assert len({one.secret.kind for one in placed}) >= 100
    exchanges = [one.exchange for one in placed]
    sent = (
        b"".join(requests(exchanges))
        + json.dumps([[one.answer, one.definition, one.words] for one in exchanges]).encode()
    )
    missed = {str(one) for one in placed} - {str(one) for one in remains.find(sent)}
    assert not missed


def test_half_of_a_secret_is_found_in_any_spelling(placed: list[Placed], remains: Remains) -> None:
    quoted = next(one for one in placed if one.secret.kind == "password with quotes" and '"' in one.secret.text)
    body = quoted.secret.text
    for spelled in (body, json.dumps(body), json.dumps(json.dumps(body)), body[8:]):
        assert quoted in remains.find(f"..{spelled}..".encode())
    assert not remains.find(body[:11].encode())


def test_nothing_of_a_secret_is_in_any_file(tmp_path: Path, placed: list[Placed], remains: Remains) -> None:
    files = through_stdio(tmp_path, [one.exchange for one in placed])
    assert left(remains, files) == []


def test_nothing_of_a_secret_is_in_the_spool(tmp_path: Path, placed: list[Placed], remains: Remains) -> None:
    files = through_stdio(tmp_path, [one.exchange for one in placed[::3]], is_locked=True)
    assert any("spool" in path.name and data for path, data in files)
    assert left(remains, files) == []


def test_nothing_of_a_secret_is_in_any_file_over_http(tmp_path: Path, placed: list[Placed], remains: Remains) -> None:
    files = through_http(tmp_path, [one.exchange for one in placed[1::5]])
    assert left(remains, files) == []


def test_at_most_one_harmless_value_in_a_hundred_is_taken(tmp_path: Path) -> None:
    values = harmless_values(SEED, HARMLESS)
    assert len(values) == HARMLESS
    assert len({value.category for value in values}) >= 100
    taken = changed(tmp_path, values)
    assert len(taken) <= ALLOWED, [(value.category, value.key, value.value) for value in taken]
