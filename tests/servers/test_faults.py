"""Each fault does to a call what its name says, and the same to the same call in every process."""

import functools
import json
import math
import subprocess
import sys
from pathlib import Path
from statistics import quantiles
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servers import registry
from servers.errors import FaultPlanError
from servers.faults import PRESETS, Faulty, Plan
from servers.faults.answers import SHAPES, Malformed, Truncated
from servers.faults.drift import SchemaDrift
from servers.faults.fault import CallFault, Fault
from servers.faults.service import REFUSALS, Failure, Latency, RateLimit, Timeout
from servers.world import CallResult, World

ROOT = Path(__file__).parents[2]
WEATHER = registry.load("weather")
SEED = 11
MANY = 2000
ONCE_RATED = (Latency(rate=0.2), Timeout(rate=0.2), Failure(rate=0.2), Truncated(rate=0.2), Malformed(rate=0.2))


def gold(tool: str) -> tuple[str, dict[str, Any]]:
    """Return a call of `tool` as the world wants it."""
    calls = (task.calls[0] for task in WEATHER.tasks(SEED, "test") if len(task.calls) == 1)
    name, arguments = next(call for call in calls if call.name == tool)
    return name, dict(arguments)


READ, WRITE = gold("current_conditions"), gold("subscribe_alert")
PLAIN = WEATHER.world(SEED).call(*READ)


def faulty(*faults: Fault, seed: int = SEED, world: World | None = None) -> Faulty:
    return Faulty(world or WEATHER.world(SEED), Plan(faults), seed)


def answers(*faults: Fault, calls: int = MANY, seed: int = SEED) -> list[CallResult]:
    served = faulty(*faults, seed=seed)
    return [served.call(*READ) for _ in range(calls)]


@functools.cache
def hits(*faults: Fault, seed: int = SEED) -> list[int]:
    return [number for number, answer in enumerate(answers(*faults, seed=seed)) if answer != PLAIN]


def test_a_plan_without_faults_changes_nothing() -> None:
    served, world = faulty(), WEATHER.world(SEED)
    assert (served.name, served.tools) == (world.name, world.tools)
    for name, arguments in (READ, WRITE, ("daily_forecast", {}), ("no_such_tool", {})):
        assert served.call(name, arguments).text == world.call(name, arguments).text or name == "no_such_tool"


