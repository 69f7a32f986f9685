"""What secrets look like by themselves: the prefixes that vendors document, private keys, JSON web tokens.

Finding where a token may begin is cheaper than trying all prefixes everywhere, so the patterns here are matched at the
beginnings of words, which `words` finds without `re`.
"""

import re
from collections.abc import Iterator

from middleware.memory.lazy_patterns import LazyPattern

LONG_WORD = 16  # characters; no token here is shorter
_IN_WORD = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-+/="
_MASK = bytes(ord("x") if chr(byte) in _IN_WORD else ord(" ") for byte in range(256))
_RUN = b"x" * LONG_WORD

_JWT = r"eyJ[\w-]{5,}+\.[\w-]{5,}+(?:\.[\w-]*+)*+"
_SHAPES = (
    _JWT,
    # Code hosting and packages
    *(r"gh[oprsu]_\w{16,}", r"github_pat_\w{16,}", r"gl(?:pat|ptt|rt|dt|soat|cbt|ft|imt|agent|oas|ffct)-[\w.-]{16,}"),
    *(r"GR1348941[\w-]{16,}", r"ATBB\w{24,}", r"AT[AC]TT3[\w=-]{20,}", r"npm_\w{30,}", r"pypi-[\w-]{16,}"),
    *(r"rubygems_[0-9a-f]{40,}", r"oy2[a-z0-9]{43}", r"dckr_(?:pat|oat)_[\w-]{20,}", r"AKCp\w{60,}"),
    *(
        r"cmVmd\w{55,}",
        r"sgp_\w{16,}",
        r"CCIP(?:AT|RT)_\w{20,}",
        r"bkua_\w{30,}",
        r"jfrt@\w+",
        r"sntry[su]_[\w+/=-]{20,}",
    ),
    # Clouds
    *(r"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}\b", r"ABSK[\w+/=]{40,}", r"amzn\.mws\.[0-9a-f-]{36}", r"AIza[\w-]{30,}"),
    *(r"GOCSPX-[\w-]{20,}", r"ya29\.[\w.-]{16,}", r"1//0[\w-]{20,}", r"GOOG[\w]{20,}", r"LTAI\w{12,}", r"AKID\w{32}"),
    *(
        r"do[oprt]_v1_[0-9a-f]{32,}",
        r"HRKU-[\w-]{30,}",
        r"dapi[0-9a-f]{32}(?:-\d)?",
        r"dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{20,}",
    ),
    *(
        r"hv[sbr]\.[\w-]{20,}",
        r"s\.[A-Za-z0-9]{24}\b",
        r"\w{14}\.atlasv1\.[\w=-]{40,}",
        r"pul-[0-9a-f]{40}",
        r"fo1_[\w-]{30,}",
    ),
    *(
        r"fm[12][ar]?_[\w+/=,-]{30,}",
        r"nfp_\w{30,}",
        r"vc[pkiar]_\w{20,}",
        r"pscale_(?:tkn|pw|oauth)_[\w=.-]{20,}",
        r"sb[pv]_[0-9a-f]{32,}",
    ),
    *(
        r"sb_(?:secret|publishable)_[\w-]{20,}",
        r"t1\.[\w-]+=*\.[\w-]{80,}",
        r"y[0-3]_[\w-]{50,}",
        r"AQVN[\w-]{35,}",
        r"cf[ku]t?_\w{30,}",
    ),
    *(
        r"v1\.0-[0-9a-f]{20,}-[0-9a-f]{100,}",
        r"ocid1\.\w+\.[\w.]{100,}",
        r"EZ[AT]K[0-9a-zA-Z]{50,}",
        r"A3-[A-Z0-9]{6}-[A-Z0-9-]{20,}",
    ),
    *(r"ops_eyJ[\w=+/-]{50,}", r"rnd_\w{28,}", r"\w{3}\dQ~[\w~.-]{31,34}", r"nvapi-[\w-]{40,}"),
    # Models
    *(
        r"sk-(?=[\w-]*\d)[\w-]{16,}",
        r"hf_\w{20,}",
        r"api_org_\w{20,}",
        r"gsk_\w{20,}",
        r"xai-\w{20,}",
        r"r8_\w{20,}",
        r"pplx-\w{20,}",
    ),
    *(
        r"tvly-[\w-]{16,}",
        r"pcsk_\w{30,}",
        r"lsv2_(?:pt|sk)_\w{20,}",
        r"jina_\w{40,}",
        r"fw_\w{20,}",
        r"fc-[0-9a-f]{32}",
    ),
    *(r"sk_[0-9a-f]{40,}", r"esecret_\w{20,}", r"tgp_v1_[\w-]{20,}", r"bce-v3/[\w/-]{20,}", r"AQ\.A[\w-]{30,}"),
    # Talking
    *(
        r"xox[a-z](?:\.xox[a-z])?-[\w-]{10,}",
        r"xapp-\d-[\w-]{20,}",
        r"SG\.[\w-]{16,}\.[\w-]{16,}",
        r"key-[0-9a-f]{32}",
        r"SK[0-9a-f]{32}\b",
    ),
    *(
        r"[0-9a-f]{32}-us\d{1,2}\b",
        r"xkeysib-[0-9a-f]{60,}-\w+",
        r"xsmtpsib-[0-9a-f]{60,}-\w+",
        r"\d{8,10}(?::|%3[aA])AA[\w-]{32,34}",
    ),
    *(
        r"[MNO][A-Za-z\d_-]{23,27}\.[\w-]{6,7}\.[\w-]{27,}",
        r"mfa\.[\w-]{80,}",
        r"EAA[A-Za-z0-9]{30,}",
        r"IG[A-Z]{2}[A-Za-z0-9]{60,}",
    ),
    *(
        r"AAAAAAAAAAAAAAAAAAAAA[\w%-]{30,}",
        r"AAAA[\w-]{7}:[\w-]{140}",
        r"re_[A-Za-z0-9]{6,}_[A-Za-z0-9]{16,}",
        r"pat-(?:na|eu)1-[0-9a-f-]{30,}",
    ),
    # Money and shops
    *(
        r"[rs]k_(?:live|test|prod|org)_\w{10,}",
        r"whsec_[\w+/=]{16,}",
        r"(?:pi|seti)_\w+_secret_\w{10,}",
        r"shp(?:at|ca|pa|ss|it|rt|tka|ua)_[0-9a-fA-F]{20,}",
    ),
    *(
        r"sq0(?:atp|csp|idp)-[\w-]{20,}",
        r"EAAA[\w-]{56,}",
        r"access_token(?:\$|%24)[a-z]+(?:\$|%24)[0-9a-z]{10,}(?:\$|%24)[0-9a-f]{32}",
        r"pdl_(?:live|sdbx)_\w{20,}",
    ),
    *(
        r"flw(?:pub|sec)k-[0-9a-z-]{20,}",
        r"FLW(?:PUB|SEC)K(?:_TEST)?-[\w-]{20,}",
        r"(?:live|test)_[a-zA-Z0-9]{30,}",
        r"p8e-\w{30,}",
        r"duffel_(?:test|live)_[\w=-]{40,}",
    ),
    *(
        r"shippo_(?:live|test)_[0-9a-f]{20,}",
        r"rzp_(?:live|test)_\w{10,}",
        r"APP_USR-[\w-]{40,}",
        r"TEST-\d{10,}-\d{6}-[\w-]{30,}",
    ),
    # Work and looking after it
    *(
        r"secret_[A-Za-z0-9]{40,}",
        r"ntn_\w{30,}",
        r"lin_(?:api|oauth)_\w{20,}",
        r"fig[dour]_[\w-]{20,}",
        r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}",
    ),
    *(
        r"ph[xs]_\w{20,}",
        r"NR(?:AK|AA|II|JS|SP)-[\w-]{20,}",
        r"gl(?:sa|c)_[\w+/=]{20,}",
        r"dt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64}",
        r"PMA[KT]-[\w-]{20,}",
    ),
    *(
        r"tfp_\w{30,}",
        r"CFPAT-[\w-]{40,}",
        r"sl\.(?:u\.)?[\w-]{40,}",
        r"API-[A-Z0-9]{24,}",
        r"rdme_\w{40,}",
        r"perm[:-][\w=.-]{30,}",
        r"ATOA\w{20,}",
    ),
    *(
        r"sk\.eyJ[\w-]+\.[\w-]{16,}",
        r"fio-u-[\w=-]{40,}",
        r"aio_\w{28}",
        r"zpka_\w{20,}",
        r"apify_api_\w{20,}",
        r"ddp_\w{20,}",
    ),
    *(r"secret-token:[\w%.~-]{10,}", r"pk_\d{6,}_[A-Z0-9]{20,}", r"u-s4t2(?:ud|af)-\w{20,}", r"xo[ex][a-z]-[\w-]{20,}"),
    *(
        r"sk_[a-z]+_[\w-]{20,}",
        r"tk-us-[\w-]{40,}",
        r"ctx7sk-[\w-]{20,}",
        r"tr_(?:dev|prod|pat)_\w{16,}",
        r"e2b_\w{30,}",
    ),
    # Keys and hashes of passwords
    *(
        r"AGE-SECRET-KEY-1[A-Z0-9]{40,}",
        r"[xyz]prv[1-9A-HJ-NP-Za-km-z]{90,}",
        r"nsec1[a-z0-9]{50,}",
        r"ed25519:[\w+/=]{40,}",
    ),
    *(r"MI[IGE][A-Za-z0-9+/]{3}IBA[A-Za-z0-9+/=]{40,}",),
)
_SHAPE = LazyPattern(*_SHAPES, flags=re.ASCII)
# So telling that they count in the middle of a word too, where an escape or a prefix of somebody's own stands before.
_INNER = LazyPattern(
    r"gh[oprsu]_[A-Za-z0-9]{30,}|github_pat_\w{16,}|glpat-[\w-]{16,}|A(?:KIA|SIA)[A-Z0-9]{16}(?![A-Z0-9])|AIza[\w-]{35}"
    r"|xox[abeoprs]-[\w-]{10,}|s(?:k-(?:proj|ant|or|svcacct)-[\w-]{16,}|k_(?:live|test)_\w{10,})|rk_(?:live|test)_\w{10,}"
    r"|npm_[A-Za-z0-9]{36}|hf_[A-Za-z0-9]{34}|dapi[0-9a-f]{32}|do[oprt]_v1_[0-9a-f]{64}|whsec_[\w+/=]{30,}",
    flags=re.ASCII,
)
_HEAD = LazyPattern(r"[\w.$:%~]{1,32}\Z", flags=re.ASCII)  # of a token that has a dot or the like: `SG.`, `hvs.`
# Words, identifiers, numbers, hashes and UUIDs, joined by anything: no token, but that a hash behind a word may be one.
_GUARD = r"(?!xox|[srp]k[-_]|gh[a-z]_|git|gl[a-z]+-|npm_|pypi|key-|pat-|hf_|AIza|AKIA|ASIA|SK)"
_VENDORS = (
    "[srp]k_|gh[a-z]_|hf_|npm_|sgp_|sntry|vc[a-z]_|gsk_|fw_|esecret_|whsec_|shp[a-z]+_|fig[a-z]_|ph[a-z]_|glc_|glsa_"
    "|zpka_|ddp_"
)
_UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_PLAIN_TEXT = (
    # What is most frequent comes first, because it is found sooner so: hashes, UUIDs, paths in small letters.
    rf"[0-9a-f]++\Z|[0-9A-F]++\Z|(?<!\.){_UUID}\Z|(?:{_GUARD}[a-z]{{1,14}}+(?:[_-][a-z]{{1,14}}+)*+(?:/|\Z))++\Z"
    rf"|(?:{_GUARD}"
    r"(?:(?:(?:[A-Z]?[a-z]{2,14}+|[A-Z]{2,14}+)++\d{0,4}+|\d{1,14}+[a-zA-Z]?+|[a-zA-Z]\d{0,14}+)(?:[_-]++|(?=[/=+])|\Z)"
    rf"|(?<![_-])(?:(?<!\.){_UUID}|[0-9a-f]{{7,64}})(?![\w-]))++(?:[/=+]++|\Z))++\Z"
    # What many services call their objects, `cus_...`, where no vendor's token begins so, nor one inside it.
    rf"|(?!{_VENDORS}|[a-z]+_[A-Za-z0-9]*?(?:A[KS]IA|AIza|dapi))[a-z]{{2,8}}_[A-Za-z0-9]{{14,24}}\Z"
)
_PLAIN = re.compile(_PLAIN_TEXT.encode())
_ESCAPED_BLANK = re.compile(rb"\\[nrt]")
_ESCAPE = LazyPattern(r"\\+(?:[bf]|u[0-9a-fA-F]{4})|%[0-9a-fA-F]{2}")
_REST = LazyPattern(r"[\w-]*+", flags=re.ASCII)
_BEFORE = LazyPattern(r"(?<![\w-])[\w-]++\Z", flags=re.ASCII)
_LATER_STARTS = LazyPattern(r"[/=+](?=[\w-]{8})", flags=re.ASCII)


