"""Faults that last: from some call on a service is another one, with other definitions or other conventions."""

import copy
import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from jsonschema import Draft202012Validator

from servers.faults.fault import Fault, ToolFault
from servers.faults.options import names, some, whole
from servers.schema import invalid
from servers.world import CallResult, Served, World

INVALID_PARAMS = -32602  # JSON-RPC 2.0; what MCP answers for a tool that does not exist
OTHER_SEEDS = 50  # looked at for another form: services of two seeds may have one in common
TOOL_NAMES = ("{tool}_v2", "{server}_{tool}", "{tool}_beta", "do_{tool}")
ARGUMENT_NAMES = ("target_{}", "{}_value", "{}_v2", "input_{}")
NEW_ARGUMENTS = ("reason", "locale", "tenant", "client_ref")


class Shown(NamedTuple):
    """A tool as clients see it.

    `arguments` is the names that its arguments have here → those that the world knows, None where it knows none.
    """

    definition: dict[str, Any]
    arguments: Mapping[str, str | None]


class Change(NamedTuple):
    """What a change is drawn from."""

    chance: random.Random
    server: str
    taken: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class SchemaDrift(ToolFault):
    """After `after` calls, `tools` are defined anew, or `count` tools that the seed draws; each by one of `changes`."""

    kind: ClassVar[str] = "schema_drift"
    count: int = whole(1, lowest=1)
    changes: tuple[str, ...] = some(
        ("argument_renamed", "argument_required", "tool_renamed", "tool_removed", "description_changed")
    )


@dataclass(frozen=True, kw_only=True)
class ConventionDrift(Fault):
    """After `after` calls, values of `kinds`, or of `count` kinds that the seed draws, are wanted in another form."""

    kind: ClassVar[str] = "convention_drift"
    count: int = whole(1, lowest=1)
    kinds: tuple[str, ...] | None = names()


def drift_conventions(world: World, fault: ConventionDrift, chance: random.Random) -> None:
    """Let `world` want other forms, as `fault` says."""
    for kind in fault.kinds or chance.sample(world.kinds, min(fault.count, len(world.kinds))):
        for _ in range(OTHER_SEEDS):
            if world.drift([kind], chance.getrandbits(32)):
                break


class Catalogue:
    """The tools of `world` as they are shown now, and calls in their terms."""

    def __init__(self, world: Served) -> None:
        self._world = world
        self._shown: dict[str, Shown | None] = {tool["name"]: _as_it_is(tool) for tool in world.tools}
        self._tools = {name: name for name in self._shown}
        self._drifted: set[str] = set()
        self.definitions = list(world.tools)

    def drift(self, fault: SchemaDrift, chance: random.Random) -> None:
        """Change the definitions as `fault` says."""
        # Drawn from all tools, whether an earlier drift has removed them or not, so that it moves none of a later one.
        for tool in fault.tools or chance.sample(list(self._shown), min(fault.count, len(self._shown))):
            shown, change = self._shown[tool], CHANGES[chance.choice(fault.changes)]
            if shown is not None:
                changed = change(shown, Change(chance, self._world.name, frozenset(self._tools)))
                self._shown[tool] = changed
                self._drifted.add(tool)
                if changed is not None:
                    self._tools[changed.definition["name"]] = tool
        self.definitions = [shown.definition for shown in self._shown.values() if shown]

    def tool(self, name: str) -> str | None:
        """Return which of the world's tools is or was shown as `name`."""
        return self._tools.get(name)

    def call(self, name: str, arguments: Mapping[str, Any]) -> CallResult:
        """Call the tool that is shown as `name` now."""
        tool = self._tools.get(name, name)
        shown = self._shown.get(tool)
        if shown is None or shown.definition["name"] != name:
            known = ", ".join(sorted(definition["name"] for definition in self.definitions))
            text = f"Unknown tool: {name[:60]!r}; the tools are {known}"
            return CallResult(True, text, protocol_error=INVALID_PARAMS)
        if tool not in self._drifted:
            return self._world.call(name, arguments)
        wrong = invalid(arguments, Draft202012Validator(shown.definition["inputSchema"]))
        if wrong is not None:
            return CallResult(True, wrong)
        in_its_terms = ((shown.arguments[given], value) for given, value in arguments.items())
        return self._world.call(tool, {own: value for own, value in in_its_terms if own is not None})


def _as_it_is(tool: dict[str, Any]) -> Shown:
    return Shown(tool, {name: name for name in tool["inputSchema"].get("properties", {})})


def _argument_renamed(shown: Shown, change: Change) -> Shown:
    definition, schema = _copied(shown)
    properties = schema["properties"]
    if not properties:
        return shown
    old = change.chance.choice(list(properties))
    new = _fresh((name.format(old) for name in _shuffled(ARGUMENT_NAMES, change.chance)), properties)
    renamed = {old: new}
    schema["properties"] = {renamed.get(name, name): value for name, value in properties.items()}
    schema["required"] = [renamed.get(name, name) for name in schema["required"]]
    return Shown(definition, {renamed.get(name, name): own for name, own in shown.arguments.items()})


def _argument_required(shown: Shown, change: Change) -> Shown:
    definition, schema = _copied(shown)
    properties = schema["properties"]
    optional = [name for name in properties if name not in schema["required"]]
    if optional:
        schema["required"].append(change.chance.choice(optional))
        return Shown(definition, shown.arguments)
    new = _fresh(_shuffled(NEW_ARGUMENTS, change.chance), properties)
    properties[new] = {"type": "string"}
    schema["required"].append(new)
    return Shown(definition, {**shown.arguments, new: None})


def _tool_renamed(shown: Shown, change: Change) -> Shown:
    definition, _ = _copied(shown)
    server = re.sub(r"\W", "_", change.server)
    forms = _shuffled(TOOL_NAMES, change.chance)
    definition["name"] = _fresh((form.format(tool=definition["name"], server=server) for form in forms), change.taken)
    return Shown(definition, shown.arguments)


def _tool_removed(shown: Shown, change: Change) -> None:  # noqa: ARG001 - as every change
    return None


def _description_changed(shown: Shown, change: Change) -> Shown:  # noqa: ARG001 - as every change
    definition, schema = _copied(shown)
    definition["description"] = f"{definition['name'].replace('_', ' ').capitalize()} (new version)."
    for argument in schema["properties"].values():
        argument.pop("description", None)
    return Shown(definition, shown.arguments)


CHANGES: dict[str, Callable[[Shown, Change], Shown | None]] = {
    "argument_renamed": _argument_renamed,
    "argument_required": _argument_required,
    "tool_renamed": _tool_renamed,
    "tool_removed": _tool_removed,
    "description_changed": _description_changed,
}


def _copied(shown: Shown) -> tuple[dict[str, Any], dict[str, Any]]:
    definition = copy.deepcopy(shown.definition)
    schema = definition["inputSchema"]
    schema.setdefault("properties", {})
    schema.setdefault("required", [])
    return definition, schema


def _shuffled(options: tuple[str, ...], chance: random.Random) -> list[str]:
    return chance.sample(options, len(options))


def _fresh(names: Iterable[str], taken: Iterable[str]) -> str:
    used = set(taken)
    name = ""
    for name in names:
        if name not in used:
            return name
    while name in used:
        name += "_"
    return name
