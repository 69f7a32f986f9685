"""One direction of the relay on two pipes, with a writer that commits when the test says so."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress

import pytest

from middleware.abridge import LONG
from middleware.lane import Lane
from middleware.relay import Passage

LINE = json.dumps({"id": 1, "result": {"content": ["x" * (2 * LONG)], "isError": False}}).encode() + b"\n"


class Commits:
    """What a lane asks of a writer."""

    def __init__(self) -> None:
        self.done = 0
        self.stalled = False
        self.given_up: list[int] = []

    def give_up(self, ticket: int) -> None:
        self.given_up.append(ticket)


class Ends:
    """A lane, and both of its ends."""

    def __init__(self) -> None:
        read_end, self.input = os.pipe()
        self.output, write_end = os.pipe()
        self.holds = False
        self.taken: list[tuple[bytes, int | None]] = []
        self.defects: list[Exception] = []
        self.commits = Commits()
        self.lane = Lane(
            *(read_end, write_end, self._take, lambda data: os.write(write_end, data)),
            holds=lambda: self.holds,
            defect=self.defects.append,
        )
        for descriptor in (read_end, self.input, self.output, write_end):
            os.set_blocking(descriptor, False)

    def _take(self, line: bytes, size: int | None) -> Passage:
        self.taken.append((line, size))
        if b"raise" in line:
            raise RuntimeError("a defect")
        return Passage(line, ticket=len(self.taken))

    def close(self) -> None:
        for descriptor in (self.lane.source, self.input, self.output, self.lane.sink):
            with suppress(OSError):
                os.close(descriptor)

    def put(self, data: bytes) -> bytes:
        """Have the lane read all of `data`; return what comes out at its other end."""
        came = b""
        while data:
            data = data[os.write(self.input, data[: 1 << 15]) :]
            self.lane.read()
            came += self.get()
        return came

    def get(self) -> bytes:
        came = b""
        while True:
            self.lane.release(self.commits)  # type: ignore[arg-type] # it asks no more of a writer than this
            self.lane.flush()
            try:
                came += os.read(self.output, 1 << 20)
            except BlockingIOError:
                return came


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.close()


def test_of_a_long_line_only_the_last_piece_waits_for_its_commit(ends: Ends) -> None:
    came = ends.put(LINE)
    assert len(LINE) - (1 << 15) <= len(came) < len(LINE)
    ((kept, size),) = ends.taken
    assert size == len(LINE)
    assert len(kept) < LONG
    assert json.loads(kept)["result"]["isError"] is False
    ends.commits.done = 1
    assert came + ends.get() == LINE


def test_a_message_of_our_own_waits_for_the_end_of_a_line_that_passes(ends: Ends) -> None:
    ends.commits.done = 9
    came = ends.put(LINE[:-10])
    ends.lane.insert(Passage(b"our own\n"))
    came += ends.put(LINE[-10:] + b"the next\n")
    assert came == LINE + b"our own\nthe next\n"


def test_a_long_line_that_may_have_to_be_changed_is_held_whole(ends: Ends) -> None:
    ends.commits.done = 9
    ends.holds = True
    assert ends.put(LINE[:-1]) == b""
    ends.lane.insert(Passage(b"our own\n"))
    assert ends.put(LINE[-1:]) == b"our own\n" + LINE
    assert ends.taken == [(LINE, None)]


def test_a_source_that_ends_within_a_long_line_leaves_what_came(ends: Ends) -> None:
    ends.commits.done = 9
    came = ends.put(LINE[:-1])
    ends.lane.insert(Passage(b"our own\n"))
    os.close(ends.input)
    ends.lane.read()
    assert came + ends.get() == LINE + b"our own\n"
    assert ends.lane.is_empty
    assert ends.lane.source_ended
    assert [size for _, size in ends.taken] == [len(LINE) - 1]


def test_lines_of_any_length_come_out_in_order_and_as_they_were(ends: Ends) -> None:
    ends.commits.done = 99
    lines = [b"a\n", LINE, b"\n", b"x" * LONG + b"\n", b"x" * (LONG + 1) + b"\n", LINE.replace(b"x", b'\\"'), b"end\n"]
    assert ends.put(b"".join(lines)) == b"".join(lines)
    assert [size or len(line) for line, size in ends.taken] == [len(line) for line in lines]


def test_a_defect_in_looking_costs_no_line(ends: Ends) -> None:
    ends.commits.done = 9
    line = LINE.replace(b'"id"', b'"raise"')
    assert ends.put(b"raise\n" + line + b"next\n") == b"raise\n" + line + b"next\n"
    assert [str(defect) for defect in ends.defects] == ["a defect", "a defect"]


def test_a_slow_reader_holds_a_long_line_back(ends: Ends) -> None:
    while ends.lane.wants_input:
        os.write(ends.input, b"x" * (1 << 15))
        ends.lane.read()
    assert os.write(ends.input, b"x" * (1 << 20)) < 1 << 20
