"""An in-context learner by analogy, without weights: the baseline, and the fixture that needs no key and no GPU.

Demonstrated values are *explained* by their own query; what explains best is applied to the new one (docs/recall.md).
"""

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import product
from typing import Any, NamedTuple

from adapters import messages as prompts
from adapters.base import ChatModel
from adapters.messages import Demonstration, Message, Options, Reply, ToolCall, ToolSpec

Span = tuple[int, int]  # of tokens, end exclusive
Shown = tuple[str, Any, float]  # a demonstrated value with its query and that query's nearness; None: it was left out
Choice = tuple[float, Any, Span | None]  # how plausible a value is, the value, and the span that it was read from
Forms = dict[Any, float]  # ways to write a span (see _Form), each with its support
Failure = tuple[ToolCall, str]  # a rejected call and its error
# Support is hits / (all + doubt): little evidence counts for less, and a guess (_GUESS, _ELSEWHERE, _KNOWN) less still.
_DOUBT, _MISPLACED, _GUESS, _ELSEWHERE, _KNOWN, _EVIDENT, _LEAST = 0.5, 0.2, 0.7, 0.49, 0.7, 0.5, 0.02
_TOLD, _LONG, _NEARLY, _LONGEST = 0.2, 0.3, 0.3, 300
_LINKING = frozenset(re.findall(r"\w+", "a an the of in on at to for from with by and or its"))
_ASKING = _LINKING | set(re.findall(r"\w+", "i me my you is are do does can could what which who how when please"))
_NUMBER = re.compile(r"[-+]?\d+(?:,\d{3})*(?:\.\d+)?")
_TOKEN = re.compile(r"(?<!\w)[-+]?\d+(?:[.,]\d+)*(?![-/:\w])|\w+(?:[-'’/:_&.+@]+\w+)*|[^\w\s]")
_QUOTED = re.compile(r"[\"“]([^\"”]+)[\"”]|(?<!\w)['`]([^'’`]+)['’`](?!\w)")
_NAME = re.compile(r"\b[^\W\d_a-zß-ÿ][\w'’&/-]*(?: (?:of )?[^\W_a-zß-ÿ][\w'’&/-]*)*")
_MARKS = (',.?!;:()"', ".?!;")  # what ends a clause, and what a sentence; the first character names the set


class _Text(NamedTuple):
    """A query: tokens as character offsets, words in lower case (# for a number), and spans by kind: D date or time,
    " quoted, A name, # number, @/:._& a token with that mark, 8 another with digits, w words."""

    raw: str
    tokens: list[Span]
    words: tuple[str, ...]
    kinds: dict[str, list[Span]]

    def slice(self, span: Span) -> str:
        return self.raw[self.tokens[span[0]][0] : self.tokens[span[1] - 1][1]]


@lru_cache(maxsize=8192)
def _parse(raw: str) -> _Text:
    tokens, kinds = [match.span() for match in _TOKEN.finditer(raw)][:_LONGEST], defaultdict[str, list[Span]](list)
    words = tuple("#" if _NUMBER.fullmatch(raw[a:b]) else raw[a:b].lower() for a, b in tokens)
    dates = [where for _, where in _moments(raw)]
    dated = {i for i, (a, b) in enumerate(tokens) if any(start <= a and b <= end for start, end in dates)}
    marks = [next((m for m in "#@/:._&" if m in w[m != "#" :]), "8" if re.search(r"\d", w) else "") for w in words]
    runs = [("D", where) for where in dates] + [('"', match.span()) for match in _QUOTED.finditer(raw[:9000])]
    runs += [(mark, tokens[i]) for i, mark in enumerate(marks) if mark and i not in dated]
    for kind, (start, end) in runs + [("A", match.span()) for match in _NAME.finditer(raw)]:
        inside = [i for i, (a, b) in enumerate(tokens) if start <= a and b <= end and re.search(r"[\w#]", words[i])]
        while kind == "A" and inside and (words[inside[0]] in _ASKING or inside[0] in dated):
            del inside[0]
        # A sentence's first word is capitalised anyway: alone it is no name.
        if inside and (kind != "A" or len(inside) > 1 or not re.search(r"(?:^|[.!?;]\s+)$", raw[:start])):
            kinds[kind].append((inside[0], inside[-1] + 1))
    said = {i for i, word in enumerate(words) if len(word) > 2 and word not in _ASKING and i not in dated}
    runs_of = [(i, i + n) for i in sorted(said) for n in (1, 2, 3) if {*range(i, i + n)} <= said]
    return _Text(raw, tokens, words, kinds | {"w": runs_of})


