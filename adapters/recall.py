"""An in-context learner by analogy, without weights: the baseline, and the fixture that needs no key and no GPU.

It sees what any model sees, the messages, the tools and the demonstrations in the prompt, and decides in this order
(docs/recall.md):

1. Tools are ranked: by the most similar demonstration of each, and by what descriptions say.
2. Demonstrated values are *explained*: as a span of their own query put into a form, as what a word of the query calls
   for, or as a constant. The explanations with the best support are applied to the new query.
3. What no demonstration explains is guessed: from the schema, from examples, from the spans of the query.
4. A rejected call leads to the next-best reading, guided by what the error names, lists or shows.

Every function is pure, and the caches only save work. Nothing here knows a tool, a domain or a code.
"""

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

from adapters.base import ChatModel
from adapters.messages import Demonstration, Message, Options, Reply, ToolCall, ToolSpec
from adapters.messages import demonstrations_in, system_text

Span = tuple[int, int]  # of tokens, end exclusive
Choice = tuple[float, Any, Span | None]  # how plausible, the value (None: left out), the span that it was read from
Failure = tuple[ToolCall, str]  # a rejected call and its error

_LINKING = frozenset(re.findall(r"\w+", "a an the of in on at to for from with by and or its"))
_ASKING = _LINKING | frozenset(
    re.findall(
        r"\w+",
        "i me my you your we us our it is are was were be do does did can could will would should what which who how "
        "when where please hi hello some any there that this tell give show",
    )
)
_NUMBER = re.compile(r"[-+]?\d+(?:,\d{3})*(?:\.\d+)?")
_TOKEN = re.compile(r"(?<!\w)[-+]?\d+(?:[.,]\d+)*(?![-/:\w])|\w+(?:[-'’/:_&.+@]+\w+)*|[^\w\s]")
_QUOTED = re.compile(r"[\"“]([^\"”]+)[\"”]|(?<!\w)['‘`]([^'’`]+)['’`](?!\w)")
_NAME = re.compile(r"\b[^\W\d_a-zß-ÿ][\w'’&/-]*(?: (?:of )?[^\W_a-zß-ÿ][\w'’&/-]*)*")
_MARKS = (',.?!;:()"', ".?!;")  # what ends a clause, and what a sentence; the first character names the set

# How much an explanation must be seen to be believed, and how much a guess is worth beside it (tuned on STE's train cases).
_DOUBT, _MISPLACED, _GUESS, _ELSEWHERE, _EVIDENT = 0.5, 0.2, 0.7, 0.4, 0.5
_TOLD, _LONG, _UNSURE, _UNMET, _TOOLS = 0.4, 0.3, 0.3, 2.0, 4
_UNLIKE, _LEAST, _NEARLY = 0.4, 0.02, 0.3


# --- 1. a query, taken apart
class Text(NamedTuple):
    """A query: `tokens` as character offsets, `words` in lower case (# for a number), and spans by kind.

    Kinds: D date or time, " quoted, A name, 0 number, @/:._& a token with that mark, 8 another with digits, w words.
    """

    raw: str
    tokens: tuple[Span, ...]
    words: tuple[str, ...]
    kinds: dict[str, list[Span]]

    def slice(self, span: Span) -> str:
        """Return `span` as it is written."""
        return self.raw[self.tokens[span[0]][0] : self.tokens[span[1] - 1][1]]


@lru_cache(maxsize=8192)
def _parse(raw: str) -> Text:
    tokens = tuple(match.span() for match in _TOKEN.finditer(raw))
    words = tuple("#" if _NUMBER.fullmatch(raw[a:b]) else raw[a:b].lower() for a, b in tokens)
    runs = [("D", where) for _, where in _moments(raw)]
    dated = {i for i, (a, b) in enumerate(tokens) if any(start <= a and b <= end for _, (start, end) in runs)}
    runs += [('"', match.span()) for match in _QUOTED.finditer(raw)]
    for i, word in enumerate(words):
        mark = next((mark for mark in "@/:._&" if mark in word[1:]), "8" if re.search(r"\d", word) else "")
        if i not in dated and (mark or word == "#"):
            runs.append(("0" if word == "#" else mark, tokens[i]))
    kinds: dict[str, list[Span]] = defaultdict(list)
    for kind, (start, end) in runs + [("A", match.span()) for match in _NAME.finditer(raw)]:
        inside = [
            i for i, (a, b) in enumerate(tokens) if start <= a and b <= end and (words[i] == "#" or raw[a].isalnum())
        ]
        while kind == "A" and inside and (words[inside[0]] in _ASKING or inside[0] in dated):
            del inside[0]
        # A sentence's first word is capitalised anyway: alone it is no name.
        if inside and (kind != "A" or len(inside) > 1 or not re.search(r"(?:^|[.!?;]\s+)$", raw[:start])):
            kinds[kind].append((inside[0], inside[-1] + 1))
    said = {i for i, word in enumerate(words) if len(word) > 2 and word not in _ASKING and i not in dated}
    for i, length in product(sorted(said), (1, 2, 3)):
        if {*range(i, i + length)} <= said and not any((i, i + length) in spans for spans in kinds.values()):
            kinds["w"].append((i, i + length))
    return Text(raw, tokens, words, dict(kinds))


