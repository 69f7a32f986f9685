"""Puts secrets together from templates, so that no scanner finds one in this repository.

In a template, `«class:n»` stands for n random characters of a class, `«class:n-m»` for n to m of them; the rest is
literal. What is random is the secret's body: that is what must not remain. `«-class:n»` is random, but nobody's secret:
a user name, a salt, a nonce.
"""

import base64
import json
import random
import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

# token: known by itself. named: only its name tells that it is one. text: a line or a document that holds one.
Shape = Literal["token", "named", "text"]

_FILL = re.compile(r"«(-?)(\w+)(?::(\d+)(?:-(\d+))?)?»")
_CLASSES = {
    "an": string.ascii_letters + string.digits,
    "low": string.ascii_lowercase + string.digits,
    "up": string.ascii_uppercase + string.digits,
    "letters": string.ascii_letters,
    "hex": "0123456789abcdef",
    "dig": string.digits,
    "b32": string.ascii_uppercase + "234567",
    "b64": string.ascii_letters + string.digits + "+/",
    "url": string.ascii_letters + string.digits + "_-",
    "bech": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
    "b58": "".join(sorted(set(string.ascii_letters + string.digits) - set("0OIl"))),
    "crypt": string.ascii_letters + string.digits + "./",
}
_WORDS = [
    "amber",
    "birch",
    "copper",
    "delta",
    "ember",
    "falcon",
    "garnet",
    "hazel",
    "indigo",
    "juniper",
    "kestrel",
    "lotus",
    "maple",
    "nimbus",
    "otter",
]
_USERS = ("ann", "svc_backup", "root", "deploy", "m.keller", "app")
_HOSTS = ("db.internal", "10.0.3.7", "api.acme.io", "cluster0.ab1cd.mongodb.net", "shop-prod.example.com", "localhost")
_SYMBOLS = "!#$%*+-.?^_~"


@dataclass(frozen=True)
class Kind:
    """One kind of secret: `templates` for its text, `keys` for what it usually stands under, `source` of its form."""

    name: str
    shape: Shape
    templates: tuple[str, ...]
    keys: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Secret:
    """One secret as it is written, and what is random in it."""

    kind: str
    shape: Shape
    key: str
    text: str
    bodies: tuple[str, ...]


def make(kind: Kind, rng: random.Random) -> Secret:
    """Return a new secret of this kind."""
    text, bodies = fill(rng.choice(kind.templates), rng)
    return Secret(kind.name, kind.shape, rng.choice(kind.keys), text, bodies)


def fill(template: str, rng: random.Random) -> tuple[str, tuple[str, ...]]:
    """Return the template filled in, and what was filled in that must be kept secret."""
    bodies: list[str] = []

    def replace(match: re.Match[str]) -> str:
        name, least, most = match[2], int(match[3] or 0), int(match[4] or match[3] or 0)
        if name in _PUBLIC:
            return rng.choice(_PUBLIC[name])
        length = rng.randint(least, most)
        made = _MADE[name](rng, length) if name in _MADE else "".join(rng.choices(_CLASSES[name], k=length))
        # Shorter pieces (a digit, a check sum) are nobody's secret, and could stand anywhere by chance.
        bodies.extend(piece for piece in made.split("\n") if len(piece) >= 10 and not match[1])
        return made

    return _FILL.sub(replace, template), tuple(bodies)


def _password(rng: random.Random, length: int) -> str:
    """Return what a generator makes, or what people make of words."""
    if not length and rng.random() < 0.3:
        words = [rng.choice(_WORDS).capitalize() for _ in range(3)]
        return f"{rng.choice('-._').join(words)}{rng.choice(_SYMBOLS)}{rng.randint(10, 9999)}"
    inner = rng.choices(_CLASSES["an"] + _SYMBOLS, k=(length or rng.randint(10, 20)) - 4)
    return "".join([rng.choice(string.ascii_uppercase), *inner, "7", rng.choice("!#*_"), rng.choice("xyz")])


def _quoted(rng: random.Random, _: int) -> str:
    """Return a password with what needs escaping in it."""
    first, second = ("".join(rng.choices(_CLASSES["an"], k=12)) for _ in range(2))
    return first + rng.choice(['"', "\\", "'", ' "', "ß", "\\n", "&"]) + second


def _jwt(rng: random.Random, _: int) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()

    claims = {"jti": "".join(rng.choices(_CLASSES["an"], k=16)), "sub": str(rng.randrange(10**9)), "exp": 1893456000}
    signature = "".join(rng.choices(_CLASSES["url"], k=rng.choice([43, 86])))
    return f"{part({'alg': rng.choice(['HS256', 'RS256', 'ES256']), 'typ': 'JWT'})}\n{part(claims)}\n{signature}"


def _lines(rng: random.Random, length: int) -> str:
    """Return so many lines of base64 as a key file has them."""
    lines = ["".join(rng.choices(_CLASSES["b64"], k=64)) for _ in range(length)]
    return "\n".join([*lines, "".join(rng.choices(_CLASSES["b64"], k=rng.randint(20, 60))) + "=="])


def _encoded_login(rng: random.Random, _: int) -> str:
    return base64.b64encode(f"{rng.choice(_USERS)}:{_password(rng, 0)}".encode()).decode()


def _uuid(rng: random.Random, _: int) -> str:
    digits = "".join(rng.choices(_CLASSES["hex"], k=30))
    return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15:18]}-{digits[18:30]}"


def _key_bytes(rng: random.Random, length: int) -> str:
    return base64.b64encode(rng.randbytes(length)).decode()


def _mnemonic(rng: random.Random, length: int) -> str:
    return " ".join(rng.choice(_WORDS) + rng.choice("aeiou") for _ in range(length))


_MADE: dict[str, Callable[[random.Random, int], str]] = {
    "pw": _password,
    "quoted": _quoted,
    "jwt": lambda rng, _: _jwt(rng, 0).replace("\n", "."),
    "lines": _lines,
    "login": _encoded_login,
    "uuid": _uuid,
    "bytes": _key_bytes,
    "mnemonic": _mnemonic,
}
_PUBLIC = {
    "user": _USERS,
    "host": _HOSTS,
    "pem": tuple(f"{label}PRIVATE" + " KEY" for label in ("", "RSA ", "EC ", "DSA ", "ENCRYPTED ")),
    "ssh": ("OPENSSH PRIVATE" + " KEY",),
    "pgp": ("PGP PRIVATE" + " KEY BLOCK",),
    "id": ("8231", "c_771", "4410293"),
}