@pytest.mark.parametrize("preset", PRESETS)
def test_the_same_seed_and_calls_give_the_same_bytes_in_every_process(preset: str) -> None:
    script = (
        "from servers import registry\n"
        "from servers.faults import Faulty, load\n"
        "weather = registry.load('weather')\n"
        f"world = weather.world({SEED})\n"
        f"served = Faulty(world, load({preset!r}), 5)\n"
        "for task in weather.tasks(11, 'test')[:60]:\n"
        "    print(*(served.call(*call) for call in task.calls), served.tools)\n"
        "print(world.digest())\n"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": hash_seed},
            cwd=ROOT,
            capture_output=True,
            check=True,
            timeout=200,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert len(outputs[0].splitlines()) == 61


def test_other_seeds_hit_other_calls() -> None:
    assert len({tuple(hits(Failure(rate=0.1), seed=seed)) for seed in range(20)}) == 20


@pytest.mark.parametrize("fault", ONCE_RATED, ids=lambda fault: fault.kind)
def test_a_rate_is_the_share_of_calls_that_are_hit(fault: Fault) -> None:
    share = len(hits(fault)) / MANY
    assert abs(share - 0.2) < 4 * math.sqrt(0.2 * 0.8 / MANY)


@pytest.mark.parametrize("fault", ONCE_RATED, ids=lambda fault: fault.kind)
def test_another_fault_beside_it_moves_no_hit(fault: Fault) -> None:
    alone = hits(fault)
    for other in ONCE_RATED:
        if other.kind != fault.kind:
            assert set(hits(fault, other)) == set(alone) | set(hits(other))
            assert hits(other, fault) == hits(fault, other)


def test_a_higher_rate_hits_the_same_calls_and_more() -> None:
    few, many = hits(Failure(rate=0.1)), hits(Failure(rate=0.3))
    assert set(few) < set(many)


def test_two_faults_of_one_kind_hit_apart() -> None:
    both = hits(Failure(rate=0.1), Failure(rate=0.1))
    assert len(both) / MANY == pytest.approx(1 - 0.9**2, abs=0.04)


@pytest.mark.parametrize("fault", [Failure, Truncated, RateLimit], ids=lambda fault: fault.kind)
def test_a_fault_is_limited_to_its_tools_and_to_later_calls(fault: type[CallFault]) -> None:
    every: dict[str, Any] = {"calls": 1, "window": 2} if fault is RateLimit else {"rate": 1.0}
    served = faulty(fault(tools=(READ[0],), after=3, **every))
    other = ("request_bulletin", {"model": "?", "date": "?", "time": "?"})
    refused = WEATHER.world(SEED).call(*other)
    seen = [(served.call(*READ) == PLAIN, served.call(*other) == refused) for _ in range(6)]
    # Calls 1, 3, 5 … are of the tool: the limit counts from call 5 on, and the others hit from there.
    spared = [True, True, fault is RateLimit, False, fault is RateLimit, False]
    assert seen == [(plain, True) for plain in spared]


def test_a_tool_that_the_world_does_not_have_is_named() -> None:
    with pytest.raises(FaultPlanError, match=r"latency is for the tool 'get_weather', which is not there; .*: current"):
        faulty(Latency(tools=("get_weather",)))


def test_latency_has_its_median_and_its_tail() -> None:
    delays = sorted(answer.delay_s for answer in answers(Latency(median_s=0.5, p99_s=4.0)))
    percentiles = quantiles(delays, n=100)
    assert percentiles[49] == pytest.approx(0.5, rel=0.1)
    assert percentiles[98] == pytest.approx(4.0, rel=0.3)


def test_latency_changes_nothing_but_the_time() -> None:
    for answer in answers(Latency(), calls=50):
        assert answer.delay_s > 0
        assert (answer.text, answer.structured, answer.is_error) == (PLAIN.text, PLAIN.structured, False)


def test_two_latencies_add_up() -> None:
    one, other = Latency(median_s=1.0, p99_s=1.0), Latency(median_s=2.0, p99_s=2.0)
    assert {answer.delay_s for answer in answers(one, other, calls=5)} == {3.0}


@pytest.mark.parametrize("takes_effect", [0.0, 1.0])
@pytest.mark.parametrize("kind", [Timeout, Failure], ids=lambda kind: kind.kind)
def test_a_call_that_was_carried_out_all_the_same_has_changed_the_world(
    kind: type[Timeout] | type[Failure], takes_effect: float
) -> None:
    world, changed = WEATHER.world(SEED), WEATHER.world(SEED)
    before = world.digest()
    changed.call(*WRITE)
    answer = faulty(kind(rate=1.0, takes_effect=takes_effect), world=world).call(*WRITE)
    assert answer.lost or answer.is_error
    assert answer.structured is None
    assert world.digest() == (changed.digest() if takes_effect else before) != (before if takes_effect else None)


@pytest.mark.parametrize("kind", [Timeout, Failure], ids=lambda kind: kind.kind)
def test_some_calls_are_carried_out_and_some_are_not(kind: type[Timeout] | type[Failure]) -> None:
    carried_out = 0
    for seed in range(200):
        world = WEATHER.world(SEED)
        before = world.digest()
        faulty(kind(rate=1.0, takes_effect=0.3), world=world, seed=seed).call(*WRITE)
        carried_out += world.digest() != before
    assert 35 <= carried_out <= 85


def test_a_timeout_is_no_answer_or_the_gateways() -> None:
    assert all(answer.lost for answer in answers(Timeout(rate=1.0), calls=20))
    for answer in answers(Timeout(rate=1.0, gateway_s=30.0), calls=20):
        assert (answer.text, answer.is_error, answer.delay_s, answer.lost) == ("504 Gateway Timeout", True, 30.0, False)


def test_a_rate_limit_lets_through_what_it_says_and_then_refuses() -> None:
    through = [answer == PLAIN for answer in answers(RateLimit(calls=3, window=5), calls=15)]
    assert through == [True, True, True, False, False] * 3


def test_a_refused_call_takes_no_effect() -> None:
    world = WEATHER.world(SEED)
    served = faulty(RateLimit(calls=1, window=2), world=world)
    served.call(*READ)
    before = world.digest()
    assert served.call(*WRITE).is_error
    assert world.digest() == before
    assert not served.call(*WRITE).is_error
    assert world.digest() != before


def test_how_long_to_wait_is_told_as_it_is() -> None:
    limit = RateLimit(calls=1, window=4, told=("retry_after",))
    told = [int("".join(filter(str.isdigit, answer.text[-6:]))) for answer in answers(limit, calls=4)[1:]]
    assert told == [60, 40, 20]


def test_services_differ_in_how_much_a_refusal_tells_and_keep_to_their_words() -> None:
    worded = set()
    for seed in range(60):
        refusals = [
            answer.text for answer in answers(RateLimit(calls=1, window=2), calls=8, seed=seed) if answer.is_error
        ]
        assert len(set(refusals)) == 1
        worded.add(refusals[0])
    assert len(worded) == sum(map(len, REFUSALS.values()))


def test_a_limit_that_other_faults_get_in_the_way_of_counts_all_the_same() -> None:
    limit = RateLimit(calls=3, window=5, told=("nothing",))
    alone = [number for number, answer in enumerate(answers(limit)) if answer.is_error]
    beside = [
        number
        for number, answer in enumerate(answers(Failure(rate=0.3), limit))
        if "oo many" in answer.text or "exhausted" in answer.text
    ]
    assert beside == alone


def test_failures_come_as_results_and_as_protocol_errors() -> None:
    failures = answers(Failure(rate=1.0, protocol=0.25))
    protocol = [answer for answer in failures if answer.protocol_error is not None]
    assert {(answer.protocol_error, answer.text) for answer in protocol} == {(-32603, "Internal error")}
    assert len(protocol) / MANY == pytest.approx(0.25, abs=0.04)
    told = {answer.text for answer in failures if answer.protocol_error is None}
    assert len([text for text in told if "request" not in text]) >= 5
    assert all(answer.is_error and answer.structured is None for answer in failures)
    assert all("{" not in text or json.loads(text) for text in told)


def test_a_truncated_answer_is_no_json_and_has_no_structured_content() -> None:
    for answer in answers(Truncated(rate=1.0), calls=300):
        assert answer.structured is None
        assert not answer.is_error
        kept = answer.text.removesuffix(" [truncated]").removesuffix("…")
        assert PLAIN.text.startswith(kept)
        assert 0 < len(kept) < len(PLAIN.text)
        with pytest.raises(json.JSONDecodeError):
            json.loads(answer.text)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_malformed_answer_has_the_shape_asked_for(shape: str) -> None:
    assert PLAIN.structured is not None
    for answer in answers(Malformed(rate=1.0, shapes=(shape,)), calls=50):
        assert not answer.is_error
        if shape in ("html", "empty"):
            assert answer.structured is None
            assert ("<html" in answer.text) if shape == "html" else (answer.text == "")
            continue
        assert answer.structured is not None
        assert json.loads(answer.text) == answer.structured
        same = {key for key, value in answer.structured.items() if PLAIN.structured[key] == value}
        assert len(same) == len(PLAIN.structured) - 1
        assert (len(answer.structured) == len(PLAIN.structured)) is (shape == "wrong_type")
        for key in set(answer.structured) - same:
            assert type(answer.structured[key]) is not type(PLAIN.structured[key])


@settings(max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    ),
    st.integers(0, 100),
)
def test_whatever_a_tool_returns_is_malformed_into_json(value: Any, seed: int) -> None:
    def echo(state: Any) -> dict[str, Any]:
        """Return the value."""
        return {"value": value}

    world = World("echo", 0, registry.load("weather").first_state, [echo])
    before = json.dumps(value)
    for shape in SHAPES:
        answer = faulty(Malformed(rate=1.0, shapes=(shape,)), world=world, seed=seed).call("echo", {})
        if answer.structured is not None:
            assert json.loads(answer.text) == answer.structured != {"value": value}
    assert json.dumps(value) == before, "what the world keeps stays as it is"