@lru_cache(maxsize=8192)
def _stems(text: str) -> frozenset[str]:
    words = re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())
    return frozenset(re.sub(r"(?:ies|es|s|ing|ed|e)$", "", w)[:5] if len(w) > 3 else w for w in words)


_MONTH = r"(?P<b>(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)\.?"
_WHEN = (
    r"(?P<Y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})",
    r"(?P<d>\d{1,2})[-/.](?P<m>\d{1,2})[-/.](?P<Y>\d{4})",
    rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH},? (?P<Y>\d{{4}})",
    rf"{_MONTH} (?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<Y>\d{{4}})",
    r"(?P<I>\d{1,2})(?::(?P<M>\d\d))? ?(?P<p>[ap])\.?m",
    r"(?P<H>\d{1,2}):(?P<M>\d\d)",
)
_DATES, _TIMES = ("%Y", "%m", "%d", "%-m", "%-d", "%y", "%B", "%b", "%j"), ("%H", "%M", "%-H", "%I", "%-I", "%p")
_CASES: dict[str, Callable[[str], str]] = {"": str, "l": str.lower, "u": str.upper, "t": str.title}
_CASES |= {"0": lambda text: text.replace(",", ""), "-": lambda text: "-" + text.replace(",", "")}
_CUTS = (("", 0), *product("wj", (1, 2, 3, 4, 5)), *product("c", (0, 2, 3, 4, 5)))


def _moments(raw: str) -> tuple[tuple[datetime, Span], ...]:
    """Return the dates, and the times of day (in the year 1), that stand in `raw`, with their character offsets."""
    found: list[tuple[datetime, Span]] = []
    for match in (match for pattern in _WHEN for match in re.finditer(rf"(?i)\b{pattern}\b", raw)):
        part = {"Y": "0001", "M": "0", **{key: text for key, text in match.groupdict().items() if text}}
        part |= {key: part[key][:3] if key == "b" else part[key] + "m" for key in "bp" if key in part}
        with suppress(ValueError):  # no such day or hour
            when = datetime.strptime(" ".join(part.values()), " ".join(f"%{key}" for key in part)).replace(tzinfo=UTC)
            if not any(a < match.end() and match.start() < b for _, (a, b) in found):
                found.append((when, match.span()))
    return tuple(sorted(found, key=lambda item: item[1]))


def _formats(when: datetime, value: str, seen: str = "") -> Iterator[str]:
    """Yield the strftime formats that write `when` as `value`, in whatever case; `seen` holds the units so far."""
    if not value and ("I" not in seen or "p" in seen):  # twelve hours mean nothing without am or pm
        yield ""
    for directive in () if not value else _TIMES if when.year == 1 else _DATES:
        written, unit = when.strftime(directive), {"B": "m", "b": "m", "y": "Y"}.get(directive[-1], directive[-1])
        if value.lower().startswith(written.lower()) and unit not in seen:
            yield from (directive + rest for rest in _formats(when, value[len(written) :], seen + unit))
    if value and (not value[0].isalnum() or value[0] in "TZ"):
        yield from (value[0].replace("%", "%%") + rest for rest in _formats(when, value[1:], seen))


