"""Values that are no secrets, of many categories, each under a key as real tools have it.

What only identifies is harmless, however random it looks: object ids, digests, cursors, public keys, addresses on a
block chain, account numbers. Left out are publishable keys (`pk_live_...`) and cross-site tokens: to take them out does
no harm, and to leave them in does none either.
"""

import base64
import hashlib
import json
import random
import re
import string
import uuid
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tests.middleware.secrets.prose import LANGUAGES, sentence

ALNUM = string.ascii_letters + string.digits
URL = ALNUM + "-_"
_LOW = string.ascii_lowercase + string.digits
HEX = "0123456789abcdef"
_B58 = "".join(sorted(set(ALNUM) - set("0OIl")))
_B32 = string.ascii_lowercase + "234567"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
WORDS = [
    "report",
    "invoice",
    "summary",
    "draft",
    "meeting",
    "budget",
    "harbour",
    "garden",
    "weather",
    "kitchen",
    "station",
    "bridge",
    "library",
    "museum",
    "forest",
    "traffic",
    "holiday",
    "market",
    "village",
    "engine",
    "camera",
    "ticket",
    "ladder",
    "mirror",
    "planet",
    "window",
    "yellow",
    "silver",
    "rapid",
    "quiet",
    "central",
]
_NAMES = [
    "Ann Keller",
    "José Álvarez",
    "Søren Østergård",
    "Mary O'Brien",
    "李小龙",
    "Владимир Петров",
    "Fatima Al-Zahra",
    "Nguyễn Văn An",
]
_HOSTS = (
    "example.com",
    "docs.acme.io",
    "www.uni-muenster.de",
    "shop.example.co.uk",
    "en.wikipedia.org",
    "cdn.site.net",
)

Rng = random.Random
Category = tuple[tuple[str, ...], Callable[[Rng], Any]]


class Harmless(NamedTuple):
    """A value that must be written as it is, under a key that belongs to it."""

    category: str
    key: str
    value: Any


def harmless_values(seed: int, count: int = 10_000, categories: Mapping[str, Category] | None = None) -> list[Harmless]:
    """Return `count` different values, the categories in turn."""
    rng = random.Random(seed)
    found: list[Harmless] = []
    seen: set[str] = set()
    while len(found) < count:
        for category, (keys, make) in (categories or CATEGORIES).items():
            value = make(rng)
            spelled = json.dumps(value)
            # What has few values (a version, a MIME type) comes again under other keys; what has many does not.
            key = rng.choice(keys)
            if (key + spelled) not in seen or rng.random() < 0.2:
                seen.add(key + spelled)
                found.append(Harmless(category, key, value))
    return found[:count]


def _of(alphabet: str, length: int) -> Callable[[Rng], str]:
    return lambda rng: "".join(rng.choices(alphabet, k=length))


def some(rng: Rng, alphabet: str, length: int) -> str:
    return "".join(rng.choices(alphabet, k=length))


def one(*values: str) -> Callable[[Rng], Any]:
    """Return a maker that picks one of `values` and fills in what `_FILLINGS` names."""

    def make(rng: Rng) -> str:
        return _FILL.sub(lambda match: _FILLINGS[match[1]](rng), rng.choice(values))

    return make


def _digest(name: str) -> Callable[[Rng], str]:
    return lambda rng: hashlib.new(name, rng.randbytes(8)).hexdigest()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _uuid(rng: Rng) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _words(rng: Rng, count: int) -> str:
    return " ".join(rng.choices(WORDS, k=count))


def _png(rng: Rng) -> str:
    return _b64(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + rng.randbytes(rng.randint(200, 900)))


def _cursor(rng: Rng) -> str:
    return _b64(json.dumps({"offset": rng.randrange(9999), "last": rng.choice(WORDS)}).encode())


def _isbn(rng: Rng) -> str:
    digits = [9, 7, 8, *(rng.randrange(10) for _ in range(9))]
    check = -sum(digit * (3 if index % 2 else 1) for index, digit in enumerate(digits)) % 10
    text = "".join(map(str, digits)) + str(check)
    return rng.choice([text, f"{text[:3]}-{text[3]}-{text[4:8]}-{text[8:12]}-{text[12]}"])


