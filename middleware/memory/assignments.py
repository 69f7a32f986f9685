"""Finds secrets in texts by the names that are said before them, in whatever notation gives a value to a name.

    password=x    "api_key": "x"    \\"token\\": \\"x\\"    --token x    X-Api-Key: x    <secret>x</secret>
    name: DB_PASSWORD, value: x    Cookie: a=b; c=d    the password is x    https://user:x@host    the key x failed

Where a name may be is found in one go; what lies around it is looked at there, and never further than its value.
"""

import re
from collections.abc import Iterator

from middleware.memory.lazy_patterns import LazyPattern
from middleware.memory.secret_names import Secrecy, secrecy

Span = tuple[int, int]

# Finding where a name may be, in ASCII in small letters, in which every character keeps its place. Most texts hold
# none, and have to cost little: so they are searched for rare letters, for parts of words, and for whole words.
_LOWER = bytes(byte + 32 if 65 <= byte <= 90 else byte for byte in range(256))
_LETTERS = bytes(byte if 97 <= byte <= 122 else 32 for byte in _LOWER)
# Each pattern begins with one letter that is meant: such patterns are searched for several times as fast as others.
_RARE = tuple(
    map(
        re.compile,
        (
            rb"k(?:en(?<=token)|ey(?:(?<=[a-z]key)|(?<=[a-z0-9][_ -]key))|ie(?<=cookie))",
            rb"w(?:or[dt](?<=sswor.)|d(?<=pwd)|d(?<=pswd)|ort(?<=nnwort)|t(?<=jwt)|achtwo|ebhook)",
            rb"v(?:[vc](?<=cv.)2?|ate(?<=private))",
            rb"jelszo",
            rb"sess(?:ion|id)",
            rb":(?://|\\+/|(?=\d{4,5}:[a-z*]))",
            rb"%3a%2f%2f",
            rb"\$(?=\d{4,7}\$|apr1\$|2[abxy]?\$|[1567y]\$|argon|scrypt|pbkdf)",
        ),
    )
)
_PARTS = (b"pass", b"secret", b"cred", b"auth")
_WORDS = frozenset(
    b"""
    pin pins pincode otp totp hotp sid sig signature signatures dsn sas bearer basic mnemonic recovery csc phrase csrf
    xsrf code codes connection connectionstring connstr conn pw psw pswd senha mdp parola heslo haslo salasana losenord
    sifre contrasena adgangskode jwe psk curl login identified mysql mysqldump sshpass mot seedphrase cardnumber
    creditcard
    """.split()
)
_FOREIGN = LazyPattern(
    "[Пп]арол[ьяею]|密码|密碼|口令|パスワード|暗証番号|비밀번호|암호|[Cc]ontraseña|[Hh]asło|[Ll]ösenord|[Şş]ifre|[Jj]elszó|"
    "كلمة المرور|كلمة السر|पासवर्ड|סיסמ[הא]|รหัสผ่าน|[Mm]ật khẩu|[Κκ]ωδικός"
)
# What each of them holds: a text of one alphabet does not even have to be searched for a word of another.
_FOREIGN_PARTS = (
    *(
        "арол",
        "密码",
        "密碼",
        "口令",
        "パスワード",
        "暗証番号",
        "비밀번호",
        "암호",
        "ontraseña",
        "asło",
        "ösenord",
        "şifre",
        "Şifre",
    ),
    *("elszó", "كلمة", "पासवर्ड", "סיסמ", "รหัสผ่าน", "ật khẩu", "ωδικός"),
)

_ESCAPED_LETTER = re.compile(rb"\\u00[4-7][0-9a-f]")  # of a name, perhaps