class _Form(NamedTuple):
    """How a span becomes a value: words cut short, joined, put into a case, affixed; a date or time by strftime `when`.
    `cut` shortens each word (w), all joined (j), or their consonants (c); without a `joint` all stays as written."""

    case: str = ""
    joint: str | None = None
    cut: tuple[str, int] = ("", 0)
    drop: bool = False
    affixes: tuple[str, str] = ("", "")
    when: str = ""

    def render(self, text: _Text, span: Span) -> str:
        core, (how, length) = text.slice(span), self.cut
        if self.when:
            clock = bool(re.search("%-?[HIp]", self.when))
            core = next((when.strftime(self.when) for when, _ in _moments(core) if (when.year == 1) == clock), "")
        elif self.joint is not None:
            words = [text.slice((i, i + 1))[:99] for i in range(*span) if not (self.drop and text.words[i] in _LINKING)]
            pieces = [p for word in words for p in re.split(r"[\W_]+" if how else r"[^\w-]+|[_/]+", word) if p]
            if how in ("j", "c"):
                pieces = ["".join(pieces) if how == "j" else re.sub("(?i)(?<=.)[aeiou]", "", "".join(pieces))]
            core = self.joint.join(piece[: length or None] for piece in pieces)
        return core and self.affixes[0] + _CASES[self.case](core) + self.affixes[1]


def _word_forms(text: _Text, span: Span, value: str) -> Iterator[_Form]:
    """Yield the forms that turn the words of `span` into `value`."""
    raw, seen = text.slice(span), set[str]()
    if raw.lower() == value.lower():
        yield from (_Form(case) for case in [case for case in _CASES if _CASES[case](raw) == value] or [""])
        return
    # One word alone does not tell what joins several: every mark in the value may.
    for drop, cut, joint in product((False, True), _CUTS, {"", *re.findall(r"[\W_]+", value)}):
        core = (form := _Form("", joint, cut, drop)).render(text, span)
        at, end = value.lower().find(core.lower()), value.lower().find(core.lower()) + len(core)
        affixes = value[:at], value[end:]
        if at >= 0 and len(core) >= min(3, len(value)) and core + joint not in seen and max(map(len, affixes)) < 9:
            seen.add(core + joint)
            cases = [case for case in ("", "l", "u", "t") if _CASES[case](core) == value[at:end]]
            yield from (form._replace(case=case, affixes=affixes) for case in cases if " " not in "".join(affixes))


@lru_cache(maxsize=16384)
def _explain(raw: str, value: str) -> dict[Span, set[_Form]]:
    """Return the spans of a query that a form turns into `value`, each with those forms."""
    text, found = _parse(raw), dict[Span, set[_Form]]()
    for span in text.kinds.get("D", ()) if len(value) < 40 else ():
        formats = {form for when, _ in _moments(text.slice(span)) for form in _formats(when, value) if "%" in form}
        forms = [_Form(case, when=form) for form in formats for case in ("", "l", "u")]
        found[span] = {form for form in forms if form.render(text, span) == value}
    if any(found.values()):  # a date is one, however else its characters could be had
        return {span: forms for span, forms in found.items() if forms}
    plain = [re.sub(r"[\W_]+", "", text.slice((i, i + 1)).lower()) for i in range(len(text.tokens))]
    brief = ["" if word in _LINKING else letters for word, letters in zip(text.words, plain, strict=True)]
    whole = re.sub(r"[\W_]+", "", value.lower())
    content = re.sub(r"[\W_]+", "", " ".join(word for word in value.lower().split() if word not in _LINKING))
    starts = [i for i, letters in enumerate(plain) if letters and (letters in whole or letters in content)]
    for i, j in [(i, j + 1) for i in starts for j in starts if i <= j < i + 60]:
        if "".join(plain[i:j]) == whole or (brief[i] and brief[j - 1] and "".join(brief[i:j]) == content):
            found[i, j] = set(_word_forms(text, (i, j), value))
    spans = [span for kind in '"Aw' for span in text.kinds.get(kind, ()) if text.words[span[0]][:1] in value.lower()]
    found |= {span: set(_word_forms(text, span, value)) for span in spans if " " not in value and span not in found}
    for span in text.kinds.get("#", ()):
        found[span] = {_Form(case) for case in "0-" if _CASES[case](text.slice(span)) == value}
    # The forms that account for the most of the value are the ones to believe.
    least = min((len("".join(form.affixes)) for forms in found.values() for form in forms), default=0)
    kept = {span: {form for form in forms if len("".join(form.affixes)) == least} for span, forms in found.items()}
    return {span: forms for span, forms in kept.items() if forms}