@lru_cache(maxsize=8192)
def _stems(text: str) -> frozenset[str]:
    words = re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())
    return frozenset(re.sub(r"(?:ies|es|s|ing|ed|e)$", "", w)[:5] if len(w) > 3 else w for w in words)


def _squash(words: Iterable[str], *, drop: bool = False) -> str:
    return "".join(re.sub(r"[\W_]+", "", word.lower()) for word in words if not (drop and word.lower() in _LINKING))


# --- 2. forms: from a span to a value
_MONTH = r"(?P<b>(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)\.?"
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?"
_WHEN = (
    r"(?P<Y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})",
    r"(?P<d>\d{1,2})[-/.](?P<m>\d{1,2})[-/.](?P<Y>\d{4})",
    rf"{_DAY}(?: of)? {_MONTH},? (?P<Y>\d{{4}})",
    rf"{_MONTH} {_DAY},? (?P<Y>\d{{4}})",
    r"(?P<H>\d{1,2})(?::(?P<M>\d\d))? ?(?P<p>[ap])\.?m",
    r"(?P<H>\d{1,2}):(?P<M>\d\d)",
)
_DATES, _TIMES = ("%Y", "%m", "%d", "%-m", "%-d", "%y", "%B", "%b", "%j", "%s"), ("%H", "%M", "%-H", "%I", "%-I", "%p")


@lru_cache(maxsize=8192)
def _moments(raw: str) -> tuple[tuple[datetime, Span], ...]:
    """Return the dates, and the times of day (in the year 1), that stand in `raw`, with their character offsets."""
    found: list[tuple[datetime, Span]] = []
    for match in (match for pattern in _WHEN for match in re.finditer(rf"(?i)\b{pattern}\b", raw)):
        part, where = match.groupdict(), match.span()
        try:
            if hour := part.get("H"):
                clock = f"{int(hour) % 12 or 12} {part['p']}M" if part.get("p") else f"{hour} "
                when = datetime.strptime(f"{clock} {part['M'] or 0}", "%I %p %M" if part.get("p") else "%H %M")  # noqa: DTZ007
                when = when.replace(year=1, tzinfo=UTC)
            else:
                month = int(part["m"]) if "m" in part else datetime.strptime(part["b"][:3], "%b").month  # noqa: DTZ007
                when = datetime(int(part["Y"]), month, int(part["d"]), tzinfo=UTC)
        except ValueError:  # no such day or hour
            continue
        if not any(a < where[1] and where[0] < b for _, (a, b) in found):
            found.append((when, where))
    return tuple(sorted(found, key=lambda item: item[1]))


def _strftime(when: datetime, form: str) -> str:
    return when.strftime(form.replace("%s", str(int(when.timestamp()))))


def _formats(when: datetime, value: str, seen: str = "") -> Iterator[str]:
    """Yield the strftime formats that write `when` as `value`, in whatever case; `seen` holds the units so far."""
    if not value or re.match(r"[T ]00:00(?::00(?:\.0+)?)?(?:Z|\+00:00)?$", value):
        if "I" not in seen or "p" in seen:  # twelve hours mean nothing without am or pm
            yield value
        return
    for directive in _TIMES if when.year == 1 else _DATES:
        written, unit = _strftime(when, directive), {"B": "m", "b": "m", "y": "Y"}.get(directive[-1], directive[-1])
        if value.lower().startswith(written.lower()) and unit not in seen:
            yield from (directive + rest for rest in _formats(when, value[len(written) :], seen + unit))
    if not value[0].isalnum() or value[0] in "TZ":
        yield from (value[0].replace("%", "%%") + rest for rest in _formats(when, value[1:], seen))