# A name is as long as its characters go on; some say what they are only with the word before.
_NAME_CHARACTERS = b"abcdefghijklmnopqrstuvwxyz0123456789_.-$"
_MAX_NAME = 80
_ESCAPED_NAMES = LazyPattern(
    "|".join(
        "".join(letter if letter.isascii() else rf"(?<!\\)\\++u{ord(letter):04x}" for letter in name)
        for name in (
            *(
                "пароль",
                "Пароль",
                "密码",
                "密碼",
                "パスワード",
                "비밀번호",
                "contraseña",
                "Contraseña",
                "hasło",
                "Hasło",
            ),
            *("lösenord", "şifre", "Şifre", "jelszó", "كلمة المرور", "कूटशब्द", "पासवर्ड", "סיסמה", "รหัสผ่าน", "κωδικός"),
        )
    ),
    flags=re.IGNORECASE,
)
_ON = LazyPattern(r"[\w-]{0,80}+", flags=re.ASCII)
_SECOND_WORDS = frozenset({"key", "keys", "token", "code", "codes", "phrase", "string", "number"})

# Between a name and its value.
_Q = r"\\*[\"'`]"
_BLANKS = r"(?:\s|\\+[nrt])*+"
# A word of letters and digits that has a line to itself.
_ALONE = r"(?=[^\s\\]{0,100}?\d)(?=[^\s\\]{0,100}?[A-Za-z])[^\s:,;(){}<>\"'`=\\]{8,200}+(?:\s*\n|\\|\Z)"
_SIGN = LazyPattern(
    rf"\s*+(?:{_Q}|\]|\*\*|%(?:25){{0,3}}(?:5[dD]|22)){{0,3}}(?:[ ]\[[\w=-]{{1,24}}\]){{0,4}}[ \t]*+"
    rf"(?:=>|:=|={{1,3}}|[:\uff1a]|\\+uff1a|%(?:25){{0,3}}3[dDaA]|->)(?:[ \t\xa0]|\\++u00a0)*+"
    rf"(?:\*\*[ \t]*|%22|(?:</?\w{{1,12}}>[ \t]*){{1,3}}|Some\((?={_Q}))?"
    rf"(?:[|>][+-]?(?:\n|\\+n)\s*|\n\s*(?={_Q})|(?=[ \t\r]*+\n|(?:\\++r)?\\++n){_BLANKS}(?={_ALONE}))?"
)
_TYPED = LazyPattern(rf"[ \t]*:[ \t]*[&\w.<>\[\]|?]{{1,40}}[ \t]+=[ \t]*(?={_Q})")
_PAIR = LazyPattern(
    rf"{_BLANKS}(?:{_Q})?{_BLANKS}[,;]?{_BLANKS}(?:{_Q})?(?i:value|val)(?:{_Q})?\s*[:=]\s*",
    rf"(?:{_Q}\s*/?>)?\s*</\w{{1,20}}>\s*<\w{{1,20}}>",
)
# A part of a form, behind its headers; and a field of a page's form.
_EOL = r"(?:\r?\n|(?:\\++r)?\\++n)"
_PART = LazyPattern(rf"{_Q}(?:;[^\r\n\\]{{0,200}})?(?:{_EOL}[A-Za-z-]{{1,40}}:[^\r\n\\]{{0,200}}){{0,3}}{_EOL}{_EOL}")
_FIELD = LazyPattern(rf"{_Q}(?:\s+[\w-]{{1,20}}(?:={_Q}[^\"'<>\\]{{0,60}}{_Q})?){{0,5}}\s+value=(?={_Q})")
_CHANGED = LazyPattern(rf"(?:{_Q})?[ \t]*->[ \t]*(?={_Q})")
_ALIGNED = LazyPattern(rf"(?:[ \t]{{2,60}}|(?<=[A-Z])[ \t])(?={_ALONE})")
_NEXT_ITEM = LazyPattern(rf"{_Q}\s*,\s*(?={_Q})")
_BLANK = LazyPattern(r"[ \t]+(?=[^\s-])")
_TAG = LazyPattern(r"(?:\s[^<>]{0,200})?>\s*(?:<!\[CDATA\[)?")
_OPEN_QUOTE = LazyPattern(rf"(?:\(\s*|[ \t]+)(?={_Q})")
_IS = LazyPattern(
    r"(?:[ \t]+[a-z]{1,12}){0,3}?[ \t]+(?i:is|was|lautet|ist|est|es|är|er|è|é|\\+u00e9|jest|to)[ \t]*:?[ \t]+",
    r"\s*(?:是|は|为|為|это|\\+u306f|\\+u662f)\s*(?:[「『“”]|\\+u300c)?",
    r"[ \t]*[:=\u2014\u2013-][ \t]*",
)
_NEAR = LazyPattern(
    r"(?P<between>(?:[ \t(\"'`:=*]{1,4}+[a-zA-Z](?:[a-zA-Z]|'(?=[a-zA-Z])){0,19}+){0,4}?)"
    r"[ \t:\"'`=*#]{1,4}(?P<value>[A-Za-z0-9][\w+/=.~-]{15,400})",
    flags=re.ASCII,
)
_ABOUT_SOMETHING = LazyPattern(
    r"(?i:commit|sha|hash|file|path|\bid|uuid|version|http|tool|function|test|module|class|package|branch|digest|checksum)"
)

