"""The people of one company: the same in every service of a seed, so that what one says of somebody serves another."""

import random

COLLEAGUES = 36

# No two of a list begin with the same three letters, so that shortened names stay distinct.
FIRST_NAMES = (
    "Amara", "Bjorn", "Carmen", "Dmitri", "Elena", "Farid", "Greta", "Hiroshi", "Ingrid", "Jamal", "Katya", "Leopold",
    "Mireille", "Nadia", "Oskar", "Paloma", "Quentin", "Rashida", "Soren", "Tamsin", "Ulrich", "Valeria", "Wanjiru",
    "Yusuf",
)  # fmt: skip
LAST_NAMES = (
    "Abernathy", "Bertrand", "Castellano", "Dvorak", "Eriksen", "Fontaine", "Grimaldi", "Holmberg", "Ishikawa",
    "Jankowski", "Kowalczyk", "Lindgren", "Marchetti", "Nakamura", "Okonkwo", "Petrov", "Quigley", "Rosenthal",
    "Silveira", "Thorvald", "Underhill", "Vasquez", "Whitlock", "Zimmermann",
)  # fmt: skip


def colleagues(seed: int) -> tuple[str, ...]:
    """Return the full names of everybody in the company of `seed`."""
    rng = random.Random(f"colleagues {seed}")  # noqa: S311 - a simulation, not a secret
    pairs = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]
    return tuple(rng.sample(pairs, COLLEAGUES))
