"""Regular expressions that are compiled when they are first used."""

import re
from collections.abc import Callable, Iterator


class LazyPattern:
    """Looks like a compiled pattern. A relay has to start fast, and most of what passes needs none of these."""

    match: Callable[..., re.Match[str] | None]
    fullmatch: Callable[..., re.Match[str] | None]
    search: Callable[..., re.Match[str] | None]
    finditer: Callable[..., Iterator[re.Match[str]]]
    findall: Callable[..., list[str]]
    sub: Callable[..., str]

    def __init__(self, *alternatives: str, flags: re.RegexFlag = re.NOFLAG) -> None:
        self._pattern = "|".join(alternatives)
        self._flags = flags

    def __getattr__(self, name: str) -> object:
        # Only as long as the methods are not there: from then on, calling them costs nothing more.
        compiled = re.compile(self._pattern, self._flags)
        self.match, self.fullmatch, self.search = compiled.match, compiled.fullmatch, compiled.search
        self.finditer, self.findall, self.sub = compiled.finditer, compiled.findall, compiled.sub
        return self.__dict__[name]