# The value itself.
_OPENING = LazyPattern(_Q)
_BACKSLASHES = {quote: LazyPattern(rf"(?<!\\)\\*+{quote}") for quote in "\"'`"}
_LIKELY_LIMIT = 512  # characters; what may turn out to be no secret is looked at no further
_LIST = LazyPattern(r"\[[^\[\]]*+|\{[^{}]*+")
_BARE = LazyPattern(r"(?:[^\s\"'`<>\\]|\\(?![nrtu\"'\\])|(?<=\w)[\"'`](?=\w))++")
_BARE_END = LazyPattern(r"[&;,](?=\s*[\w.%\[\]-]{1,40}[=:])|[,;.)\]}」』]+\Z")
_LINE = LazyPattern(r"[^\r\n\"'\\]++")
_SCHEME = LazyPattern(r"(?i:bearer|basic|token|apikey|negotiate|ntlm|dpop)[ \t]+")
_SCHEME_VALUES = LazyPattern(r"[\w-]+[ ]+(?:[ ]*[\w-]+=(?:\\*\"[^\"\\\r\n]*\\*\"|[^\s,\"'\\]+),?)*+[^\s\"'\\]*")
_CODES = LazyPattern(r"(?:(?:\s|[,;*]|\\+n)*(?=[a-z-]{0,30}\d|\w{10}\b)[\w-]{5,30}+)++")
_LONG_SCHEME = LazyPattern(r"(?i:digest|aws4-|oauth|hawk|signature|sharedkey|mac )")
# What is said in a value's place: where it comes from, its type, what is wrong with it, or how a sentence goes on.
_PLACEHOLDER = LazyPattern(
    r"\$\{[^}]*\}|\$\(?[A-Za-z_]\w*\)?|\{\{[^}]*\}*|\{[a-z_]\w*\}|%\(?\w+\)?[s%]|<[\w -]+>?|\[[a-zA-Z ]+\]?",
    r"[*xX•.…]{3,}",
    r"(?:process\.env|os\.environ|os\.getenv|env|secrets|vars|settings|config|args|self|this|request|req|params|opts)"
    r"(?:\.[A-Za-z_]+|\[.*|\(.*)+",
    r"[A-Za-z_]+(?:\.[A-Za-z_]+)*[(\[].*",
    r"(?i:none|null|nil|true|false|undefined|str|string|text|number|int|integer|bool|boolean|any|object|array|bytes|"
    r"optional|required|redacted|hidden|masked|missing|invalid|expired|empty|unset|n/?a|unknown|disabled|enabled|not|an?|"
    r"the|wrong|incorrect|ok|and|or|in|for|from|must|should|may|can|will|with|your|our|this|that|it|is|to|of|on|if|when|"
    r"yes|no|they|these|those|see|await|new|function|return|which|what|how|are|has|have|we|you|i)[.,;:!?)]*",
    flags=re.DOTALL,
)
# Where a value comes from, in workflows, shells and Terraform; it may hold blanks, unlike a value without quotes.
_REFERENCE = LazyPattern(
    r"\$\{\{?\s{0,3}[A-Za-z_][\w.:/-]{0,200}\s{0,3}\}"
    r"|(?:\$[A-Z_][A-Z0-9_]{2,60}|(?:var|local|module|data|secrets)\.[A-Za-z_][\w.]{0,100})(?![^\s\"'`,;)\\])"
)
_PUBLIC_KEY = LazyPattern(r"ssh-|ecdsa-sha2|-----BEGIN (?:[A-Z0-9 ]*PUBLIC|CERT|PGP (?:MESS|SIG))")
_NUMBER = LazyPattern(r"-?\d+(?:\.\d+)?\Z")
_WORD_LIKE = LazyPattern(r"[^\W\d_]?[^\W\d_A-Z]*[.,;:!?)]*\Z|[A-Z]+[.,;:!?)]*\Z")
_TIME_OR_PLACE = LazyPattern(r"\d{4}-\d\d-\d\d|https?:\\?/|[/~.]|[\w.+-]+@[\w.-]+\Z")

