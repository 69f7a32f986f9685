"""Suites: a folder of tools, and cases whose right calls are known.

`suite.json` says what it is, `tools.json` is an MCP `tools/list` result, and `cases-SPLIT.jsonl` holds one
case a line: `{"id", "query", "calls": [{"name", "arguments", "allowed"?}], "tools"?, "ordered"?,
"template"?}`. Members that this version does not know are passed over; those it knows must have the right
type.
"""

import json
import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.messages import ToolCall, ToolSpec
from learner.errors import SuiteError


@dataclass(frozen=True)
class GoldCall:
    """A right call. `allowed` lists the accepted values of each argument; "" among them: it may be left out.

    Without `allowed`, `arguments` is the one accepted form.
    """

    name: str
    arguments: Mapping[str, Any]
    allowed: Mapping[str, Sequence[Any]] | None = None


@dataclass(frozen=True)
class Case:
    """A query and its gold: no `calls` means that none should be made, several mean all of them.

    `tools` names what the model sees (None: all of the suite's), `template` the pattern that the query was
    made from (None: unknown).
    """

    id: str
    query: str
    calls: tuple[GoldCall, ...] = ()
    tools: tuple[str, ...] | None = None
    ordered: bool = False
    template: str | None = None


@dataclass(frozen=True)
class Suite:
    """Tools, and where their cases lie."""

    name: str
    source: str
    license: str
    note: str
    tools: tuple[ToolSpec, ...]
    folder: Path


def read_suite(folder: Path) -> Suite:
    """Return the suite in `folder`, without its cases.

    Raises:
        SuiteError: the folder, `suite.json` or `tools.json` is missing or malformed.
    """
    if not folder.is_dir():
        raise SuiteError(f"no suite at {folder}: it is not a folder; give one that holds suite.json")
    about_path, tools_path = folder / "suite.json", folder / "tools.json"
    about = _Fields(_document(about_path), str(about_path))
    tools: dict[str, ToolSpec] = {}
    for number, row in enumerate(_Fields(_document(tools_path), str(tools_path)).rows("tools"), start=1):
        fields = _Fields(row, f"{tools_path}: tool {number}")
        tool = ToolSpec(fields.text("name"), fields.text("description", ""), fields.mapping("inputSchema"))
        if tool.name in tools:
            raise fields.wrong(f"the name {tool.name!r} is taken by an earlier tool; give each its own")
        tools[tool.name] = tool
    return Suite(
        name=about.text("name"),
        source=about.text("source", ""),
        license=about.text("license", ""),
        note=about.text("note", ""),
        tools=tuple(tools.values()),
        folder=folder,
    )


def read_cases(suite: Suite, split: str) -> list[Case]:
    """Return the cases of one split, in the order of the file.

    Raises:
        SuiteError: the split is missing or empty, a line is malformed, an id comes twice, or a case names a
            tool that the suite does not have.
    """
    path = suite.folder / f"cases-{split}.jsonl"
    if not path.is_file():
        splits = sorted(file.name[6:-6] for file in suite.folder.glob("cases-*.jsonl"))
        known = f"it has {', '.join(splits)}" if splits else "it has no cases at all"
        raise SuiteError(f"the suite {suite.folder} has no split {split!r}: {known}")
    known_tools = frozenset(tool.name for tool in suite.tools)
    cases: dict[str, Case] = {}
    for place, row in _lines(path):
        fields = _Fields(row, place)
        case = _case(fields)
        if case.id in cases:
            raise fields.wrong(f"the id {case.id!r} is taken by an earlier case; give each its own")
        for name in (*(call.name for call in case.calls), *(case.tools or ())):
            if name not in known_tools:
                raise fields.wrong(f"no tool of the suite is called {name!r}; add it to tools.json or correct the case")
        cases[case.id] = case
    if not cases:
        raise SuiteError(f"{path} holds no cases; add one a line")
    return list(cases.values())


def write_suite(
    folder: Path, about: Mapping[str, str], tools: Sequence[Mapping[str, Any]], cases: Mapping[str, Sequence[Case]]
) -> None:
    """Write a suite into the new folder `folder`, all of it or nothing: `cases` by split, `tools` as listed over MCP.

    `about` holds `name`, `source`, `license` and `note`.

    Raises:
        SuiteError: something is there already, or it cannot be written.
    """
    texts = {
        "suite.json": json.dumps(dict(about), indent=1, ensure_ascii=False) + "\n",
        "tools.json": json.dumps({"tools": list(tools)}, indent=1, ensure_ascii=False) + "\n",
    } | {f"cases-{split}.jsonl": "".join(_line(case) + "\n" for case in some) for split, some in cases.items()}
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise SuiteError(f"{folder} is there already; name a folder that is new or empty")
    draft = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
        draft.chmod(0o755)  # a suite is no secret, and mkdtemp keeps others out
        for name, text in texts.items():
            (draft / name).write_text(text, encoding="utf-8")
        draft.rename(folder)  # an empty folder gives way
    except OSError as error:
        raise SuiteError(f"cannot write a suite to {folder}: {error.strerror}; name another folder") from error
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)


