"""Which names say that what stands under them is a secret: `password`, `API_KEY`, `X-Amz-Signature`, `dbPasswd2`.

A name is read as words, in whatever spelling: then `author`, `monkey` and `primary_key` are no secrets, and
`next_page_token`, `token_count` and `password_policy` are seen to be about something else.
"""

import enum
import re
from functools import lru_cache

_MAX_NAME = 200  # characters; longer ones are texts


class Secrecy(enum.IntEnum):
    """How much a name says about the value under it."""

    NONE = 0
    LIKELY = 1  # a secret, if the value can be one: `auth`, `session`, `pin`
    CERTAIN = 2  # a secret, whatever it looks like
    NUMBER = 3  # the same, and a short number is one too


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
# One word, or the last two of several, joined.
_CERTAIN = _words(
    """
    secret secrets credential credentials cred creds authorization token jwt jwe bearer apikey apikeys authkey
    authkeys accesskey accesskeys privatekey privatekeys secretkey secretkeys accountkey signingkey encryptionkey
    masterkey servicekey clientkey storagekey licensekey licencekey sshkey gpgkey deploykey sharedkey
    subscriptionkey functionkey sessionkey hmackey jwtkey rsakey aeskey webhookkey appkey applicationkey
    consumerkey cryptkey decryptionkey serverkey adminkey rootkey userkey teamkey projectkeys integrationkey
    ingestkey writekey readkey routingkey instrumentationkey recoverykey backupkey presharedkey keyphrase keypair
    keymaterial
    secretaccess sharedsecret clientsecret connectionstring connstring connstr connectionuri databaseurl mnemonic
    seedphrase recoveryphrase secretphrase backupphrase backupcodes recoverycodes backupcode recoverycode
    securitycode cardnumber creditcard ccnumber webhooksecret webhookurl cookie cookies sessionid sessid jsessionid
    phpsessid connectsid authcookie sessioncookie passkey passkeys clientassertion codeverifier devicecode
    authorizationcode authcode sharedaccesssignature xsrf csrf sessionstate requeststate userpass dbpass rootpass
    smtppass mysqlpass adminpass mailpass ftppass proxyauth basicauth httpauth authheader authtokens accesstokens
    refreshtokens apitokens bearertokens accesscode passw pswd passwrd psw pword
    """
)
_NUMBER = _words(
    """
    password passwords passwd passwds passphrase passphrases passcode passcodes pwd pwds otp totp hotp cvv cvv2 cvc
    cvc2 csc pincode pinnumber mfacode twofactorcode verificationcode otpcode logincode onetimecode onetimepassword
    smscode passwort passwörter kennwort contraseña contrasena senha motdepasse mdp wachtwoord lösenord losenord
    salasana hasło haslo heslo parola şifre sifre пароль пароля 密码 密碼 口令 パスワード
    暗証番号 비밀번호 كلمةالمرور كلمةالسر पासवर्ड סיסמה adgangskode passord jelszó wachtwoorden psk
    """
)
_LIKELY = _words(
    """
    auth session sid pass pin pw dsn sig signature tokens webhook sas
    """
)
# Said after the secret's word without changing what it is.
_NEUTRAL = _words(
    """
    value val v new old current previous prev base base64 b64 hex raw plain plaintext text confirm confirmation
    repeat again header string str data default main live test testing prod production dev development staging stage
    json env primary secondary backup encoded hash hashed md5 sha sha1 sha256 bcrypt encrypted enc db database pem
    x y a b c us eu
    """
)
# Said before `token`: an opaque place in a list, or a piece of text; the next call or the reader needs to know it.
_PLACE = _words(
    """
    page next prev previous continuation continue sync cursor pagination start end scroll skip max min num n total
    per special eos bos pad unk mask sep cls stop resume delta position first last offset iterator change forward
    backward lexer parser input output prompt completion
    """
)
_GLUED = (
    *(
        "password",
        "passwd",
        "passphrase",
        "passwort",
        "kennwort",
        "secret",
        "token",
        "apikey",
        "secretkey",
        "accesskey",
    ),
    *(
        "privatekey",
        "pwd",
        "sessid",
        "sessionid",
        "credentials",
        "connectionstring",
        "accountkey",
        "sharedkey",
        "authkey",
    ),
)
_GLUED_NEUTRAL = re.compile(r"(?:\d+|value|hash|new|old|test|prod|dev)$")


