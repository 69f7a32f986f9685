"""A world behind faults, to be served in its place."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from servers.errors import FaultPlanError
from servers.faults.drift import Catalogue, ConventionDrift, SchemaDrift, drift_conventions
from servers.faults.fault import CallFault, Fault, ToolFault, Turn, randomness
from servers.faults.plan import KINDS, Plan
from servers.world import CallResult, World


class _Placed(NamedTuple):
    """A fault in its place; `key` tells it from others of its kind, and is all that its randomness depends on."""

    key: str
    fault: Fault


class Faulty:
    """`world` with the faults of `plan`: the same seed and the same calls, the same faults and the same bytes.

    Raises:
        FaultPlanError: the plan names a tool, or a kind of convention, that the world does not have.
    """

    def __init__(self, world: World, plan: Plan, seed: int) -> None:
        self.name = world.name
        self._world = world
        self._catalogue = Catalogue(world)
        for fault in plan.faults:
            if isinstance(fault, ToolFault):
                _check(fault, "tool", fault.tools, [tool["name"] for tool in world.tools])
            if isinstance(fault, ConventionDrift):
                _check(fault, "kind", fault.kinds, world.kinds)
        placed = _placed(plan, seed)
        self._call_faults = [(key, fault) for key, fault in placed if isinstance(fault, CallFault)]
        self._drifts = sorted(
            (one for one in placed if not isinstance(one.fault, CallFault)), key=lambda one: one.fault.after
        )
        self._number = 0
        self._counts: Counter[str] = Counter()
        self._drift()

    @property
    def tools(self) -> Sequence[dict[str, Any]]:
        """The definitions, exactly as `tools/list` shows them now."""
        return self._catalogue.definitions

    def call(self, name: str, arguments: Mapping[str, Any]) -> CallResult:
        """Call a tool, as far as the faults let it."""
        self._number += 1
        tool = self._catalogue.tool(name)
        turns = [(fault, self._turn(key, fault, tool)) for key, fault in self._call_faults]
        answer = _hit_by(
            [(fault, turn) for fault, turn in turns if turn is not None and fault.hits(turn)],
            lambda: self._catalogue.call(name, arguments),
        )()
        self._drift()
        return answer

    def _turn(self, key: str, fault: CallFault, tool: str | None) -> Turn | None:
        if self._number <= fault.after or (fault.tools is not None and tool not in fault.tools):
            return None
        # Counted whatever the other faults do with the call, for none may move another.
        self._counts[key] += 1
        return Turn(key, self._number, self._counts[key])

    def _drift(self) -> None:
        # After the answer and not before the next call, so that clients can be told of other definitions in time.
        while self._drifts and self._number >= self._drifts[0].fault.after:
            key, fault = self._drifts.pop(0)
            if isinstance(fault, SchemaDrift):
                self._catalogue.drift(fault, randomness(key))
            if isinstance(fault, ConventionDrift):
                drift_conventions(self._world, fault, randomness(key))


def _check(fault: Fault, what: str, named: Sequence[str] | None, known: Sequence[str]) -> None:
    for name in named or ():
        if name not in known:
            raise FaultPlanError(
                f"{fault.kind} is for the {what} {name[:60]!r}, which is not there; there are: {', '.join(known)}"
            )


def _placed(plan: Plan, seed: int) -> list[_Placed]:
    """Return the faults in the order in which a call meets them, whatever their order in the plan."""
    seen: Counter[str] = Counter()
    placed = []
    for fault in plan.faults:
        seen[fault.kind] += 1
        placed.append(_Placed(f"{seed}/{fault.kind}/{seen[fault.kind]}", fault))
    order = list(KINDS)
    return sorted(placed, key=lambda one: order.index(one.fault.kind))


def _hit_by(hits: list[tuple[CallFault, Turn]], proceed: Callable[[], CallResult]) -> Callable[[], CallResult]:
    for fault, turn in reversed(hits):
        proceed = _around(fault, turn, proceed)
    return proceed


def _around(fault: CallFault, turn: Turn, proceed: Callable[[], CallResult]) -> Callable[[], CallResult]:
    return lambda: fault.answer(turn, proceed)
