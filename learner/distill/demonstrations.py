"""Demonstrations in an artefact and at use: the nearest ones to a query, under a token budget.

Nearest first, over all tools, follows Wang et al. (2024, arXiv:2403.04746), where eight are shown.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from adapters.messages import Demonstration, demonstration_line, demonstrations_in
from learner.distill.tokens import estimated_tokens
from middleware.memory.artefacts import Manifest, read_artefact
from middleware.memory.nearest import NearestIndex

DEMONSTRATIONS = "demonstrations.jsonl"
HINTS = "hints.json"
COUNT = 8
BUDGET_TOKENS = 2000


class Demonstrations:
    """Demonstrations that are found by their queries. The index is in RAM."""

    def __init__(self, demonstrations: Sequence[Demonstration]) -> None:
        self._demonstrations = demonstrations
        self._index = NearestIndex()
        self._index.add((key, demonstration.query) for key, demonstration in enumerate(demonstrations))

    def nearest(self, query: str, *, count: int = COUNT, budget: int = BUDGET_TOKENS) -> list[Demonstration]:
        """Return up to `count` demonstrations, nearest first, whose lines together stay within `budget` tokens.

        One that is too long for what is left is passed over; a shorter one behind it may still fit.
        """
        chosen = []
        for key, _ in self._index.nearest(query, count):
            demonstration = self._demonstrations[key]
            cost = estimated_tokens(demonstration_line(demonstration) + "\n")
            if cost <= budget:
                chosen.append(demonstration)
                budget -= cost
        return chosen


class DemonstrationArtefact(Demonstrations):
    """A prompt artefact that was read from disk: `hints` by tool name, `queries` for telling near from new."""

    def __init__(self, manifest: Manifest, demonstrations: Sequence[Demonstration], hints: dict[str, str]) -> None:
        super().__init__(demonstrations)
        self.manifest = manifest
        self.hints = hints
        self.queries = [demonstration.query for demonstration in demonstrations]


def load(folder: Path) -> DemonstrationArtefact:
    """Read the prompt artefact in `folder`.

    Raises:
        ArtefactError: it is missing, damaged or of another format.
    """
    manifest, files = read_artefact(folder)
    return DemonstrationArtefact(
        manifest, demonstrations_in(files.get(DEMONSTRATIONS, "")), json.loads(files.get(HINTS, "{}"))
    )