def test_fields_within_fields_are_malformed_too() -> None:
    def days(state: Any) -> dict[str, Any]:
        """Return two days."""
        return {"days": [{"high": 1}, {"low": 2}]}

    world = World("days", 0, WEATHER.first_state, [days])
    served = faulty(Malformed(rate=1.0, shapes=("missing_field",)), world=world)
    assert {served.call("days", {}).text for _ in range(40)} == {
        "{}",
        '{"days": [{}, {"low": 2}]}',
        '{"days": [{"high": 1}, {}]}',
    }


def test_a_protocol_error_stays_as_it_is() -> None:
    gone = SchemaDrift(tools=(READ[0],), changes=("tool_removed",))
    error = faulty(gone).call(*READ)
    assert error.protocol_error == -32602
    for fault in (Truncated(rate=1.0), Malformed(rate=1.0)):
        assert faulty(gone, fault).call(*READ) == error


def test_a_refusal_has_no_fields_to_malform() -> None:
    refused = WEATHER.world(SEED).call("daily_forecast", {})
    fields = faulty(Malformed(rate=1.0, shapes=("wrong_type", "missing_field")))
    assert fields.call("daily_forecast", {}) == refused
    page = faulty(Malformed(rate=1.0, shapes=("html", "wrong_type"))).call("daily_forecast", {})
    assert page.is_error
    assert "<html" in page.text