def in_ascii(text: str) -> bytes:
    """Return `text`, every character in its place, with "?" for what is not ASCII, and blanks for escaped ones."""
    ascii_bytes = text.encode("ascii", "replace")
    # Else the line that begins behind one would seem to begin with an "n".
    return _ESCAPED_BLANK.sub(b"  ", ascii_bytes) if b"\\" in ascii_bytes else ascii_bytes


def may_hold_token(ascii_bytes: bytes) -> bool:
    """Return whether any long word in a text is no plain one; `ascii_bytes` is as `in_ascii` gives it."""
    mask = ascii_bytes.translate(_MASK)
    start = mask.find(_RUN)
    while start >= 0:
        end = mask.find(b" ", start)
        end = len(mask) if end < 0 else end
        if not _PLAIN.match(ascii_bytes, start, end):
            return True
        start = mask.find(_RUN, end)
    return False


def long_words(text: str, ascii_bytes: bytes) -> Iterator[tuple[int, int]]:
    """Yield where in `text` the words lie that could hold a token: long ones that are no plain words.

    `ascii_bytes` is as `in_ascii` gives it.
    """
    mask = ascii_bytes.translate(_MASK)
    start = mask.find(_RUN)
    while start >= 0:
        end = mask.find(b" ", start)
        end = len(mask) if end < 0 else end
        escape = _ESCAPE.match(text, start - 1) if start and text[start - 1] in "\\%" else None
        first = min(escape.end(), end) if escape else start
        if not _PLAIN.match(ascii_bytes, first, end):
            yield first, end
        start = mask.find(_RUN, end)


def shape_in(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return where the first token of a known shape lies that begins in the word `text[start:end]`; it may go on."""
    head = _HEAD.search(text, max(0, start - 32), start)
    if head:
        found = _SHAPE.match(text, head.start() + (text[max(0, head.start() - 1)] == "\\"))
        if found and found.end() > start:
            return _whole(text, found)
    found = _SHAPE.match(text, start)
    if found:
        return _whole(text, found)
    for piece in _LATER_STARTS.finditer(text, start, end):
        found = _SHAPE.match(text, piece.end())
        if found:
            return _whole(text, found)
    found = _INNER.search(text, start, min(end, start + 2000))
    if found is None:
        return None
    before = _BEFORE.search(text, start, found.start())
    return before.start() if before else found.start(), _whole(text, found)[1]


def _whole(text: str, found: re.Match[str]) -> tuple[int, int]:
    """Return where a token lies, with the rest of its word: vendors change lengths, and half of one is too much."""
    rest = _REST.match(text, found.end())
    return found.start(), rest.end() if rest else found.end()