_CASES: dict[str, Callable[[str], str]] = {"": str, "l": str.lower, "u": str.upper, "t": str.title}
_CASES |= {"0": lambda text: text.replace(",", ""), "-": lambda text: "-" + text.replace(",", "")}
_CUTS = (("", 0), *product("wj", (1, 2, 3, 4, 5)), *product("c", (0, 2, 3, 4, 5)))


class Form(NamedTuple):
    """How a span becomes a value: linking words dropped, words cut short, joined, put into a case, affixed.

    `cut` shortens each word (w), all of them joined (j), or their consonants (c), to so many letters; without a `joint`
    the span stays as written. A date or time is written by `when`, a strftime format.
    """

    case: str = ""
    joint: str | None = None
    cut: tuple[str, int] = ("", 0)
    drop: bool = False
    prefix: str = ""
    suffix: str = ""
    when: str = ""

    def render(self, text: Text, span: Span) -> str:
        """Return `span` in this form, "" where it has none."""
        core = text.slice(span)
        if self.when:
            times = [when for when, _ in _moments(core) if (when.year == 1) == bool(re.search("%-?[HIp]", self.when))]
            core = _strftime(times[0], self.when) if times else ""
        elif self.joint is not None:
            core = self.joint.join(_pieces(text, span, self.cut, drop=self.drop))
        return core and self.prefix + _CASES[self.case](core) + self.suffix


def _pieces(text: Text, span: Span, cut: tuple[str, int], *, drop: bool) -> list[str]:
    words = [text.slice((i, i + 1)) for i in range(*span) if not (drop and text.words[i] in _LINKING)]
    pieces = [piece for word in words for piece in re.split(r"[\W_]+" if cut[0] else r"[^\w-]+|[_/]+", word) if piece]
    if cut[0] == "w":
        return [piece[: cut[1]] for piece in pieces]
    joined = "".join(pieces)
    if cut[0] == "c":
        joined = joined[:1] + re.sub("[aeiou]", "", joined[1:], flags=re.IGNORECASE)
    return [joined[: cut[1] or None]] if cut[0] else pieces


def _word_forms(text: Text, span: Span, value: str) -> Iterator[Form]:
    """Yield the forms that turn the words of `span` into `value`, the simplest first."""
    raw, seen = text.slice(span), set[str]()
    if raw.lower() == value.lower():
        yield from (Form(case) for case in [case for case in _CASES if _CASES[case](raw) == value] or [""])
        return
    for drop, cut in product((False, True), _CUTS):
        pieces = _pieces(text, span, cut, drop=drop)
        for joint in {"", *re.findall(r"[^a-z0-9]+", value.lower())}:  # one word alone does not tell which
            core = joint.join(pieces)
            at = value.lower().find(core.lower())
            if at < 0 or len(core) < min(3, len(value)) or core + joint in seen:
                continue
            seen.add(core + joint)
            prefix, written, suffix = value[:at], value[at : at + len(core)], value[at + len(core) :]
            if len(prefix) < 9 and len(suffix) < 9 and " " not in prefix + suffix:
                fitting = [case for case in ("", "l", "u", "t") if _CASES[case](core) == written]
                yield from (Form(case, joint, cut, drop, prefix, suffix) for case in fitting)


@lru_cache(maxsize=16384)
def _explain(raw: str, value: Any) -> dict[Span, set[Form]]:
    """Return the spans of a query that a form turns into `value`, each with those forms."""
    if not isinstance(value, str | int | float) or isinstance(value, bool) or not raw:
        return {}
    text, value, found = _parse(raw), str(value), defaultdict[Span, set[Form]](set)
    whole, content = _squash([value]), _squash(value.split(), drop=True)
    tokens = [text.slice((i, i + 1)) for i in range(len(text.tokens))]
    for i in range(len(tokens) if whole else 0):
        for j in range(i + 1, len(tokens) + 1):
            some = _squash(tokens[i:j], drop=True)
            if len(some) > len(content) or not tokens[i][-1].isalnum():
                break
            edges = {text.words[i], text.words[j - 1]} & _LINKING
            if tokens[j - 1][-1].isalnum() and (_squash(tokens[i:j]) == whole or (some == content and not edges)):
                found[i, j].update(_word_forms(text, (i, j), value))
    for span in text.kinds.get("0", ()):
        found[span].update(Form(case) for case in "0-" if _CASES[case](text.slice(span)) == value)
    for span in text.kinds.get("D", ()):
        formats = {form for when, _ in _moments(text.slice(span)) for form in _formats(when, value) if "%" in form}
        forms = (Form(case, when=form) for form in formats for case in ("", "l", "u"))
        found[span].update(form for form in forms if form.render(text, span) == value)
    for kind in '"Aw' if len(value) > 2 and " " not in value else "":
        for span in text.kinds.get(kind, ()):
            if text.words[span[0]][:2] in value.lower():
                found[span].update(_word_forms(text, span, value))
    if any(form.when for forms in found.values() for form in forms):
        found = defaultdict(set, {span: {form for form in forms if form.when} for span, forms in found.items()})
    # The explanation that accounts for the most of the value is the one to believe.
    added = {form: len(form.prefix + form.suffix) for forms in found.values() for form in forms}
    kept = {span: {form for form in forms if added[form] == min(added.values())} for span, forms in found.items()}
    return {span: forms for span, forms in kept.items() if forms}