@lru_cache(maxsize=4096)
def _places(raw: str) -> dict[Any, Span]:
    """Return the first span at each place: (kind, nth of it), or (words before it, word or mark after it)."""
    text, found, words = _parse(raw), dict[Any, Span](), ("^", *_parse(raw).words, ".")
    for key, spans in text.kinds.items():
        found |= {(key, n - back): span for n, span in enumerate(spans) for back in (0, len(spans)) if key != "w"}
    for start, end in [(i, j) for i in range(len(words) - 2) for j in range(i + 1, min(i + 24, len(words) - 1))]:
        rights = {words[end + 1], *(marks[0] for marks in _MARKS if words[end + 1] in marks)}
        for place in product({words[start : start + 1], words[max(start - 1, 0) : start + 1]}, rights):
            found.setdefault(place, (start, end))
    return found


def _told(query: str, rows: Iterable[tuple[Shown, bool]]) -> float:
    """Return how well the query tells that it belongs to the marked rows: by a word, or by their frequency alone."""
    total, marked = defaultdict[str, float](float), defaultdict[str, float](float)
    for (asked, _, weight), mark in rows:
        for word in {"", *_stems(query) & _stems(asked)}:
            total[word] += weight
            marked[word] += weight * mark
    return max((marked[word] / (total[word] + _DOUBT) for word in total), default=0)


def _supported(query: str, shown: Sequence[Shown]) -> tuple[list[Choice], dict[_Form, float]]:
    """Return the values that explain what was shown, in no order, and the forms that do, with their support."""
    rows = [(row, _explain(row[0], str(row[1]))) for row in shown]
    forms = {form for _, spans in rows for some in spans.values() for form in some}
    by = {form: [(row, any(form in some for some in spans.values())) for row, spans in rows] for form in forms}
    support = {form: _told(query, marked) for form, marked in by.items()}
    # A value that stands in its own query was copied: another query calls for its own, unless it mentions this one.
    copied, found = [row[1] for row, spans in rows if spans], list[Choice]()
    for _, value, _ in shown:
        own = value in copied or str(value).translate(_SHAPE) in [str(v).translate(_SHAPE) for v in copied]
        told = _KNOWN * _mentioned(value, query) if own else _told(query, [(row, row[1] == value) for row in shown])
        found.append((told, value, None))
    for place in {place for row, spans in rows for place, span in _places(row[0]).items() if span in spans}:
        if here := _places(query).get(place):
            there = [(row[2], spans, _places(row[0]).get(place)) for row, spans in rows]
            hits, misses = (sum(w for w, spans, at in there if at and (at in spans) == hit) for hit in (True, False))
            for form in {form for _, spans, span in there if span in spans for form in spans[span]}:
                value = form.render(_parse(query), here)
                found.append((hits / (hits + misses + _MISPLACED) * support[form] * bool(value), value, here))
    return found, support


_ORDERS = ("Y m d", "d m Y", "m d Y", "d b Y", "b d Y", "Y b d", "Y d m", "d m y", "m d y", "y m d")
_FORMATS = [f"%{a}{mark}%{b}{mark}%{c}" for mark in ("-", "/", ".", "", " ") for a, b, c in map(str.split, _ORDERS)]
_FORMATS += ["%Y-%j", "%b %-d, %Y", "%-d %B %Y", "%H:%M", "%H%M", "%H.%M", "%Hh%M", "%H", "%I:%M %p", "%-I %p"]
_SHORT = (("", 0), ("j", 4), ("w", 3), ("j", 3), ("w", 1), ("c", 3), ("c", 4), ("j", 5), ("w", 4), ("w", 2))
_STYLES = [_Form(), *(_Form(case, joint, cut) for cut, joint, case in product(_SHORT, ("-", "_", "", " ", "."), "lut"))]
_STYLES += [_Form(case, when=form) for form in _FORMATS for case in ("ul" if "%b" in form else ("",))]
_PATTERN = re.compile(r"(?i)\b(?:(?:y{4}|yy|m{2,3}|dd|hh)(?:[-/.: ](?=[a-z])|t(?=h))?){2,}\b")
_SHAPE = {ord(c): "0aA"[c.isalpha() + c.isupper()] for c in map(chr, range(48, 592)) if c.isalnum()}
_SAMPLE = {"yyyy": "2001", "yy": "01", "mmm": "Feb", "mm": "02", "dd": "28", "hh": "13"}


