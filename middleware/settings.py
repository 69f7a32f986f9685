"""What a person can set about one relay, the same on every transport."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """`timeout_s` is the longest that a request may be left without an answer; None: for ever."""

    timeout_s: float | None = None


DEFAULTS = Settings()