# Where the notation itself says that a secret comes, without a name.
_URL = LazyPattern(r":\\*/\\*/")
_URL_REST = LazyPattern(r"[^\s\"'`<>]++")
_URL_LIMIT = 512  # characters
# A password's hash; a line of a .pgpass file.
_SAID_BY_SHAPE = LazyPattern(
    r"\$(?:2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}|(?:1|5|6|y|7|apr1|argon2\w*|scrypt|pbkdf2[\w-]*)\$[\w$./,=+-]{16,}|\d{4,7}\$[\w./]+\$[\w+/=]{20,})",
    r":[1-9]\d{3,4}:(?![0-9a-f]{1,4}:[0-9a-f]{1,4}:)[^:\s\"']{1,64}:[^:\s\"']{1,64}:(?P<password>[^\s\"'\\:]{4,})",
)
_COMMAND_WORDS = frozenset({b"curl", b"login", b"identified", b"mysql", b"mysqldump", b"sshpass", b"bearer", b"basic"})
_COMMANDS = LazyPattern(
    r"curl\b[^\n|;]{0,400}?\s(?:-u|--user|--proxy-user)[ =]*[\"']?[^\s:\"']{1,200}:(?P<user>[^\s\"']+)",
    r"(?i:identified by)\s+(?:(?i:password)\s+)?['\"](?P<sql>[^'\"]+)",
    r"(?:mysql|mysqldump)\b[^\n|;]{0,200}?\s-p(?P<mysql>[^\s'\"]+)",
    r"login\b[^\n|;]{0,200}?\s(?:-p|--password)[ =]\s*['\"]?(?P<login>[^\s'\"]+)",
    r"login\s+\S{1,100}\s+password\s+(?P<netrc>[^\s'\"\\]+)",
    r"sshpass\s+-p\s*['\"]?(?P<ssh>[^\s'\"]+)",
    r"(?i:bearer|basic)\s+(?P<scheme>[\w.~+/=-]{8,}+)",
)
_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token"})


def lower(ascii_bytes: bytes) -> bytes:
    """Return a text's ASCII bytes in small letters."""
    return ascii_bytes.translate(_LOWER)


def may_name_secret(text: str, lowered: bytes) -> bool:
    """Return whether `text` says anything that a secret's name holds; `lowered` is its ASCII in small letters."""
    return (
        any(pattern.search(lowered) for pattern in _RARE)
        or any(map(lowered.__contains__, _PARTS))
        or not _WORDS.isdisjoint(lowered.translate(_LETTERS).split())
        or (not text.isascii() and any(map(text.__contains__, _FOREIGN_PARTS)) and _FOREIGN.search(text) is not None)
        or (b"\\u00" in lowered and _ESCAPED_LETTER.search(lowered) is not None)
        or (b"\\u" in lowered and _ESCAPED_NAMES.search(text) is not None)
    )


