from adapters.messages import Demonstration, ToolCall
from learner.selection import demonstration_of, select
from middleware.memory.records import CallMade, Label, Outcome, Trial, Verdict


def trial(
    query: str | None,
    *calls: CallMade,
    key: int = 0,
    label: Label | None = "solved",
    judge: str = "responses",
    confidence: float = 0.6,
) -> Trial:
    verdict = None if label is None else Verdict(judge, label, confidence, "")
    return Trial(f"t{key}", query, "explore", "recall", "s", calls, verdict, id=key)


def made(name: str, outcome: Outcome | None = "result", **arguments: object) -> CallMade:
    return CallMade(name, arguments, outcome)


def test_a_trial_demonstrates_the_calls_that_went_well() -> None:
    tried = trial("tides?", made("tide", "tool_error", day="x"), made("tide", day="y"))
    assert demonstration_of(tried) == Demonstration("tides?", (ToolCall("tide", {"day": "y"}),))


def test_imported_calls_that_never_ran_demonstrate_too() -> None:
    assert demonstration_of(trial("q", made("tool", None, a=1))) == Demonstration("q", (ToolCall("tool", {"a": 1}),))


def test_failed_unjudged_and_queryless_trials_demonstrate_nothing() -> None:
    call = made("tool", a=1)
    assert demonstration_of(trial("q", call, label="failed")) is None
    assert demonstration_of(trial("q", call, label=None)) is None
    assert demonstration_of(trial(None, call)) is None


def test_a_call_whose_arguments_were_redacted_or_cut_demonstrates_nothing() -> None:
    assert demonstration_of(trial("q", made("tool", key="[redacted]"))) is None
    cut = CallMade("tool", {"text": "long [cut]", "practicum/cut": {"bytes": 99_999}}, "result")
    assert demonstration_of(trial("q", cut)) is None


def test_a_trial_with_a_call_that_was_not_kept_demonstrates_nothing() -> None:
    assert demonstration_of(trial("q", made("tool", a=1), CallMade("tool", {}, "result", kept=False))) is None


def test_making_no_call_is_demonstrated_only_on_golds_word() -> None:
    assert demonstration_of(trial("hello")) is None
    assert demonstration_of(trial("hello", judge="gold")) == Demonstration("hello", ())


def test_of_one_request_the_most_confident_and_then_the_newest_trial_stays() -> None:
    sure = trial("The tides, please!", made("tide", day="1"), key=1, confidence=1.0)
    unsure = trial("the tides please", made("tide", day="2"), key=2)
    assert select([sure, unsure], limit=10) == [sure]
    newer = trial("the tides please", made("tide", day="3"), key=3)
    assert select([unsure, newer], limit=10) == [newer]


def test_tools_take_turns_when_there_is_not_room_for_all() -> None:
    many = [trial(f"query {key}", made("often"), key=key) for key in range(1, 6)]
    one = trial("another", made("seldom"), key=9)
    assert {call.name for chosen in select([*many, one], limit=2) for call in chosen.calls} == {"often", "seldom"}


def test_nothing_to_select_from_selects_nothing() -> None:
    assert select([], limit=5) == []