def _mentioned(value: Any, query: str) -> float:
    """Return how clearly a query mentions `value`: the share of its characters that a span of the query explains."""
    added = [len("".join(form.affixes)) for forms in _explain(query, str(value)).values() for form in forms]
    return 1 - min(added) / len(str(value)) if added else 0.0


def _guesses(query: str, about: str, numeric: bool, examples: list[str], own: Forms, forms: Forms) -> Iterator[Choice]:
    """Yield the spans of a query as values: in the argument's `own` forms, in other `forms`, or like `examples`."""
    text, kinds = _parse(query), {kind for example in examples for kind in _parse(example).kinds if kind != "w"}
    shapes = [example.translate(_SHAPE) for example in examples]
    dated = any(form.when for form in own) or not (own or not _stems(about) & {"date", "time"})
    bases = {"D": 0.7 if dated else 0.3, '"': 0.5, **dict.fromkeys("@/:._&8", 0.45), "A": 0.4, "w": 0.2}
    bases["#"] = 0.8 if numeric else 0.3
    wanted = "#" if numeric else "D" if own and dated else [key for key in bases if key != "D" or not own]
    for kind, i, span in [(key, i, span) for key in wanted for i, span in enumerate(text.kinds.get(key, ()))]:
        for n, form in enumerate([_Form("0")] if kind == "#" else (*forms, *(() if own or kind == "w" else _STYLES))):
            if bool(form.when) == (kind == "D") and (value := form.render(text, span)):
                alike = [({*shape} == {*value.translate(_SHAPE)}) + (len(shape) == len(value)) for shape in shapes]
                fit = 1.2 * forms[form] if form in forms else max(alike, default=1.2) / 2 - 0.001 * n
                yield max(bases[kind], 0.7 * (kind in kinds)) * fit - 0.01 * i, value, span
    if (said := [i for i, word in enumerate(text.words) if word[-1].isalnum()]) and not numeric and not own:
        start = next((i for i in said if text.words[i] not in _ASKING), said[0])
        yield 0.1, text.slice((start, said[-1] + 1)), None


def _blamed(failure: Failure, names: Iterable[str]) -> list[str]:
    """Return the arguments that an error names; where it names several, the one whose value it quotes."""
    named = [name for name in names if re.search(rf"\b{re.escape(name)}\b", failure[1])]
    quoted = [n for n in named or names if len(sent := str(failure[0].arguments.get(n, ""))) > 1 and sent in failure[1]]
    return quoted if len(quoted) == 1 else named


def _lessons(failure: Failure) -> list[tuple[str, str]]:
    """Return the values that an error shows, quoted, listed, patterned or marked, each with the rest of the error."""
    call, error = failure[0], failure[1][:2000]
    sample = partial(re.sub, r"(.)\1+", lambda run: _SAMPLE.get(run[0], ""))
    error = _PATTERN.sub(lambda match: f"'{sample(match[0].lower())}'", error)
    text, shown = _parse(error), [match[1] or match[2] for match in _QUOTED.finditer(error)]
    listed = re.split(r",\s*(?:or |and )?|\s+or\s+|\s+and\s+", re.split(r"one of|:\s|\bare\b", error)[-1])
    shown = shown or (listed if len(listed) > 1 else [text.slice(s) for k in "@/:._8D" for s in text.kinds.get(k, ())])
    return [
        (v.strip(" []()."), error.replace(v, "")) for v in shown if v and v not in map(str, call.arguments.values())
    ]