def _iban(rng: Rng) -> str:
    digits = some(rng, string.digits, 20)
    return rng.choice(
        [f"DE{digits}", f"DE{digits[:2]} {digits[2:6]} {digits[6:10]} {digits[10:14]} {digits[14:18]} {digits[18:]}"]
    )


def _polyline(rng: Rng) -> str:
    return "".join(chr(rng.randint(63, 126)) for _ in range(rng.randint(20, 80)))


def _log(rng: Rng) -> str:
    when = (
        f"2026-11-{rng.randint(1, 28):02}T{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:07.{rng.randint(100, 999)}Z"
    )
    return rng.choice(
        [
            f"{when} INFO request_id={_uuid(rng)} method=GET path=/v1/{rng.choice(WORDS)} status=200 duration={rng.randint(1, 900)}ms",
            f'10.0.{rng.randint(0, 255)}.{rng.randint(0, 255)} - - [{when}] "GET /{rng.choice(WORDS)}.html HTTP/1.1" 200 {rng.randint(99, 99999)}',
            f"[{when}] WARN  c.a.s.{rng.choice(WORDS).title()}Service - retry {rng.randint(1, 9)} of 10 after timeout",
            f"{when} kernel: [{rng.randint(1, 99999)}.{rng.randint(100000, 999999)}] eth0: link up",
            f'trace_id={some(rng, HEX, 32)} span_id={some(rng, HEX, 16)} level=debug msg="{_words(rng, 4)}"',
        ]
    )


def _git_diff(rng: Rng) -> str:
    word = rng.choice(WORDS)
    return f"diff --git a/{word}.py b/{word}.py\nindex {some(rng, HEX, 7)}..{some(rng, HEX, 7)} 100644\n@@ -{rng.randint(1, 99)},7 +12,9 @@\n-    {word} = None\n+    {word} = {rng.choice(WORDS)}()"


def _mail_id(rng: Rng) -> str:
    return f"<{some(rng, ALNUM, 22)}.{rng.randrange(10**9)}@mail.{rng.choice(_HOSTS)}>"


def _address(rng: Rng) -> str:
    return rng.choice(
        [
            f"{rng.randint(1, 999)} {rng.choice(WORDS).title()} Street, Springfield, IL 6{rng.randint(1000, 9999)}",
            f"{rng.choice(WORDS).title()}straße {rng.randint(1, 99)}, {rng.randint(10000, 99999)} Münster",
            f"東京都千代田区{rng.randint(1, 9)}-{rng.randint(1, 20)}-{rng.randint(1, 30)}",
        ]
    )


def _cid(rng: Rng) -> str:
    return rng.choice(["Qm" + some(rng, _B58, 44), "bafybei" + some(rng, _B32, 52)])


def _public_key(rng: Rng) -> str:
    ssh = f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{some(rng, ALNUM, 43)} {rng.choice(WORDS)}@laptop"
    lines = "\n".join(some(rng, ALNUM + "+/", 64) for _ in range(5))
    return rng.choice(
        [
            ssh,
            f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----",
            f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----",
        ]
    )


def _number(low: float, high: float, digits: int) -> Callable[[Rng], Any]:
    return lambda rng: round(rng.uniform(low, high), digits) if digits else rng.randint(int(low), int(high))


def _prose(language: str, *sentences: int) -> Callable[[Rng], str]:
    return lambda rng: " ".join(sentence(language, rng) for _ in range(rng.randint(*sentences)))