# --- 3. what the demonstrations support
class Locator(NamedTuple):
    """Where a span stands: the `nth` of a kind, or between the words `left` and the word or marks `right`."""

    kind: str
    nth: int
    left: tuple[str, ...] = ()
    right: str = ""


@lru_cache(maxsize=16384)
def _locators(raw: str, span: Span) -> set[Locator]:
    text, (i, j) = _parse(raw), span
    words = ("^", *text.words, ".")
    kinds = [
        (kind, spans.index(span), len(spans)) for kind, spans in text.kinds.items() if kind != "w" and span in spans
    ]
    rights = {words[j + 1], *(marks[0] for marks in _MARKS if words[j + 1] in marks)}
    between = {
        Locator("", 0, left, right) for left in (words[i : i + 1], words[max(i - 1, 0) : i + 1]) for right in rights
    }
    return between | {Locator(kind, nth - back) for kind, nth, size in kinds for back in (0, size)}


def _kinds_at(raw: str, span: Span) -> set[str]:
    return {kind for kind, spans in _parse(raw).kinds.items() if kind != "w" and span in spans}


@lru_cache(maxsize=65536)
def _locate(where: Locator, raw: str) -> Span | None:
    text = _parse(raw)
    if where.kind:
        spans = text.kinds.get(where.kind, ())
        return spans[where.nth] if -len(spans) <= where.nth < len(spans) else None
    words = ("^", *text.words, ".")
    stops = next((marks for marks in _MARKS if where.right == marks[0]), (where.right,))
    for i in range(len(text.words)):
        if words[max(i + 1 - len(where.left), 0) : i + 1] == where.left:
            return next(((i, j) for j in range(i + 1, len(words) - 1) if words[j + 1] in stops), None)
    return None


class Shown(NamedTuple):
    """A demonstrated value (None: left out), its query ("": unknown) and how near that query is, 1 at most."""

    query: str
    value: Any
    weight: float


def _told(query: str, rows: Iterable[tuple[Shown, bool]]) -> float:
    """Return how well the query tells that it belongs to the marked rows: by a word, or by their frequency alone."""
    total, marked = Counter[str](), Counter[str]()
    for row, mark in rows:
        for word in {"", *_stems(query) & _stems(row.query)}:
            total[word] += row.weight
            marked[word] += row.weight * mark
    return max((marked[word] / (total[word] + _DOUBT) for word in total), default=0)


def _supported(query: str, shown: Sequence[Shown]) -> tuple[list[Choice], dict[Form, float]]:
    """Return the values that explain what was shown, in no order, and the forms that do, with their support."""
    rows = [(row, _explain(row.query, row.value)) for row in shown]
    forms = {form for _, spans in rows for some in spans.values() for form in some}
    support = {
        f: _told(query, [(row, any(f in some for some in spans.values())) for row, spans in rows]) for f in forms
    }
    # A value that stands in its own query was copied: another query calls for its own, unless it mentions this one.
    copied = [row.value for row, spans in rows if spans]
    found: list[Choice] = []
    for row in shown:
        own = row.value in copied or any(_reads(form.when, row.value) for form in forms if form.when)
        told = _told(query, [(other, other.value == row.value) for other in shown])
        found.append((0.7 * _mentioned(row.value, _parse(query)) if own else told, row.value, None))
    for where in {where for row, spans in rows for span in spans for where in _locators(row.query, span)}:
        if not (here := _locate(where, query)):
            continue
        there = [(row.weight, spans, _locate(where, row.query)) for row, spans in rows]
        # Where a name stood, a name should stand.
        alike = any(_kinds_at(row.query, span) == _kinds_at(query, here) for row, spans in rows for span in spans)
        hits = sum(weight for weight, spans, span in there if span in spans)
        misses = sum(weight for weight, spans, span in there if span and span not in spans)
        for form in {form for _, spans, span in there if span in spans for form in spans[span]}:
            if value := form.render(_parse(query), here):
                found.append(
                    (hits / (hits + misses + _MISPLACED) * support[form] * (1 if alike else _UNLIKE), value, here)
                )
    return found, support


