"""Which package may import which: what each layer may know of the others, read from the source itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
OURS = {"servers", "middleware", "learner", "adapters"}

# By the longest matching prefix of a module's name: what of ours it may import.
ALLOWED = {
    "servers": {"servers"},
    "adapters": {"adapters"},
    "middleware.memory": {"middleware.memory"},
    "middleware": {"middleware"},
    "learner": {"learner", "adapters", "middleware.memory"},
    "learner.cli": {"learner", "adapters", "middleware", "servers"},
}
# What must not be loaded where start-up or weight matters, or where another SQLite would break locks.
FORBIDDEN = {
    "servers": {"sqlite3", "apsw"},
    "adapters": {"sqlite3", "apsw", "mcp"},
    "middleware": {"sqlite3", "mcp", "pydantic", "sqlite_utils"},
    "learner": {"sqlite3", "apsw", "sqlite_utils"},
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in sorted(OURS):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""


def of_longest_prefix(name: str, table: dict[str, set[str]]) -> set[str]:
    return table[max((prefix for prefix in table if (name + ".").startswith(prefix + ".")), key=len)]


def within(name: str, prefixes: set[str]) -> bool:
    return any((name + ".").startswith(prefix + ".") for prefix in prefixes)


def test_each_package_imports_only_what_its_layer_may() -> None:
    seen = 0
    for name, tree in modules():
        for target in imported(tree):
            if target.split(".")[0] in OURS:
                seen += 1
                assert within(target, of_longest_prefix(name, ALLOWED)), f"{name} imports {target}"
    assert seen > 20


def test_no_package_imports_what_its_layer_must_not() -> None:
    for name, tree in modules():
        for target in imported(tree):
            assert not within(target, of_longest_prefix(name, FORBIDDEN)), f"{name} imports {target}"


def test_sql_stands_in_the_memory_only() -> None:
    for name, tree in modules():
        if not within(name, {"middleware.memory"}):
            assert "apsw" not in set(imported(tree)), name