_FILL = re.compile(r"\{(w|n|h8|h32|a|u|d)\}")
_FILLINGS: dict[str, Callable[[Rng], str]] = {
    "w": lambda rng: rng.choice(WORDS),
    "n": lambda rng: str(rng.randrange(1, 99_999)),
    "h8": _of(HEX, 8),
    "h32": _of(HEX, 32),
    "a": lambda rng: some(rng, ALNUM, rng.randint(8, 12)),
    "u": _uuid,
    "d": lambda rng: f"{rng.randint(2019, 2027)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
}
CATEGORIES: dict[str, Category] = {
    "uuid": (("id", "requestId", "trace_id", "sessionRef", "uuid"), _uuid),
    "ulid": (("id", "event_id"), lambda rng: "01J" + some(rng, _CROCKFORD, 23)),
    "object id": (("_id", "documentId"), _of(HEX, 24)),
    "nano id": (("id", "slug", "blockId"), _of(URL, 21)),
    "snowflake": (("id", "channel_id", "message_id"), lambda rng: str(rng.randrange(10**17, 10**18))),
    "numeric id": (("id", "user_id", "orderId", "pk"), _number(1, 10**9, 0)),
    "git commit": (("sha", "commit", "head_sha", "parent", "rev"), _digest("sha1")),
    "short commit": (("abbrev", "commit"), _of(HEX, 7)),
    "sha256": (("sha256", "digest", "content_hash", "hash", "checksum"), _digest("sha256")),
    "sha512": (("sha512", "hash"), _digest("sha512")),
    "md5": (("md5", "hash", "fingerprint", "Content-MD5"), _digest("md5")),
    "etag": (("etag", "ETag", "If-None-Match"), lambda rng: rng.choice(['W/"{}"', '"{}"']).format(some(rng, HEX, 32))),
    "integrity": (("integrity", "sri"), lambda rng: f"sha512-{_b64(rng.randbytes(64))}"),
    "base64 digest": (("digest", "contentMd5", "sha1_base64"), lambda rng: _b64(rng.randbytes(rng.choice([16, 20])))),
    "key fingerprint": (("fingerprint", "thumbprint"), lambda rng: rng.choice([f"SHA256:{_b64(rng.randbytes(32))[:-1]}", ":".join(some(rng, HEX, 2) for _ in range(20))])),
    "public key": (("public_key", "certificate", "pem", "host_key"), _public_key),
    "docker digest": (("image", "digest", "repoDigest"), one("sha256:{h32}{h32}", "ghcr.io/acme/{w}@sha256:{h32}{h32}", "nginx:1.27.{n}-alpine")),
    "kubernetes name": (("pod", "name", "replicaSet"), lambda rng: f"{rng.choice(WORDS)}-{some(rng, _LOW, 10)}-{some(rng, _LOW, 5)}"),
    "cloud resource": (("arn", "resource", "instance", "resourceId"), one("arn:aws:s3:::acme-{w}-{n}", "arn:aws:lambda:eu-west-1:123456789012:function:{w}", "i-0{h8}{h8}", "vpc-{h8}", "projects/acme/locations/eu/instances/{w}-{n}", "/subscriptions/{u}/resourceGroups/{w}/providers/Microsoft.Web/sites/{w}")),
    "drive id": (("fileId", "driveId", "spreadsheetId", "documentId"), lambda rng: "1" + some(rng, URL, rng.choice([32, 43]))),
    "youtube id": (("videoId", "v", "playlistId"), lambda rng: rng.choice([some(rng, URL, 11), "PL" + some(rng, URL, 32)])),
    "spotify id": (("track_id", "uri", "album"), lambda rng: rng.choice(["", "spotify:track:"]) + some(rng, ALNUM, 22)),
    "slack id": (("channel", "user", "ts", "team"), lambda rng: rng.choice(["C0", "U0", "T0"]) + some(rng, _LOW.upper(), 9) if rng.random() < 0.7 else f"17{rng.randrange(10**8)}.{rng.randrange(10**6):06}"),
    "stripe id": (("customer", "id", "payment_intent", "price"), lambda rng: rng.choice(["cus_", "pi_", "ch_", "sub_", "price_", "in_", "evt_"]) + some(rng, ALNUM, rng.choice([14, 24]))),
    "github node id": (("node_id", "pullRequestId"), lambda rng: rng.choice([_b64(f"04:User{rng.randrange(10**8)}".encode()), "PR_kwDO" + some(rng, URL, 12), "I_kwDO" + some(rng, URL, 12)])),
    "page id": (("page_id", "block_id", "parent"), _of(HEX, 32)),
    "record id": (("recordId", "baseId", "record"), lambda rng: rng.choice(["rec", "app", "tbl"]) + some(rng, ALNUM, 14)),
    "push id": (("pushId", "id", "doc_id"), lambda rng: rng.choice(["-N" + some(rng, URL, 18), some(rng, ALNUM, 20)])),
    "cursor": (("cursor", "endCursor", "after", "next"), _cursor),
    "page token": (("nextPageToken", "next_page_token", "pageToken", "continuation"), lambda rng: some(rng, URL, rng.randint(24, 90))),
    "token count": (("max_tokens", "prompt_tokens", "completionTokens", "total_tokens", "tokens"), _number(1, 32_000, 0)),
    "sampling": (("temperature", "top_p", "presence_penalty"), _number(0, 2, 3)),
    "flag about secrets": (("has_password", "is_secret", "requires_auth", "tokenExpired", "passwordReset", "api_key_required"), lambda rng: rng.random() < 0.5),
    "type about secrets": (("token_type", "auth_method", "passwordPolicy", "keyType", "tokenizer", "secret_name", "key"), one("bearer", "oauth2", "min 12 characters", "RSA", "cl100k_base", "prod/{w}", "{w}_{w}")),
    "sentence about secrets": (("text", "message", "description", "error", "label"), one("Reset your password here: https://example.com/reset", "The password must be at least {n} characters long.", "Enter your API key in the settings of {w}.", "Invalid token at line {n}: unexpected '}'", "Authentication failed: the token has expired", "Your secret santa is {w}", "The key to the {w} is the {w}.", "We never ask for your password by mail ({n}).", "expected token: identifier, got {w}", "missing required parameter: api_key", "password: required", "Token usage: {n} of 128000", "Set OPENAI_API_KEY in the environment of {w}", "Bearer authentication is not supported by {w}", "No secret: it was the {w}.", "Set the Authorization header to your token", "access token lifetime: {n} s", "Cookie policy of {w}: we use cookies for {w}")),
    "placeholder": (("example", "hint", "usage"), one("YOUR_API_KEY", "<your token here>", "${API_KEY}", "{{ secrets.TOKEN }}", "********", "null", "[redacted]", "$PASSWORD", "", "xxxxxxxxxxxx")),
    "schema": (("inputSchema", "properties"), lambda rng: {"type": "object", "properties": {rng.choice(["city", "limit", "query"]): {"type": "string", "description": _words(rng, 5), "maxLength": rng.randint(1, 999)}}}),
    "isbn": (("isbn", "ean"), _isbn),
    "phone": (("phone", "tel", "fax"), lambda rng: rng.choice(["+49 251 {}", "+1 (415) 555-{}", "0{}", "+33 6 12 {}"]).format(rng.randrange(1000, 9_999_999))),
    "iban": (("iban", "account"), _iban),
    "tracking number": (("tracking", "shipment", "vin", "serial"), lambda rng: rng.choice(["1Z" + some(rng, _LOW.upper(), 16), "WDB" + some(rng, _CROCKFORD, 14), "00" + some(rng, string.digits, 18)])),
    "coordinates": (("location", "center", "latlng"), lambda rng: {"lat": round(rng.uniform(-90, 90), 6), "lon": round(rng.uniform(-180, 180), 6)}),
    "geohash": (("geohash", "pluscode", "h3"), lambda rng: rng.choice(["u1" + some(rng, _LOW, 7), "9F4G" + some(rng, _CROCKFORD, 4) + "+" + some(rng, _CROCKFORD, 3), "8928308280f" + some(rng, HEX, 4)])),
    "polyline": (("polyline", "geometry", "overview_polyline"), _polyline),
    "date": (("date", "created_at", "from", "updated"), one("{d}", "{d}T07:31:00Z", "{d} 23:59:59.{n}", "Mon, 23 Nov 2026 07:{n} GMT")),
    "epoch": (("ts", "timestamp", "expires", "iat"), _number(1_500_000_000, 1_900_000_000_000, 0)),
    "version": (("version", "engines", "require"), one("{n}.{n}.{n}", "^{n}.4.1", ">=3.{n},<4", "v1.{n}.0-rc.2+build.{h8}", "go1.{n}", "1.0.0-SNAPSHOT.{n}")),
    "path": (("path", "file", "cwd", "filename", "target"), one("/home/ann/projects/{w}/src/{w}_{n}.py", "C:\\Users\\Ann\\Documents\\{w} {n}.docx", "/nix/store/{h32}-{w}-1.2", "dist/assets/{w}.{h8}.js", "../{w}/{w}.test.ts", "/var/log/{w}/{d}.log.gz", "node_modules/.pnpm/{w}@{n}.0.1/node_modules/{w}/index.js", "s3://acme-{w}/{d}/part-{n}.parquet", "/api/v2/{w}/{n}/{w}", "~/.config/{w}/settings.json")),
    "url": (("url", "href", "link", "webUrl", "source"), one("https://example.com/{w}/{n}?page={n}&sort=asc", "https://www.youtube.com/watch?v={a}", "https://shop.example.co.uk/p/{w}-{w}-{n}.html?utm_source=mail&utm_campaign={w}&gclid=Cj0KCQiA{a}{a}_{a}{a}", "https://docs.google.com/document/d/1{a}{a}{a}{a}/edit#heading=h.{a}", "https://en.wikipedia.org/wiki/{w}_({w})", "https://zh.wikipedia.org/wiki/%E5%8C%97%E4%BA%AC?x={n}", "https://github.com/acme/{w}/pull/{n}#discussion_r{n}{n}", "https://github.com/acme/{w}/blob/{h32}{h8}/src/{w}.rs#L{n}", "https://maps.example.com/@54.12{n},12.1{n},15z/data=!3m1!4b1", "http://localhost:{n}/{w}", "https://cdn.site.net/{w}/{h32}.webp?w=640&v={n}", "https://example.com/issues?id={u}&key={w}&state=open", "https://t.co/{a}", "mailto:ann@example.com?subject={w}")),
    "e-mail": (("email", "to", "author"), one("{w}.{w}{n}@example.com", "Ann Keller <{w}@uni-muenster.de>", "{w}+{w}@acme.io", "{n}+{w}@users.noreply.github.com")),
    "message id": (("messageId", "inReplyTo"), _mail_id),
    "mime type": (("mimeType", "content_type", "Accept"), one("application/json; charset=utf-8", "image/png", "text/html", "application/vnd.openxmlformats-officedocument.{w}", "multipart/form-data; boundary=----WebKitFormBoundary{a}{n}")),
    "header": (("header", "Cache-Control", "User-Agent"), one("max-age={n}, public", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{n}.0.0.0", "curl/8.{n}", "gzip, deflate, br", "nginx/1.{n}", "Content-Type: text/html; charset={w}", "Date: Mon, 23 Nov 2026 07:{n} GMT\nContent-Length: {n}")),
    "cron": (("schedule", "cron"), one("*/{n} * * * *", "0 {n} * * 1-5", "@daily", "30 4 1,15 * {n}")),
    "sql": (("query", "sql", "statement"), one("SELECT id, {w} FROM {w}s WHERE {w} = {n} ORDER BY created_at DESC LIMIT {n}", "UPDATE {w}s SET {w} = '{w}' WHERE id = {n}", "CREATE TABLE {w} (id BIGINT PRIMARY KEY, password_hash TEXT NOT NULL, {w} TEXT)", "SELECT count(*) FROM users WHERE password_reset_at > '{d}' -- {n}", "INSERT INTO {w} (id, name) VALUES ('{u}', '{w}')")),
    "code": (("code", "snippet", "content", "new_str"), one("def {w}_{w}(items: list[int], limit: int = {n}) -> None:\n    return sorted(items)[:limit]", "const {w} = await fetch(`/api/${id}`, { method: 'GET', retries: {n} });", "token = lexer.next_token()  # {n}\nif token.kind == 'IDENT':\n    {w}(token)", "password = getpass.getpass('{w}: ')", "api_key = os.environ['{w}_API_KEY']", "self.tokenizer = AutoTokenizer.from_pretrained('{w}-{n}')", "for key, value in {w}.items():\n    print(key, value, {n})", "import {w} from '@acme/{w}-{n}';", "#include <{w}.h>\nint main(void) { return {n}; }", "if (!user.password) throw new {w}Error('password required {n}');", "public static final String TOKEN_TYPE_{n} = \"bearer\";", "private_key = load_pem_private_key(path_{n}.read_bytes(), password=None)", "x = {w}[i] if key == {n} else secret_sharing.{w}(key)")),
    "shell": (("command", "cmd", "script"), one("git log --oneline -n {n} -- src/{w}", "docker run --rm -it -v $PWD:/{w} -p {n}:80 nginx", "grep -rn 'password' src/{w} | head -{n}", "find . -name '*.{w}' -mtime -{n} -delete", "curl -sS https://example.com/{w}/{n} | jq '.{w}'", "ssh -p {n} deploy@{w}.example.com 'systemctl restart {w}'", "export PATH=$HOME/{w}/bin:$PATH; make -j{n}", "pip install {w}=={n}.0.1 --no-cache-dir", "kubectl get secrets -n {w}-{n} -o name")),
    "pattern": (("pattern", "regex", "glob"), one(r"^[A-Za-z0-9._%+-]{1,{n}}@{w}\.[a-z]{2,}$", r"(?P<{w}>\d{4})-(?P<key>[a-z]+)/{n}", "src/**/{w}*.{ts,tsx}", r"\b{w}\s+(\w+){{n}}")),
    "log line": (("line", "log", "message", "output"), _log),
    "stack trace": (("traceback", "stack", "stderr"), one('Traceback (most recent call last):\n  File "/app/{w}.py", line {n}, in {w}\n    raise KeyError("{w}")\nKeyError: \'{w}\'', "TypeError: Cannot read properties of undefined (reading '{w}')\n    at {w} (/app/dist/{w}.{h8}.js:{n}:17)", "java.lang.NullPointerException: {w}\n\tat com.acme.{w}.Main.run(Main.java:{n})", "thread 'main' panicked at src/{w}.rs:{n}:5:\nindex out of bounds")),
    "diff": (("diff", "patch"), _git_diff),
    "css": (("style", "color", "background"), one("#{h8}", "rgb({n}, 12, 7)", "linear-gradient(90deg, #{h8} 0%, #fff {n}%)", "margin: 0 auto; padding: {n}px; color: var(--{w}-{n})", "hsl({n} 50% 40% / 0.5)")),
    "html": (("html", "markup", "svg"), one('<a class="btn btn-{w}" href="/{w}/{n}" id="{w}{n}">{w}</a>', '<path d="M{n} 4.5L12 {n}C1.5 {n} 3 4 5 6Z" fill="#{h8}"/>', '<input type="password" name="password" autocomplete="current-password" id="{w}{n}">', "<p>{w} {w} {n} {w}</p>", '<script src="/static/{w}.{h8}.js" integrity="sha256-{a}{a}{a}{a}"></script>')),
    "thumbnail": (("thumbnail", "data", "image", "preview"), lambda rng: rng.choice(["", "data:image/png;base64,"]) + _png(rng)),
    "base64 text": (("content", "data", "body"), lambda rng: _b64((_words(rng, rng.randint(6, 40)) + ".\n").encode())),
    "block chain": (("address", "txHash", "contract", "cid"), lambda rng: rng.choice(["0x" + some(rng, HEX, 40), "0x" + some(rng, HEX, 64), "1" + some(rng, _B58, 33), "bc1q" + some(rng, _LOW, 38), _cid(rng)])),
    "mac and ip": (("mac", "ip", "address", "remote"), lambda rng: rng.choice([":".join(some(rng, HEX, 2) for _ in range(6)), f"2001:db8:{some(rng, HEX, 4)}::{some(rng, HEX, 3)}", f"10.{rng.randint(0, 255)}.{rng.randint(0, 255)}.1/24"])),
    "doi and arxiv": (("doi", "arxiv", "pmid", "reference"), one("10.1{n}/j.{w}.2024.{n}", "arXiv:2403.0{n}v2", "https://doi.org/10.5281/zenodo.{n}", "PMID: {n}{n}", "CVE-2026-{n}", "ISSN 1234-{n}")),
    "chemistry": (("formula", "smiles", "inchi_key", "compound"), lambda rng: rng.choice([f"C{rng.randint(2, 40)}H{rng.randint(2, 60)}N{rng.randint(1, 9)}O{rng.randint(1, 9)}", f"{some(rng, string.ascii_uppercase, 14)}-{some(rng, string.ascii_uppercase, 8)}SA-N", f"CC(=O)NC1=CC=C(O)C={'C' * rng.randint(1, 9)}1N[C@@H](C)O{rng.randint(1, 9)}", f"InChI=1S/C{rng.randint(2, 9)}H{rng.randint(2, 9)}O/c1-2-3/h3H,2H2,1H3"])),
    "sequence": (("sequence", "dna", "protein", "primer"), lambda rng: some(rng, rng.choice(["ACGT", "ACDEFGHIKLMNPQRSTVWY"]), rng.randint(20, 120))),
    "game": (("fen", "pgn", "board"), one("rnbqkbnr/pp1ppppp/8/2p5/4P3/8/PPPP1PPP/RNBQKBNR w KQkq c6 0 {n}", "{n}. e4 e5 2. Nf3 Nc6 3. Bb5 a6")),
    "latex": (("latex", "formula", "abstract"), one(r"\frac{{n}}{x^2} \sum_{i=1}^{{n}} \alpha_i", r"$E = mc^2 + {n}$ for {w}", r"\begin{tabular}{ll} {w} & {n} \\ \end{tabular}")),
    "csv": (("csv", "rows", "table"), one("id,name,amount\n{n},{w},{n}.50\n{n},{w},12.00", "date;city;temp\n{d};Riga;{n}\n{d};Oslo;-3", "| {w} | {n} |\n|---|---|\n| {w} | {n} |")),
    "configuration": (("config", "yaml", "manifest"), one("replicas: {n}\nimage: nginx:1.{n}\nports:\n  - {n}\n", "[tool.{w}]\nline-length = {n}\nselect = ['E', 'F']\n", "name: {w}\nkeyboard: us\nmonkey: {n}\nauthor: {w}\n", "secretName: {w}-tls\nsecretKeyRef:\n  name: {w}\n  key: password\n", "passwordPolicy:\n  minLength: {n}\ntokenLifetime: 3600\n", "tokenizer: bpe-{n}\nmax_tokens: {n}\n")),
    "ticket": (("issueKey", "ticket", "branch", "flight"), one("PROJ-{n}", "ABC-{n}", "feature/{w}-{n}-{w}", "LH{n}", "RFC {n}", "INV-2026-{n}", "renovate/{w}-{n}.x")),
    "package": (("package", "purl", "dependency"), one("pkg:npm/%40acme/{w}@{n}.1.0", "org.{w}:{w}-core:{n}.2", "@types/{w}@^{n}", "github.com/acme/{w} v0.{n}.0 h1:{a}{a}{a}{a}=")),
    "name": (("name", "author", "customer"), lambda rng: f"{rng.choice(_NAMES)} {rng.choice(['', 'jr.', 'PhD', str(rng.randint(2, 999))])}".strip()),
    "address": (("address", "street", "venue"), _address),
    "numbers": (("values", "embedding", "bbox", "histogram"), lambda rng: [round(rng.uniform(-1, 1), 6) for _ in range(rng.randint(4, 24))]),
    "arguments": (("arguments", "params"), lambda rng: {"city": rng.choice(WORDS).title(), "days": rng.randint(1, 14), "units": "metric", "max_tokens": 4096, "key": rng.choice(WORDS), "session": rng.randint(1, 9)}),
    "compound word": (("slug", "identifier", "metric", "class"), lambda rng: rng.choice(["-", "_", "."]).join(rng.choices(WORDS, k=rng.randint(3, 7)))),
    "camel case": (("method", "symbol", "typeName"), lambda rng: "".join(word.title() for word in rng.choices(WORDS, k=rng.randint(3, 6))) + rng.choice(["Factory", "V2", "Test", ""])),
    "constant": (("variable", "constant", "enum"), lambda rng: "_".join(word.upper() for word in rng.choices(WORDS, k=rng.randint(2, 5)))),
    "emoji and signs": (("reaction", "title", "status"), one("✅ {w} done 🎉 {n}", "→ {w} … “{w}” — {n} €", "½ × {n} ≈ ∞", "#{w} @{w} 🚀")),
    **{f"prose, {language}": (("text", "body", "summary", "comment"), _prose(language, 1, 1)) for language in LANGUAGES},
    **{f"longer prose, {language}": (("text", "article", "description"), _prose(language, 3, 9)) for language in LANGUAGES},
}  # fmt: skip