def named_secrets(text: str, lowered: bytes) -> Iterator[Span]:
    """Yield where in `text` the values lie that are given to a secret's name, from left to right or nearly so."""
    done = 0
    for start, end in _hints(lowered):
        if start < done:
            continue
        hint = lowered[start:end]
        if hint in (b"$", b":"):
            found = _SAID_BY_SHAPE.match(text, start)
            span = found.span(found.lastgroup or 0) if found else None
        elif hint[:1] in (b":", b"%"):
            span = _in_url(text, end + hint.endswith(b"\\/"))
        elif hint in _COMMAND_WORDS:
            span = _in_command(text, start)
        else:
            name = _name(text, lowered, start, end)
            done = name[1]
            span = _after_name(text, *name)
        while span is not None:
            done = max(done, span[1])
            yield span
            changed = _CHANGED.match(text, span[1])
            span = _value(text, changed.end(), Secrecy.CERTAIN, "") if changed else None
    for names, is_there in ((_FOREIGN, not text.isascii()), (_ESCAPED_NAMES, b"\\u" in lowered)):
        done = 0
        for found in names.finditer(text) if is_there else ():
            span = _after(text, found.end(), Secrecy.NUMBER, found[0]) if found.start() >= done else None
            if span is not None:
                done = span[1]
                yield span


def passwords_in_urls(text: str) -> Iterator[Span]:
    """Yield where in `text` the passwords of URLs lie."""
    for found in _URL.finditer(text):
        span = _in_url(text, found.end())
        if span is not None:
            yield span


def _hints(lowered: bytes) -> list[Span]:
    found = [hint.span() for pattern in _RARE for hint in pattern.finditer(lowered)]
    letters = lowered.translate(_LETTERS)
    words = _WORDS.intersection(letters.split())
    for part in (*filter(lowered.__contains__, _PARTS), *words):
        start = letters.find(part)
        while start >= 0:
            end = start + len(part)
            if part not in words or not (letters[max(0, start - 1) : start].strip() or letters[end : end + 1].strip()):
                found.append((start, end))
            start = letters.find(part, end)
    return sorted(found)


def is_secret_value(kind: Secrecy, value: str) -> bool:
    """Return whether `value`, under a name of that kind, is a secret; a placeholder is not, nor is what says a type."""
    if kind == Secrecy.NONE or not value or (len(value) < _LIKELY_LIMIT and _PLACEHOLDER.fullmatch(value)):
        return False
    if _PUBLIC_KEY.match(value):
        return False
    if kind == Secrecy.NUMBER:
        return True
    if _NUMBER.match(value):
        return len(value) >= (6 if kind == Secrecy.CERTAIN else 4)
    return kind == Secrecy.CERTAIN or (
        len(value) >= 6
        and not _TIME_OR_PLACE.match(value)
        and not any(map(str.isspace, value))
        and (any(map(str.isdigit, value)) or not (_WORD_LIKE.match(value) or len(value) < 12))
    )


def is_plain_word(value: str) -> bool:
    """Return whether `value` is a word like any other."""
    return _WORD_LIKE.match(value) is not None


def _name(text: str, lowered: bytes, start: int, end: int) -> Span:
    """Return the whole name of which a part was found."""
    on = _ON.match(text, end)
    end = on.end() if on else end
    start = _word_start(lowered, start)
    if text[start:end].lower() in _SECOND_WORDS and text[start - 1 : start] == " ":
        start = _word_start(lowered, start - 1)
    return start, end


def _word_start(lowered: bytes, end: int) -> int:
    before = lowered[max(0, end - _MAX_NAME) : end]
    return end - len(before) + len(before.rstrip(_NAME_CHARACTERS))