# --- 4. guesses: what no demonstration explains
_ORDERS = ("Y m d", "d m Y", "m d Y", "Y d m", "d b Y", "b d Y", "Y b d", "d m y", "m d y", "y m d")
_FORMATS = [f"%{a}{mark}%{b}{mark}%{c}" for mark in ("-", "/", ".", "", " ") for a, b, c in map(str.split, _ORDERS)]
_FORMATS += [
    "%Y-%j",
    "%Y%j",
    "%s",
    "%b %-d, %Y",
    "%-d %B %Y",
    "%H:%M",
    "%H%M",
    "%H.%M",
    "%Hh%M",
    "%-H",
    "%H",
    "%I:%M %p",
]
_STYLES = [("", 0), ("j", 4), ("w", 3), ("j", 3), ("w", 1), ("c", 3), ("c", 4), ("j", 5), ("w", 4), ("w", 2)]
_SPELT = [Form(), *(Form(case, joint, cut) for cut, joint, case in product(_STYLES, ("-", "_", "", " ", "."), "lut"))]
_SPELT += [Form(case, when=form) for form in _FORMATS for case in ("ul" if "%b" in form else [""])]
_PATTERN = re.compile(r"\b(?:(?:[Yy]{4}|[Yy]{2}|[Mm]{2,3}|[Dd]{2}|[Hh]{2})(?:[-/.: ](?=[A-Za-z])|T(?=[Hh]))?){2,}\b")
_SAMPLE = {"yyyy": "2001", "yy": "01", "mmm": "Feb", "mm": "02", "dd": "28", "hh": "13"}


@lru_cache(maxsize=16384)
def _reads(form: str, value: str) -> bool:
    try:
        when = datetime.strptime(value, form.replace("%-", "%"))  # noqa: DTZ007 - only compared with its own text
    except (ValueError, TypeError):
        return form == "%s" and str(value).isdigit() and len(str(value)) > 8
    return when.strftime(form).lower() == value.lower()


def _likeness(value: str, form: Form, examples: Sequence[str]) -> float:
    """Return how much `value` looks like `examples`, 0 to 1: by the classes of its characters and by its length."""

    def classes(text: str) -> set[str]:
        return {"A" if c.isupper() else "a" if c.islower() else "0" if c.isdigit() else c for c in text} - {" "}

    if not examples or (form.when and not all(_reads(form.when, example) for example in examples)):
        return 0.2 if examples else 0.6
    alike = [len(classes(value) & classes(e)) / (len(classes(value) | classes(e)) or 1) for e in examples]
    code = not any(" " in example for example in examples) and len(value) not in map(len, examples)
    return sum(alike) / len(alike) * (0.8 if code else 1)


def _mentioned(value: Any, text: Text) -> float:
    """Return how clearly a query mentions `value`, 0 to 1: by each of its pieces, or by what abbreviates them."""
    best = []
    for piece in re.findall(r"[^\W_]+", str(value).lower()):
        same = [0.0, *(1.0 for word in text.words if _stems(piece) & _stems(word))]
        for word in text.words:
            if len(word) > 2 and (word in piece or word.startswith(piece)):
                same.append(0.9 * min(len(piece), len(word)) / max(len(piece), len(word)))
            elif word[0] == piece[0] and re.match(".*".join(piece), word):
                same.append(0.2)
        best.append(max(same))
    return sum(best) / (len(best) or 1)


