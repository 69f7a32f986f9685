import pytest

from adapters.errors import AdapterError, UnknownModelError
from adapters.messages import Message, Options, Reply, ToolSpec
from adapters.recall import Recall
from adapters.registry import KNOWN, load_model
from adapters.scripted import ScriptedModel


def test_recall_is_known_by_its_name() -> None:
    assert "recall" in KNOWN
    assert isinstance(load_model("recall"), Recall)


def test_unknown_name_says_which_names_are_known() -> None:
    with pytest.raises(UnknownModelError, match=r"no model is called 'gpt-0'; known: .*recall"):
        load_model("gpt-0")


def test_scripted_model_gives_its_replies_in_order_and_then_says_that_it_ended() -> None:
    model = ScriptedModel([Reply("one"), Reply("two")])
    assert [model.generate([], [], Options()).text for _ in range(2)] == ["one", "two"]
    with pytest.raises(AdapterError, match="give it one more"):
        model.generate([], [], Options())


def test_scripted_model_can_be_a_function_of_what_it_is_shown() -> None:
    model = ScriptedModel(lambda messages, tools: Reply(f"{messages[-1].content} {len(tools)}"))
    tools = [ToolSpec("a", "", {})]
    assert model.generate([Message("user", "hi")], tools, Options()).text == "hi 1"
    model.close()