def _values(query: str, name: str, schema: Any, shown: list[Shown], errors: list[Failure], ways: Forms) -> list[Choice]:
    """Return the values for an argument, the most plausible first; `errors` are those that it was blamed for."""
    kind, about = schema.get("type"), str(schema.get("description", ""))
    rejected, lessons = [call.arguments.get(name) for call, _ in errors], [one for e in errors for one in _lessons(e)]
    present, default = [row for row in shown if row[1] is not None], [schema[key] for key in schema if key == "default"]
    found, own = _supported(query, present)
    lists = [[value for value, _ in some] for some in map(_lessons, errors) if len(some) > 1]
    listed = [True, False] if kind == "boolean" else lists[0] if lists else schema.get("enum") or ()
    if listed:
        found = [(score * (0.5 if errors else 1), value, span) for score, value, span in found if value in listed]
        found += [(0.9 * _mentioned(value, query) + 0.02 / (1 + i), value, None) for i, value in enumerate(listed)]
    else:
        own |= {form: 1.0 for value, rest in lessons for some in _explain(rest, value).values() for form in some}
        told = schema.get("examples") or [value for value, _ in _lessons((ToolCall("", {}), about))] or default
        examples = [*map(str, [value for value, _ in lessons] or [value for _, value, _ in present] or told)]
        # An example of a date shows by itself how dates are written.
        own = own or {
            form: 1.0 for one in examples for some in _explain(one, one).values() for form in some if form.when
        }
        guesses = _guesses(query, f"{name} {about}", kind in ("integer", "number"), examples, own, ways | own)
        found += [(_GUESS * score, value, span) for score, value, span in guesses]
    found += [(0.1, value, None) for value in default]
    best = dict[str, Choice]()
    for score, value, span in sorted(found, key=lambda choice: (-choice[0], str(choice[1:]))):
        if score > _LEAST and (typed := _typed(value, schema)) not in [*rejected, None]:
            best.setdefault(json.dumps(typed), (score, typed, span))
    return list(best.values())


def _typed(value: Any, schema: Any) -> Any:
    """Return `value` as the JSON type that `schema` asks for, None where it cannot be read as one."""
    kind = schema.get("type")
    if kind in ("integer", "number") and isinstance(value, str):
        digits = value.replace(",", "")[:400]
        return None if not _NUMBER.fullmatch(value) else float(digits) if "." in digits else int(digits)
    return [_typed(value, schema.get("items", {}))] if kind == "array" and not isinstance(value, list) else value


def _readings(query: str, tool: ToolSpec, demos: list[Demonstration], failures: list[Failure]) -> Iterator[ToolCall]:
    """Yield the calls of `tool` that may be meant: the best, then with one argument changed, then with two."""
    schemas, calls = prompts.argument_schemas(tool), [(demo.query, call) for demo in demos for call in demo.calls]
    own = [pair for pair in calls if pair[1].name == tool.name]
    rows = [(asked, call.arguments, (1 + rank) ** -0.5) for rank, (asked, call) in enumerate(own)]
    rows += [("", arguments, 0.3) for arguments in prompts.hints_in(tool.description)[1]]
    # What is written in some form elsewhere may be written so here.
    pairs = [(asked, value) for asked, call in calls for value in call.arguments.values() if isinstance(value, str)]
    pairs += [(rest, value) for failure in failures for value, rest in _lessons(failure)]
    forms = {form: _ELSEWHERE for asked, value in pairs for some in _explain(asked, value).values() for form in some}
    blamed = [(failure, _blamed(failure, schemas)) for failure in failures if failure[0].name == tool.name]
    choices, best = dict[str, list[Choice]](), dict[str, Choice]()
    for name, schema in schemas.items():
        errors = [failure for failure, names in blamed if names == [name]]
        shown = [(asked, arguments.get(name), weight) for asked, arguments, weight in rows]
        choices[name] = _values(query, name, schema, shown, errors, forms)
        if name not in prompts.required_arguments(tool) and all(name in call.arguments for call, _ in errors):
            there, absent = (_told(query, [(row, (row[1] is None) == out) for row in shown]) for out in (False, True))
            left_out = absent > there if shown else not choices[name] or choices[name][0][0] < _EVIDENT
            choices[name].insert(0 if left_out else len(choices[name]), (absent * left_out, None, None))
        if not choices[name]:
            return
    for name in sorted(choices, key=lambda name: -choices[name][0][0]):
        used = {span for _, _, span in best.values() if span}  # a span serves one argument, where it can be
        best[name] = next((choice for choice in choices[name] if choice[2] not in used), choices[name][0])
    others = [(name, choice) for name in choices for choice in choices[name] if choice != best[name]]
    others.sort(key=lambda other: (not blamed or blamed[-1][1] != [other[0]], best[other[0]][0] - other[1][0]))
    for change in ((), *([other] for other in others), *product(others[:8], others[:8])):
        arguments = {name: value for name, (_, value, _) in (best | dict(change)).items() if value is not None}
        yield ToolCall(tool.name, arguments)


