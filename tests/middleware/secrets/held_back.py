"""Kinds and carriers that redaction was not made to: what it was never shown tells how it does on what nobody thought of.

Look here only to measure (`python -m benchmarks.redaction --holdout`), never to mend what it misses by.
"""

import json
import random
from urllib.parse import quote

from tests.middleware.secrets.carriers import Carrier, Exchange, in_text, is_plain, result_text
from tests.middleware.secrets.harmless import ALNUM, HEX, URL, WORDS, Category, one, some
from tests.middleware.secrets.making import Kind, Secret

HELD_BACK_KINDS = (
    Kind("fly.io token", "token", ("FlyV1 fm2_«an:120»", "fo1_«url:43»"), ("FLY_API_TOKEN",), "G"),
    Kind("planetscale token", "token", ("pscale_tkn_«url:43»", "pscale_pw_«url:43»"), ("PLANETSCALE_TOKEN",), "G"),
    Kind("tailscale key", "token", ("tskey-auth-k«an:11»CNTRL-«an:32»", "tskey-api-k«an:11»CNTRL-«an:32»"), ("TS_AUTHKEY",), "H"),
    Kind("doppler token", "token", ("dp.pt.«an:43»", "dp.st.prd.«an:40»"), ("DOPPLER_TOKEN",), "G"),
    Kind("postman key", "token", ("PMAK-«hex:24»-«hex:34»",), ("POSTMAN_API_KEY",), "G"),
    Kind("1password token", "token", ("ops_eyJ«b64:260»=",), ("OP_SERVICE_ACCOUNT_TOKEN",), "G"),
    Kind("pulumi and sonar tokens", "token", ("pul-«hex:40»", "squ_«hex:40»", "sqp_«hex:40»"), ("PULUMI_ACCESS_TOKEN", "SONAR_TOKEN"), "G"),
    Kind("dynatrace token", "token", ("dt0c01.«up:24».«up:64»",), ("DT_API_TOKEN",), "G"),
    Kind("alibaba key", "token", ("LTAI«an:20»",), ("ALIBABA_CLOUD_ACCESS_KEY_ID",), "G"),
    Kind("easypost key", "token", ("EZAK«an:54»",), ("EASYPOST_API_KEY",), "G"),
    Kind("extended private key", "token", ("xprv9s21ZrQH143K«b58:96»",), ("xprv",), "BIP 32"),
    Kind("okta token", "named", ("SSWS 00«url:40»",), ("Authorization",), "G"),
    Kind("network secrets", "named", ("«an:16»", "«pw:14»"), ("wpa_passphrase", "psk", "radius_shared_secret", "bindpw", "enable-password", "community_password"), "manual pages"),
    Kind("names nobody listed", "named", ("«an:24»", "«pw:14»"), ("loginpasswort", "vaultPassword2", "SMTP_AUTH_PASS", "my.secret.value", "StripeSecret", "botfather_token", "githubPat", "X-Hub-Secret", "sudo_password", "rootpw"), "made up"),
    Kind("codes in languages", "named", ("«pw:14»",), ("Zugangspasswort", "clave_secreta", "парольБазы", "密钥", "暗証番号", "jelszó", "heslo", "salasana"), "translations"),
    Kind("putty key", "text", ("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: ann\nPublic-Lines: 1\nAAAAC3NzaC1lZDI1NTE5\nPrivate-Lines: 1\n«b64:48»\nPrivate-MAC: «hex:64»\n",), ("file",), "PuTTY"),
    Kind("wordpress salts", "text", ("define( 'AUTH_KEY',         '«an:64»' );\ndefine( 'SECURE_AUTH_SALT', '«an:64»' );",), ("file",), "WordPress"),
    Kind("cloudinary url", "text", ("cloudinary://«dig:15»:«url:27»@acme", "ldap://cn=admin:«an:16»@«host»/dc=acme", "sftp://«user»:«an:14»@«host»:22/in"), ("url",), "RFC 3986"),
    Kind("key on one line", "text", ("-----BEGIN «pem»-----\\n«b64:64»\\n«b64:64»\\n«b64:30»==\\n-----END «pem»-----",), ("key",), "RFC 7468 in .env files"),
    Kind("commands nobody listed", "text", ("aws configure set aws_secret_access_key «b64:40»", "kubectl create secret generic db --from-literal=password=«an:16»", "htpasswd -b .htpasswd «user» «pw:14»", "echo '«an:18»' | sudo -S systemctl restart app", "smbclient //«host»/in -U «user»%«an:14»", "gpg --batch --passphrase «an:20» -d a.gpg", "wget --http-password=«an:16» https://«host»/a"), ("command",), "manual pages"),
    Kind("mails nobody listed", "text", ("Hi Ann,\nuser name: ann\npassword:\n«pw:14»\nBye", "Login: ann / Password: «pw:14»", "credentials are «user» / «pw:16»", "Ihr Zugang: Benutzer ann, Kennwort «pw:14»", "one-time code for signing in: «an:16»"), ("text",), "mails"),
)  # fmt: skip


