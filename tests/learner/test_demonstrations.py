from adapters.messages import Demonstration, ToolCall, demonstration_line
from learner.distill.demonstrations import Demonstrations
from learner.distill.tokens import estimated_tokens


def shown(query: str, city: str) -> Demonstration:
    return Demonstration(query, (ToolCall("weather", {"city": city}),))


def test_the_nearest_come_first_and_no_more_than_asked_for() -> None:
    found = Demonstrations([shown(f"weather in city number {n}", str(n)) for n in range(20)]).nearest(
        "weather in city number 7", count=3
    )
    assert len(found) == 3
    assert found[0].calls[0].arguments == {"city": "7"}


def test_the_lines_stay_within_the_budget_and_a_long_one_does_not_keep_short_ones_out() -> None:
    long, short = shown("rain in Oslo " * 100, "Oslo"), shown("rain in Rome", "Rome")
    assert Demonstrations([long, short]).nearest("rain in Oslo", budget=60) == [short]


def test_no_budget_shows_nothing() -> None:
    assert Demonstrations([shown("rain in Oslo", "Oslo")]).nearest("rain in Oslo", budget=0) == []


def test_a_budget_is_counted_over_all_lines() -> None:
    many = [shown(f"rain in city {n}", "x" * 30) for n in range(8)]
    cost = estimated_tokens(demonstration_line(many[0]) + "\n")
    assert len(Demonstrations(many).nearest("rain in city", budget=3 * cost)) == 3