def _guesses(
    text: Text, about: str, kind: str, examples: Sequence[str], own: Mapping[Form, float], forms: Mapping[Form, float]
) -> Iterator[Choice]:
    """Yield the spans of a query as values for an argument: in the given `forms`, or written like `examples`."""
    numeric, dated = (
        kind in ("integer", "number"),
        any(form.when for form in own) or (not own and _stems(about) & {"date", "time"}),
    )
    for i, span in enumerate(text.kinds.get("0", ()) if not own or numeric else ()):
        near = bool(_stems(" ".join(text.words[max(span[0] - 2, 0) : span[1] + 1])) & _stems(about))
        yield (0.5 if numeric else 0.2) + 0.3 * near - 0.01 * i, _CASES["0"](text.slice(span)), span
    expected = {kind for example in examples for kind in _parse(example).kinds if kind != "w"} | (
        {"D"} if dated else set()
    )
    ends = (_common(examples), _common([example[::-1] for example in examples])[::-1])
    spelt = [form if form.when else form._replace(prefix=ends[0], suffix=ends[1]) for form in _SPELT]
    for kind, base in {"D": 0.3, '"': 0.5, **dict.fromkeys("@/:._&8", 0.45), "A": 0.4, "w": 0.2}.items():
        fits = not numeric and (not own or (kind == "D") == bool(dated))
        for i, span in enumerate(text.kinds.get(kind, ()) if fits else ()):
            for n, form in enumerate([*forms, *(spelt if kind != "w" else ())]):
                if bool(form.when) == (kind == "D") and (value := form.render(text, span)):
                    fit = 1.2 * forms[form] if form in forms else _likeness(value, form, examples) - 0.001 * n
                    yield (0.7 if kind in expected else base) * fit - 0.01 * i, value, span
    content = [i for i, word in enumerate(text.words) if word[-1].isalnum()]
    start = next((i for i in content if text.words[i] not in _ASKING), 0)
    if content and not numeric and not own:
        yield 0.1, text.slice((start, content[-1] + 1)), None


def _common(texts: Sequence[str]) -> str:
    first = min(texts, default="") if len(set(texts)) > 1 else ""
    return next((first[:n] for n in range(len(first), 0, -1) if all(t.startswith(first[:n]) for t in texts)), "")


# --- 5. readings: whole calls, the most plausible first
def _blamed(failure: Failure, names: Iterable[str]) -> list[str]:
    """Return the arguments that an error names; where it names several, the one whose value it quotes."""
    call, error = failure
    named = [name for name in names if re.search(rf"\b{re.escape(name)}\b", error)]
    quoted = [name for name in named or names if len(v := str(call.arguments.get(name, ""))) > 1 and v in error]
    return quoted if len(quoted) == 1 else named


def _values_in(failure: Failure) -> list[tuple[str, str]]:
    """Return the values that an error shows, quoted, listed, patterned or marked, each with the rest of the error."""
    call, error = failure
    error = _PATTERN.sub(
        lambda m: "'" + re.sub("(?i)y+|m+|d+|h+", lambda run: _SAMPLE[run[0].lower()], m[0]) + "'", error
    )
    shown = [match[1] or match[2] for match in _QUOTED.finditer(error)]
    if not shown and (tail := re.split(r"one of|:\s|\bare\b", error)[1:]):
        shown = [item.strip(" []().") for item in re.split(r",\s*(?:or |and )?|\s+or\s+|\s+and\s+|\s*\|\s*", tail[-1])]
    text = _parse(error)
    shown = (
        shown
        if len(shown) > 1 or _QUOTED.search(error)
        else [text.slice(s) for k in "@/:._8D" for s in text.kinds.get(k, ())]
    )
    return [(v, error.replace(v, "")) for v in shown if v not in map(str, call.arguments.values())]