def _table(secret: Secret, rng: random.Random) -> Exchange | None:
    if secret.shape == "text":
        return None
    if rng.random() < 0.5:
        text = f"| user | {secret.key} | age |\n|---|---|---|\n| ann | {secret.text} | 41 |"
        return Exchange(answer=result_text(text))
    rows = {"columns": ["user", secret.key, "age"], "rows": [["ann", secret.text, 41]]}
    return Exchange(answer=result_text("1 row", structuredContent=rows))


def _csv(secret: Secret, rng: random.Random) -> Exchange | None:
    if secret.shape == "text" or not is_plain(secret.text):
        return None
    return Exchange(answer=result_text(f"id,user,{secret.key}\n7,ann,{secret.text}\n"))


def _form_data(secret: Secret, rng: random.Random) -> Exchange | None:
    if secret.shape == "text":
        return None
    body = f'--b7\r\nContent-Disposition: form-data; name="{secret.key}"\r\n\r\n{secret.text}\r\n--b7--\r\n'
    return Exchange({"body": body})


def _assigned(secret: Secret, rng: random.Random) -> Exchange | None:
    if secret.shape == "text" or not is_plain(secret.text):
        return None
    key, value = secret.key, secret.text
    forms = [f'$env:{key} = "{value}"', f"ENV {key} {value}", f'variable "{key}" {{ default = "{value}" }}', f'mutation {{ login({key}: "{value}") {{ id }} }}', f"set {key} to {value}", f'<{key} type="text">{value}</{key}>', f"{key} := `{value}`", f'os.putenv("{key}", "{value}")', f"time=7 level=info {key}={value} took=3ms", f"{key}\t{value}", f'[{key}]="{value}"', f"- {key}: |\n    {value}\n"]  # fmt: skip
    return (
        Exchange({"script": rng.choice(forms)})
        if rng.random() < 0.5
        else Exchange(answer=result_text(rng.choice(forms)))
    )


def _coloured(secret: Secret, rng: random.Random) -> Exchange | None:
    return (
        Exchange(answer=result_text(f"\x1b[1m{secret.key}\x1b[0m: \x1b[32m{secret.text}\x1b[0m"))
        if secret.shape != "text"
        else None
    )


def _encoded_json(secret: Secret, rng: random.Random) -> Exchange | None:
    row = {"note": secret.text} if secret.shape == "text" else {secret.key: secret.text}
    return Exchange({"url": f"https://acme.io/?state={quote(json.dumps(row), safe='')}"})


def _escaped_name(secret: Secret, rng: random.Random) -> Exchange | None:
    if secret.shape == "text" or not secret.key.isascii():
        return None
    name = "".join(f"\\u{ord(character):04x}" for character in secret.key)
    return Exchange({"body": f'{{"{name}": {json.dumps(secret.text)}}}'})


def _many(secret: Secret, rng: random.Random) -> Exchange | None:
    row = {"note": secret.text} if secret.shape == "text" else {secret.key: secret.text}
    return Exchange(answer=result_text("many", structuredContent={"a": [{"n": n} for n in range(300)], "b": [[[row]]]}))


def _listed(secret: Secret, rng: random.Random) -> Exchange | None:
    return None if secret.shape == "text" else Exchange({"headers": [["Accept", "*/*"], [secret.key, secret.text]]})


def _in_error(secret: Secret, rng: random.Random) -> Exchange | None:
    return Exchange(answer=result_text(f"panic: {in_text(secret, rng)}\n\tat main.go:7", is_error=True))


def _split_words(secret: Secret, rng: random.Random) -> Exchange | None:
    return Exchange(answer=result_text("first", f"{in_text(secret, rng)}", "last"))


HELD_BACK_CARRIERS: dict[str, Carrier] = {
    "table": _table,
    "csv": _csv,
    "form data": _form_data,
    "assigned": _assigned,
    "coloured": _coloured,
    "encoded JSON": _encoded_json,
    "escaped name": _escaped_name,
    "behind much": _many,
    "list of two": _listed,
    "error of a program": _in_error,
    "several texts": _split_words,
}