def secrecy(name: str) -> Secrecy:
    """Return what `name` says about the value that stands under it."""
    return _secrecy(name) if len(name) <= _MAX_NAME else Secrecy.NONE


def is_secret_name(name: str) -> bool:
    """Return whether what stands under `name` is a secret, going by the name alone."""
    return secrecy(name) >= Secrecy.CERTAIN


@lru_cache(maxsize=4096)
def _secrecy(name: str) -> Secrecy:
    words = [word.lower() for word in _WORD.findall(name)]
    while words:
        kind = _secrecy_of(words)
        if kind != Secrecy.NONE or not (words[-1] in _NEUTRAL or words[-1].isdigit()):
            return kind
        words.pop()
    return Secrecy.NONE


def _secrecy_of(words: list[str]) -> Secrecy:
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in ("token", "tokens") and before in _PLACE:
        return Secrecy.NONE
    for end in (last, before + last, "".join(words[-3:])):
        if end in _NUMBER:
            return Secrecy.NUMBER
        if end in _CERTAIN:
            return Secrecy.CERTAIN
    if last in _LIKELY:
        return Secrecy.NUMBER if last == "pin" and before in _PIN_OF else Secrecy.LIKELY
    glued = _GLUED_NEUTRAL.sub("", last)
    if glued.endswith(_GLUED):
        return Secrecy.NONE if glued.removesuffix("token") in _PLACE else Secrecy.CERTAIN
    return Secrecy.NONE


_PIN_OF = _words(
    """
    user card bank sim security door my your the account atm access unlock login device
    """
)

_HARMLESS = _words(
    """
    id ids uid uids uuid guid oid gid pid etag hash hashes sha sha1 sha224 sha256 sha384 sha512 md5 crc crc32 digest
    digests checksum checksums sum cursor cursors commit commits revision rev version ref refs tree blob blobs
    parent parents fingerprint fingerprints thumbprint integrity address addresses addr cid txid tx transaction slug
    data image images thumbnail icon avatar photo audio video content bytes payload body public pubkey publickey
    certificate cert x5c kid jti uri url urls href src link links path paths file files filename filepath name names
    title sequence seq dna protein peptide polyline geometry geohash points boundary selector class classes
    classname fen pgn moves next prev previous page continuation after before since endcursor startcursor pagetoken
    nextpagetoken synctoken continuationtoken next_token isbn ean upc gtin barcode sku serial imei vin iban tracking
    phone tel fax number no nr shard bucket object node edge build tag tags branch snapshot modulus head sri lock
    resolved pack index etags trace traceparent tracestate
    h contract wallet recipient sender owner playlist n x y
    """
)


_HASHES = _words("hash sha sha1 sha256 sha384 sha512 md digest checksum etag integrity crc fingerprint")


@lru_cache(maxsize=4096)
def is_harmless_name(name: str) -> bool:
    """Return whether a random text under `name` is expected, and harmless: an id, a hash, a place in a list, a file."""
    if len(name) > _MAX_NAME:
        return False
    words = [word.lower() for word in _WORD.findall(name) if not word.isdigit()]
    if not words:
        return False
    last = words[-1]
    before = words[-2] if len(words) > 1 else ""
    return (
        last in _HARMLESS
        or not _HASHES.isdisjoint(words)
        or last.removesuffix("s").endswith(("id", "hash", "sha", "digest", "checksum", "etag", "cursor", "sum"))
        or (
            last in ("token", "key")
            and before in _PLACE | {"public", "sort", "primary", "partition", "object", "cache"}
        )
    )
