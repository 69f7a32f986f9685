"""The corpus: every kind of secret in every carrier that can hold it, each time another secret."""

import random
from collections.abc import Mapping, Sequence

from tests.middleware.secrets.carriers import CARRIERS, RARE, Carrier, Placed, forms
from tests.middleware.secrets.kinds import KINDS
from tests.middleware.secrets.making import Kind, make

_WINDOW = 12  # so many bytes in a row of what is random betray it
_FIRST = 8  # no body is shorter


def placed_secrets(
    seed: int, kinds: Sequence[Kind] = KINDS, carriers: Mapping[str, Carrier] = CARRIERS
) -> list[Placed]:
    """Return the corpus of this seed. No secret stands in it twice, so what is found tells where it was."""
    rng = random.Random(seed)
    found = []
    for kind in kinds:
        for name, carrier in carriers.items():
            if rng.random() >= RARE.get(name, 1.0):
                continue
            secret = make(kind, rng)
            exchange = carrier(secret, rng)
            if exchange is not None:
                found.append(Placed(secret, name, exchange))
    return found


class Remains:
    """Finds what has remained of secrets in the bytes of files."""

    def __init__(self, placed: Sequence[Placed]) -> None:
        self._placed = placed
        self._windows: dict[bytes, dict[bytes, int]] = {}  # first bytes → window that begins with them → whose it is
        for index, one in enumerate(placed):
            for form in {form for body in one.secret.bodies for form in forms(body)}:
                spelled = form.encode("utf-8", "surrogatepass")
                for start in range(max(1, len(spelled) - _WINDOW + 1)):
                    window = spelled[start : start + _WINDOW]
                    self._windows.setdefault(window[:_FIRST], {}).setdefault(window, index)

    def find(self, data: bytes) -> list[Placed]:
        """Return the secrets of which 12 bytes in a row, or all where there are fewer, stand in `data`."""
        found: set[int] = set()
        windows = self._windows
        for start in range(len(data) - _FIRST + 1):
            if data[start : start + _FIRST] in windows:
                beginning = windows[data[start : start + _FIRST]]
                found.update(index for window, index in beginning.items() if data.startswith(window, start))
        return [self._placed[index] for index in sorted(found)]