# As `harmless.CATEGORIES`.
HELD_BACK_CATEGORIES: dict[str, Category] = {
    "trace parent": (("traceparent", "header"), lambda rng: f"00-{some(rng, HEX, 32)}-{some(rng, HEX, 16)}-01"),
    "request id header": (("x-request-id", "x-amzn-RequestId", "cf-ray"), lambda rng: rng.choice([f"{some(rng, HEX, 16)}-FRA", some(rng, ALNUM, 13).upper(), f"Root=1-{some(rng, HEX, 8)}-{some(rng, HEX, 24)}"])),
    "pgp fingerprint": (("fingerprint", "key_id"), lambda rng: " ".join(some(rng, HEX, 4).upper() for _ in range(10))),
    "dkim record": (("record", "txt"), lambda rng: f"v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A{some(rng, ALNUM, 180)}IDAQAB"),
    "known hosts": (("line", "known_hosts"), lambda rng: f"git.example.com ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ{some(rng, ALNUM, 120)}"),
    "jwks": (("jwks", "jwk"), lambda rng: {"kty": "EC", "crv": "P-256", "kid": some(rng, ALNUM, 12), "x": some(rng, URL, 43), "y": some(rng, URL, 43), "use": "sig"}),
    "directory listing": (("stdout", "output"), one("drwxr-xr-x 2 ann staff {n} Nov 23 07:31 {w}\n-rw------- 1 ann staff {n} Nov 2 2025 {w}.pem\n-rw-r--r-- 1 root root 412 Jan 1 .env.example", "total {n}\n{w}.key  id_ed25519.pub  {w}_{n}.csv")),
    "processes": (("stdout", "output"), one("ann {n} 0.0 0.1 {n} 1234 pts/0 S+ 07:31 0:00 /usr/bin/python3 -m {w} --port {n}", "PID {n} {w}d: listening on [::]:{n}")),
    "dns": (("record", "answer"), one("{w}.example.com. 300 IN CNAME {w}-{n}.eu-west-1.elb.amazonaws.com.", "_{w}._tcp IN SRV 0 5 {n} {w}.example.com.", "v=spf1 include:_spf.{w}.com ~all {n}")),
    "web server configuration": (("config", "content"), one("location /{w} {\n  proxy_pass http://127.0.0.1:{n};\n  proxy_set_header Authorization $http_authorization;\n}", "ssl_certificate_key /etc/ssl/{w}/{n}.pem;", "AuthType Basic\nAuthUserFile /etc/{w}/.htpasswd # {n}")),
    "terraform": (("content", "hcl"), one('resource "aws_secretsmanager_secret" "{w}" {\n  name = "{w}/{n}"\n}', 'variable "{w}_token" {\n  type      = string\n  sensitive = true # {n}\n}', 'password = var.{w}_password # {n}', 'token = data.vault_generic_secret.{w}.data["{w}{n}"]')),
    "workflow": (("yaml", "content"), one("env:\n  GITHUB_TOKEN: ${{ secrets.{w} }}\n  RUN: {n}", "with:\n  token: ${{ secrets.GITHUB_TOKEN }}\n  path: {w}/{n}", "- uses: actions/checkout@{h32}{h8} # v{n}")),
    "documentation": (("text", "markdown"), one("| `password` | string | Required. Your password, at least {n} characters |", "`--token TOKEN`  the {w} token to use (default: ${w}_TOKEN, {n})", "Authorization: Bearer <token> ({w} {n})", "Pass `api_key=...` in the query, see {w} {n}", "The `secret` parameter names the {w} secret in version {n}.", "password: string;\ntoken?: {w}Token{n};", "Secret rotation happens every {n} days; keys older than that expire.")),
    "types": (("code", "content"), one("interface {w}{n} { token: string; password?: string; apiKey: ApiKey }", "type Secret{n} struct {\n\tToken  string `json:\"token\"`\n\tKey []byte\n}", "password VARCHAR({n}) NOT NULL, token_hash CHAR(64), {w} TEXT", "def {w}(password: str, token: str | None = None) -> int: return {n}", "private String clientSecret; // {w} {n}", "api_key: str = Field(..., description='the {w} key {n}')")),
    "lock file": (("content", "text"), lambda rng: f'"{rng.choice(WORDS)}@^1.{rng.randint(0, 99)}":\n  version "1.{rng.randint(0, 99)}.0"\n  resolved "https://registry.yarnpkg.com/a/-/a-1.0.0.tgz#{some(rng, HEX, 40)}"'),
    "crate checksum": (("content", "text"), lambda rng: f'[[package]]\nname = "{rng.choice(WORDS)}"\nchecksum = "{some(rng, HEX, 64)}"'),
    "calendar": (("ics", "content"), one("BEGIN:VEVENT\nUID:{u}@example.com\nDTSTART:20261123T0731{n}\nSUMMARY:{w} {w}\nEND:VEVENT", "BEGIN:VCARD\nFN:Ann {w}\nTEL:+49 251 {n}\nEND:VCARD")),
    "chat message": (("text", "message"), one("<@U0{n}> the {w} is done, see <https://example.com/{w}/{n}|here>", "lol my password manager forgot {w} {n} times", "the token ring network in {w} {n} was slow", "who has the key to the {w}? room {n}", "our secret sauce is {w} {n}")),
    "web authn id": (("credentialId", "rawId", "challenge_id"), lambda rng: some(rng, URL, rng.choice([22, 27]))),
    "message queue": (("offset", "partition", "messageId", "receiptHandleHash"), lambda rng: rng.choice([str(rng.randrange(10**9)), some(rng, HEX, 32), f"{rng.randrange(10**6)}@{rng.randrange(99)}"])),
    "geojson": (("geometry", "feature"), lambda rng: {"type": "Point", "coordinates": [round(rng.uniform(-180, 180), 7), round(rng.uniform(-90, 90), 7)]}),
}  # fmt: skip