def _choices(
    name: str, query: str, tool: ToolSpec, shown: Sequence[Shown], failures: Sequence[Failure], forms: dict[Form, float]
) -> list[Choice]:
    """Return the values for an argument, the most plausible first; `failures` are those that it was blamed for."""
    text, schema = _parse(query), tool.input_schema.get("properties", {}).get(name, {})
    described, kind = str(schema.get("description", "")), schema.get("type", "string")
    rejected = [call.arguments.get(name) for call, _ in failures]
    present = [row for row in shown if row.value is not None]
    found, supported = _supported(query, present)
    lessons = [lesson for failure in failures for lesson in _values_in(failure)]
    lists = [[value for value, _ in _values_in(failure)] for failure in failures]
    listed = next(
        (some for some in lists if len(some) > 1), schema.get("enum", [True, False] if kind == "boolean" else [])
    )
    if listed:
        found = [((0.5 if failures else 1) * score, value, span) for score, value, span in found if value in listed]
        found += [(0.9 * _mentioned(value, text) + 0.02 / (1 + i), value, None) for i, value in enumerate(listed)]
    else:
        learned = {form: 1.0 for value, rest in lessons for some in _explain(rest, value).values() for form in some}
        examples = (
            [value for value, _ in lessons]
            or [str(row.value) for row in present]
            or [*map(str, schema.get("examples", ()))]
        )
        examples = (
            examples
            or [value for value, _ in _values_in((ToolCall("", {}), described))]
            or [str(schema[key]) for key in schema if key == "default"]
        )
        guesses = _guesses(
            text, f"{name} {described}", kind, examples, supported | learned, forms | supported | learned
        )
        found += [(_GUESS * score, value, span) for score, value, span in guesses]
    found += [(0.1, schema[key], None) for key in schema if key == "default"]
    best: dict[str, Choice] = {}
    for score, value, span in sorted(found, key=lambda choice: -choice[0]):
        if (typed := _typed(value, schema)) not in rejected and typed is not None and score > _LEAST:
            best.setdefault(json.dumps(typed), (score, typed, span))
    ranked = list(best.values())
    if name in tool.input_schema.get("required", ()) or None in rejected:
        return ranked
    presence, _ = _supported(query, [row._replace(value=row.value is not None) for row in shown])
    there, absent = (max((s for s, v, _ in presence if v is is_there), default=0) for is_there in (True, False))
    left_out = absent > there if presence else not ranked or ranked[0][0] < _EVIDENT
    return [(absent, None, None), *ranked] if left_out else [*ranked, (0.0, None, None)]