def _after_name(text: str, start: int, end: int) -> Span | None:
    name = text[start:end].rstrip("-")
    kind = secrecy(name)
    if name == "passe" and text[max(0, start - 7) : start].lower() == "mot de ":
        kind = Secrecy.NUMBER
    if kind == Secrecy.NONE:
        return None
    end = start + len(name)
    if name.startswith("-") or text[max(0, start - 1) : start] == "-":
        blank = _BLANK.match(text, end)
        if blank:
            return _value(text, blank.end(), kind, name)
    if text[max(0, start - 1) : start] in ("<", ":"):
        tag = _TAG.match(text, end)
        if tag and not _is_harmless(text, tag.end(), kind):
            close = text.find("<", tag.end())
            value_end = close if close >= 0 else len(text)
            value = text[tag.end() : value_end]
            return (tag.end(), value_end) if is_secret_value(kind, value.strip()) else None
    return _after(text, end, kind, name)


def _after(text: str, end: int, kind: Secrecy, name: str) -> Span | None:
    if name.startswith("$") and text[end : end + 1] == ":":
        return None  # a shell's variable, in a list of paths
    for notation in (_TYPED, _SIGN, _PAIR, _PART, _FIELD, _OPEN_QUOTE):
        given = notation.match(text, end)
        if given:
            return _value(text, given.end(), kind, name)
    if text[max(0, end - len(name) - 2) : end - len(name)] == "--":
        blank = _BLANK.match(text, end)
        if blank:
            return _value(text, blank.end(), kind, name)
    item = _NEXT_ITEM.match(text, end)
    if item and (name.startswith("-") or name.isupper() or name.lower() in _HEADERS):
        return _value(text, item.end(), kind, name)
    if kind == Secrecy.LIKELY:
        return None
    aligned = _ALIGNED.match(text, end)
    if aligned:
        return _value(text, aligned.end(), kind, name)
    said = _IS.match(text, end)
    # Words upon words, however many, are no secret: as in `_is_harmless`, they are not read to their end.
    if said and not _WORD_LIKE.match(text, said.end(), said.end() + _LIKELY_LIMIT):
        span = _value(text, said.end(), kind, name)
        if span and (text[span[0] - 1] in "\"'`" or not _WORD_LIKE.match(text, span[0], span[1])):
            return span
    near = _NEAR.match(text, end)
    if near and any(map(str.isdigit, near["value"])) and not _ABOUT_SOMETHING.search(near["between"]):
        return near.span("value")
    return None


def _value(text: str, start: int, kind: Secrecy, name: str) -> Span | None:
    """Return where the value lies that begins at `start`, without its quotes, if it is a secret."""
    if text.startswith("[redacted", start):
        return None
    opening = _OPENING.match(text, start)
    if opening:
        start = opening.end()
        if _is_harmless(text, start, kind):
            return None
        limit = len(text) if kind >= Secrecy.CERTAIN else start + _LIKELY_LIMIT
        end = _closing(text, opening[0], start, limit)
    else:
        scheme = _SCHEME.match(text, start)
        start = scheme.end() if scheme else start
        if _is_harmless(text, start, kind):
            return None
        end = _list_end(text, start, kind) or _bare_end(text, start, name, is_certain=kind >= Secrecy.CERTAIN)
        if end - start < _LIKELY_LIMIT and _is_itself(text[start:end], name):
            return None
    return (start, end) if is_secret_value(kind, text[start:end]) else None


def _is_harmless(text: str, start: int, kind: Secrecy) -> bool:
    """Return whether the value that begins at `start` is no secret however it goes on. What is said many times in a
    long text must not be read to its end each time."""
    return (
        text.startswith("[redacted", start)
        or _PUBLIC_KEY.match(text, start) is not None
        or _REFERENCE.match(text, start) is not None
        or (kind == Secrecy.LIKELY and _TIME_OR_PLACE.match(text, start, start + _LIKELY_LIMIT) is not None)
    )


