"""The people of a seed: the address book and the mail directory know the same ones.

No two first names, and no two last names, begin with the same three letters, so that shortened names stay distinct.
"""

import functools
import random

FORMAL_AND_SHORT = (
    ("Margaret", "Peggy"), ("William", "Billy"), ("Elizabeth", "Libby"), ("Robert", "Bobby"), ("Richard", "Dickie"),
    ("Theodore", "Teddy"), ("Katherine", "Kitty"), ("Henry", "Hank"), ("Charles", "Chuck"), ("Edward", "Ned"),
    ("Antonia", "Toni"), ("Rebecca", "Becky"), ("Patricia", "Trish"), ("Alexander", "Sandy"), ("Isabella", "Bella"),
    ("Lawrence", "Larry"), ("Eleanor", "Nell"), ("Gerald", "Jerry"), ("Susannah", "Sukie"), ("James", "Jimmy"),
)  # fmt: skip
FIRST = (
    "Agnes", "Basil", "Clara", "Dermot", "Esther", "Felix", "Greta", "Hugo", "Ingrid", "Jasper", "Keith", "Leonie",
    "Miriam", "Nathan", "Olive", "Rupert", "Selma", "Tobias", "Ursula", "Victor", "Wanda", "Yvonne", "Zelda", "Conrad",
    "Daphne", "Gideon", "Imogen", "Joyce", "Lucas", "Muriel", "Noel", "Oscar", "Philip", "Ruth", "Simon", "Viola",
    "Walter", "Xenia", "Yusuf", "Barnaby",
)  # fmt: skip
LAST = (
    "Ackley", "Barlow", "Cavell", "Dunmore", "Emerson", "Farley", "Gresham", "Holloway", "Ibbotson", "Jarvis",
    "Kendrick", "Lomax", "Mercer", "Norris", "Ogilvy", "Pemberton", "Quayle", "Rowland", "Sefton", "Tranter",
    "Upjohn", "Vickers", "Whitlock", "Yardley", "Zeller", "Ashby", "Brandt", "Colton", "Draper", "Easton",
    "Fulmer", "Gilroy", "Hatcher", "Ingram", "Jessop", "Kirby", "Langley", "Moffat", "Nesbit", "Orton",
    "Prescott", "Ramsey", "Sidwell", "Tindall", "Underhill", "Vaughan", "Wexford", "Yates", "Abbott", "Birch",
    "Crane", "Dobson", "Elwood", "Foster", "Goodwin", "Hurst", "Thorne", "Pryce", "Lister", "Marsh",
    "Bevan", "Haddon", "Tolland", "Beckett", "Moreton", "Selwyn", "Garrick",
)  # fmt: skip
SINGLE = 36  # people who are known by one name only
NOBODY = "Quentin Fairbrother"  # whom refusals may name as an example, and whom no seed has


@functools.cache
def doubles(seed: int) -> tuple[tuple[str, str], ...]:
    """Return the pairs of names, a formal and a short one, under which one person is known twice."""
    lasts = _lasts(seed)
    return tuple(
        (f"{formal} {last}", f"{short} {last}")
        for (formal, short), last in zip(FORMAL_AND_SHORT, lasts[: len(FORMAL_AND_SHORT)], strict=True)
    )


@functools.cache
def singles(seed: int) -> tuple[str, ...]:
    """Return the names of the people who are known by one name only."""
    firsts = random.Random(f"first names {seed}").sample(FIRST, SINGLE)  # noqa: S311 - a simulation, not a secret
    start = len(FORMAL_AND_SHORT)
    return tuple(f"{first} {last}" for first, last in zip(firsts, _lasts(seed)[start : start + SINGLE], strict=True))


@functools.cache
def strangers(seed: int) -> tuple[str, ...]:
    """Return names that nobody has yet."""
    return tuple(f"{first} {last}" for last in _lasts(seed)[len(FORMAL_AND_SHORT) + SINGLE :] for first in FIRST)


def _lasts(seed: int) -> list[str]:
    return random.Random(f"last names {seed}").sample(LAST, len(LAST))  # noqa: S311 - a simulation, not a secret