def _typed(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return `value` as the JSON type that `schema` asks for, None where it cannot be read as one."""
    kind = schema.get("type")
    if kind in ("integer", "number") and isinstance(value, str):
        number = float(value.replace(",", "")) if _NUMBER.fullmatch(value) else None
        return int(number) if number is not None and number.is_integer() else number
    if kind == "array" and not isinstance(value, list):
        return [_typed(value, schema.get("items", {}))]
    return str(value) if kind == "string" and isinstance(value, int | float) else value


def _readings(
    query: str, tool: ToolSpec, demos: Sequence[Demonstration], failures: Sequence[Failure]
) -> tuple[float, list[ToolCall]]:
    """Return how well `tool` suits the query's spans, 0 to 1, and the calls of it that the query may mean, best first."""
    calls = [(rank, demo.query, call) for rank, demo in enumerate(demos) for call in demo.calls]
    rows = [
        (asked, call.arguments, _alike(query, asked) / (1 + rank) ** 0.3)
        for rank, asked, call in calls
        if call.name == tool.name
    ]
    top = max((weight for _, _, weight in rows), default=0) or 1
    rows = [(asked, some, weight / top) for asked, some, weight in rows] + [
        ("", hint, 0.3) for hint in _hints(tool.description)
    ]
    names = dict.fromkeys([*tool.input_schema.get("properties", {}), *(name for _, some, _ in rows for name in some)])
    # What is written in some form elsewhere may be written so here.
    pairs = [(asked, value) for _, asked, call in calls for value in call.arguments.values() if isinstance(value, str)]
    pairs += [(rest, value) for failure in failures for value, rest in _values_in(failure)]
    forms = {form: _ELSEWHERE for asked, value in pairs for some in _explain(asked, value).values() for form in some}
    failures = [failure for failure in failures if failure[0].name == tool.name]
    blamed = [_blamed(failure, names) for failure in failures]
    choices = {}
    for name in names:
        own = [failure for failure, about in zip(failures, blamed, strict=True) if about == [name]]
        choices[name] = _choices(
            name, query, tool, [Shown(asked, some.get(name), w) for asked, some, w in rows], own, forms
        )
    if not all(choices.values()):
        return 0.0, []
    best: dict[str, Choice] = {}
    for name in sorted(names, key=lambda name: -choices[name][0][0]):
        # One span serves one argument, where there is another choice.
        used = {span for _, _, span in best.values() if span}
        best[name] = next((choice for choice in choices[name] if choice[2] not in used), choices[name][0])
    others = [(name, choice) for name in names for choice in choices[name] if choice != best[name]]
    others.sort(key=lambda other: (blamed[-1:] != [[other[0]]], best[other[0]][0] - other[1][0]))
    single = [dict([other]) for other in others]
    changes = [{}, *single, *(one | other for one, other in product(single[:8], single[:8]))]
    meant = [
        ToolCall(tool.name, {k: v for k, (_, v, _) in (best | change).items() if v is not None}) for change in changes
    ]
    sure = [min(score, 1.0) for score, value, _ in best.values() if value is not None]
    spans = {span for kind, some in _parse(query).kinds.items() if kind != "w" for span in some}
    met = sum(
        any(a < d and c < b for _, value, span in best.values() if span and value is not None for c, d in [span])
        for a, b in spans
    )
    return (sum(sure) + _UNSURE) / (len(sure) + _UNSURE) * (met + _UNMET) / (len(spans) + _UNMET), meant


def _hints(description: str) -> list[Mapping[str, Any]]:
    """Return the arguments of earlier good calls: the description's lines that are JSON objects."""
    found = []
    for line in description.splitlines():
        try:
            found += [json.loads(line)] if line.startswith("{") else []
        except ValueError:
            continue
    return [hint for hint in found if isinstance(hint, dict)]


# --- 6. the tool
def _alike(one: str, other: str) -> float:
    return len(_stems(one) & _stems(other)) / (len(_stems(one) | _stems(other)) or 1)


@lru_cache(maxsize=4096)
def _described(name: str, description: str, arguments: str) -> dict[str, float]:
    """Return the stems that describe a tool, its name's weighing more and its arguments' less."""
    weights = ((0.7, arguments), (1.0, re.sub(r"(?m)^\{.*", "", description)), (1.5, name))
    return {stem: weight for weight, text in weights for stem in _stems(text)}


def _ranked(query: str, tools: Sequence[ToolSpec], demos: Sequence[Demonstration]) -> list[tuple[float, ToolSpec]]:
    """Return the tools that have anything to do with `query`, the likeliest first, and how likely each is."""
    words, described, score, told = _stems(query), {}, Counter[str](), Counter[str]()
    for tool in tools:
        properties = tool.input_schema.get("properties", {})
        arguments = " ".join(f"{name} {schema.get('description', '')}" for name, schema in properties.items())
        described[tool.name] = _described(tool.name, tool.description, arguments)
    count = Counter(word for stems in described.values() for word in stems.keys() & words)
    rarity = {word: math.log(1 + len(tools) / (1 + count[word])) for word in words}
    mean = sum(map(len, described.values())) / (len(tools) or 1)
    for name, stems in described.items():
        found = sum(rarity[word] * stems[word] for word in stems.keys() & words) / (sum(rarity.values()) or 1)
        score[name] = _TOLD * (found / (1 - _LONG + _LONG * len(stems) / (mean or 1))) ** 2
    count += Counter(word for demo in demos for word in _stems(demo.query))
    for rank, demo in enumerate(demos):
        either = _stems(demo.query) | words
        weight = {word: math.log(1 + (len(tools) + len(demos)) / (1 + count[word])) for word in either}
        alike = sum(weight[word] for word in _stems(demo.query) & words) / (sum(weight.values()) or 1)
        name = demo.calls[0].name if demo.calls else ""
        told[name] = max(told[name], alike**2 / (1 + rank) ** 0.5)
    score += told
    return sorted(
        ((score[tool.name], tool) for tool in tools if score[tool.name] > score[""]), key=lambda item: -item[0]
    )


class Recall(ChatModel):
    """Answers by analogy with the demonstrations in the prompt; see the module."""

    name = "recall"

    def generate(self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: Options) -> Reply:  # noqa: ARG002
        """Return the most plausible call that this conversation has not made yet, or text where none is left."""
        if messages and messages[-1].role == "tool" and not messages[-1].is_error:
            return Reply(messages[-1].content)
        query = next((message.content for message in reversed(messages) if message.role == "user"), "")
        demos = demonstrations_in(system_text(messages))
        tried = [(call.name, call.arguments) for message in messages for call in message.tool_calls]
        made = {call.id: call for message in messages for call in message.tool_calls}
        failures = [(made[m.tool_call_id], m.content) for m in messages if m.is_error and m.tool_call_id in made]
        ranked = []
        options_ = _ranked(query, tools, demos)[:_TOOLS]
        for likely, tool in options_:
            if likely < _NEARLY * options_[0][0]:
                break
            suits, calls = _readings(query, tool, demos, failures)
            # The tool of the last attempt goes on until nothing is left of it.
            ranked.append((not failures or tool.name != failures[-1][0].name, -likely * suits, calls))
        for _, _, calls in sorted(ranked, key=lambda item: item[:2]):
            for call in calls:
                if (call.name, call.arguments) not in tried:
                    return Reply(tool_calls=(call,))
        return Reply("I see no further way to answer this with a tool.")