def _list_end(text: str, start: int, kind: Secrecy) -> int | None:
    if kind < Secrecy.CERTAIN or text[start : start + 1] not in ("[", "{"):
        return None
    found = _LIST.match(text, start, start + _LIKELY_LIMIT)
    return _end(_LIST, text, start) if found and '"' in found[0] else None


def _closing(text: str, quote: str, start: int, limit: int) -> int:
    """Return where the text ends that `quote`, with its backslashes, opened; `limit`, if it does not."""
    depth = len(quote) - 1
    for found in _BACKSLASHES[quote[-1]].finditer(text, start, limit):
        count = len(found[0]) - 1
        if count <= depth if depth else count % 2 == 0:
            return found.start() + (0 if depth else count)
    return min(limit, len(text))


def _bare_end(text: str, start: int, name: str, *, is_certain: bool) -> int:
    """Return where a value without quotes ends, `start` if there is none."""
    last = re.split(r"[-_]", name.lower())[-1]
    if last.startswith("cookie"):
        return _end(_LINE, text, start) if text.find("=", start, start + _LIKELY_LIMIT) > 0 else start
    if "phrase" in last or last == "mnemonic":
        return _end(_LINE, text, start)
    if _LONG_SCHEME.match(text, start):
        # Of what is only likely, blanks tell that it is no secret, and so its beginning does.
        return _end(_SCHEME_VALUES, text, start, len(text) if is_certain else start + _LIKELY_LIMIT)
    if last.endswith("codes") and _CODES.match(text, start):
        return _end(_CODES, text, start)
    near = _BARE.match(text, start, start + _LIKELY_LIMIT)
    if near is None:
        return start
    # In an .env file, a value may hold anything.
    is_env = name.isupper() and text[start - 1] == "="
    stop = None if is_env else _BARE_END.search(text, start, near.end())
    return stop.start() if stop else _end(_BARE, text, start)


def _end(pattern: LazyPattern, text: str, start: int, limit: int | None = None) -> int:
    found = pattern.match(text, start, len(text) if limit is None else limit)
    return found.end() if found else start


def _is_itself(value: str, name: str) -> bool:
    """Return whether code hands something on under its own name: `token=token`, `api_key = self.api_key`."""
    last = re.sub(r"[\W_]", "", value.rpartition(".")[2]).lower()
    return bool(last) and re.sub(r"[\W_]", "", name).lower().endswith(last) and not last.isdigit()


def _in_url(text: str, start: int) -> Span | None:
    """Return where the password, or a long name of a user, lies in the URL whose "://" ends before `start`."""
    if text.find("@", start, start + _URL_LIMIT) < 0:
        return None
    rest = _URL_REST.match(text, start, start + _URL_LIMIT)
    if rest is None or "@" not in rest[0]:
        return None
    authority = re.split(r"[/?#]", rest[0], maxsplit=1)[0]
    if "@" not in authority:
        user, colon, after = authority.partition(":")
        if not colon or after.isdigit() or not user:
            return None
        authority = rest[0]  # a password may hold what ends it
    info = authority.rpartition("@")[0]
    user, colon, password = info.partition(":")
    if colon and password:
        begin = start + len(user) + 1
        return (
            None
            if password.startswith("[redacted") or _PLACEHOLDER.fullmatch(password)
            else (begin, begin + len(password))
        )
    if len(user) >= 16 and any(map(str.isdigit, user)):
        return start, start + len(user)
    return None


def _in_command(text: str, start: int) -> Span | None:
    found = _COMMANDS.match(text, start)
    if found is None or found.lastgroup is None or found[found.lastgroup].startswith("[redacted"):
        return None
    if found.lastgroup == "scheme" and _WORD_LIKE.match(found["scheme"]):
        return None
    return found.span(found.lastgroup)