def _ranked(query: str, tools: Sequence[ToolSpec], demos: list[Demonstration]) -> list[ToolSpec]:
    """Return the tools that have anything to do with `query`, the likeliest first; none that is far less likely."""
    words, told, nearest = _stems(query), dict[str, float](), defaultdict[str, float](float)
    described: dict[str, tuple[dict[str, float], int]] = {}
    for tool in tools:
        about = str(prompts.argument_schemas(tool))
        texts = [(0.7, _stems(about)), (1.0, _stems(prompts.hints_in(tool.description)[0])), (1.5, _stems(tool.name))]
        found = {word: weight for weight, stems in texts for word in stems & words - _ASKING}
        described[tool.name] = found, sum(len(stems) for _, stems in texts)
    count = Counter(word for found, _ in described.values() for word in found)
    rarity = {word: math.log(1 + len(tools) / (1 + count[word])) for word in words - _ASKING}
    whole, mean = math.fsum(rarity.values()) or 1, sum(size for _, size in described.values()) / (len(tools) or 1)
    for name, (found, size) in described.items():
        said = math.fsum(rarity[word] * weight for word, weight in found.items()) / whole
        told[name] = _TOLD * (said / (1 - _LONG + _LONG * size / (mean or 1))) ** 2
    count, size = count + Counter(word for demo in demos for word in _stems(demo.query)), len(tools) + len(demos)
    for rank, demo in enumerate(demos):
        weight = {word: math.log(1 + size / (1 + count[word])) for word in _stems(demo.query) | words}
        alike = math.fsum(weight[word] for word in _stems(demo.query) & words) / (math.fsum(weight.values()) or 1)
        name = demo.calls[0].name if demo.calls else ""
        nearest[name] = max(nearest[name], alike**3 / (1 + rank) ** 0.3)
    scored = [(told[tool.name] + nearest[tool.name], tool) for tool in tools]
    least = max(nearest[""], _NEARLY * max((score for score, _ in scored), default=0))
    return [tool for score, tool in sorted(scored, key=lambda item: -item[0]) if score >= least and score > nearest[""]]


class Recall(ChatModel):
    """Answers by analogy with the demonstrations in the prompt; see the module."""

    name = "recall"

    def generate(self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: Options) -> Reply:  # noqa: ARG002
        """Return the most plausible call that this conversation has not made yet, or text where none is left."""
        if messages and messages[-1].role == "tool" and not messages[-1].is_error:
            return Reply(messages[-1].content)
        query = next((message.content for message in reversed(messages) if message.role == "user"), "")
        demos, failures = prompts.demonstrations_in(prompts.system_text(messages)), prompts.failures_in(messages)
        tried = [(call.name, call.arguments) for message in messages for call in message.tool_calls]
        calls = (call for tool in _ranked(query, tools, demos) for call in _readings(query, tool, demos, failures))
        for call in (call for call in calls if (call.name, call.arguments) not in tried):
            return Reply(tool_calls=(call,))
        return Reply("I have no further idea.")