def _line(case: Case) -> str:
    calls: list[dict[str, Any]] = [
        {"name": call.name, "arguments": dict(call.arguments)}
        | ({} if call.allowed is None else {"allowed": dict(call.allowed)})
        for call in case.calls
    ]
    row: dict[str, Any] = {"id": case.id, "query": case.query, "calls": calls}
    if case.tools is not None:
        row["tools"] = list(case.tools)
    if case.ordered:
        row["ordered"] = True
    if case.template is not None:
        row["template"] = case.template
    return json.dumps(row, ensure_ascii=False)


def read_predictions(path: Path) -> dict[str, list[ToolCall]]:
    """Return what another system called, by case id.

    One JSON object a line, `{"id", "calls": [{"name", "arguments"}]}`. A call may be as malformed as the system made
    it: that is for the score to say.

    Raises:
        SuiteError: the file is missing, a line is malformed, or an id comes twice.
    """
    if not path.is_file():
        raise SuiteError(f"no predictions at {path}; give a file with one JSON object a line")
    predictions: dict[str, list[ToolCall]] = {}
    for place, row in _lines(path):
        fields = _Fields(row, place)
        case = fields.text("id")
        if case in predictions:
            raise fields.wrong(f"the id {case!r} is taken by an earlier line; give each case one line")
        predictions[case] = [_said(call) for call in fields.rows("calls")]
    return predictions


def _said(call: Any) -> ToolCall:
    row: dict[str, Any] = call if isinstance(call, dict) else {}
    # Whatever stands for the arguments is kept: no object, no well-formed call.
    return ToolCall(str(row.get("name", "")), row.get("arguments", []))


def _case(fields: "_Fields") -> Case:
    calls = []
    for row in fields.rows("calls"):
        call = _Fields(row, fields.place)
        allowed = call.mapping("allowed") if "allowed" in call.row else None
        for argument, values in (allowed or {}).items():
            if not isinstance(values, list) or not values:
                raise call.wrong(f"'allowed' of {argument!r} must be a list of at least one accepted value")
        calls.append(GoldCall(call.text("name"), call.mapping("arguments"), allowed))
    tools = None
    if "tools" in fields.row:
        tools = fields.row["tools"]
        if not isinstance(tools, list) or not all(isinstance(name, str) for name in tools):
            raise fields.wrong("'tools' must be a list of tool names")
    ordered = fields.row.get("ordered", False)
    if not isinstance(ordered, bool):
        raise fields.wrong("'ordered' must be true or false")
    return Case(
        id=fields.text("id"),
        query=fields.text("query"),
        calls=tuple(calls),
        tools=None if tools is None else tuple(tools),
        ordered=ordered,
        template=fields.text("template") if "template" in fields.row else None,
    )


class _Fields:
    """The members of one JSON object from a file, each of the type that is asked for."""

    def __init__(self, row: object, place: str) -> None:
        self.place = place
        if not isinstance(row, dict):
            raise self.wrong("must be a JSON object")
        self.row: dict[str, Any] = row

    def wrong(self, what: str) -> SuiteError:
        return SuiteError(f"{self.place}: {what}")

    def text(self, name: str, default: str | None = None) -> str:
        value = self.row.get(name, default)
        if not isinstance(value, str) or not (value or default == ""):
            raise self.wrong(f"{name!r} must be a text that is not empty")
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        value = self.row.get(name)
        if not isinstance(value, dict):
            raise self.wrong(f"{name!r} must be a JSON object")
        return value

    def rows(self, name: str) -> list[Any]:
        value = self.row.get(name)
        if not isinstance(value, list):
            raise self.wrong(f"{name!r} must be a list")
        return value


def _document(path: Path) -> Any:
    return _json(_bytes(path), str(path))


def _lines(path: Path) -> Iterator[tuple[str, Any]]:
    # Only \n ends a line of JSON Lines: U+2028 and its like may stand inside a text.
    for number, line in enumerate(_bytes(path).split(b"\n"), start=1):
        if line.strip():
            yield f"{path}:{number}", _json(line, f"{path}:{number}")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise SuiteError(
            f"{path} is missing; a suite is a folder with suite.json, tools.json and cases-SPLIT.jsonl"
        ) from error
    except OSError as error:
        raise SuiteError(f"{path} cannot be read: {error.strerror}; correct that or give another suite") from error


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON number")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _json(text: bytes, place: str) -> Any:
    try:
        value = json.loads(text.decode(), parse_constant=_no_number, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text, and could not be stored
    except (ValueError, RecursionError) as error:
        # UnicodeError and JSONDecodeError are both ValueErrors, and both say where.
        raise SuiteError(f"{place}: not JSON in UTF-8 ({error}); correct or remove it") from error
    return value
