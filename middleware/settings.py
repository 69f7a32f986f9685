"""What a person can set about one relay, the same on every transport."""

from dataclasses import dataclass
from typing import Literal

from middleware.abridge import LONG, VALUE_LIMIT, WHOLE_LIMIT, Abridger
from middleware.memory.shortening import MARGIN

# How much of what a call says is kept: all of it, the beginnings of long values, or nothing.
Capture = Literal["full", "cut", "off"]

CUT_BYTES = 16 * 1024
MIN_CUT_BYTES = 1024
MAX_CUT_BYTES = LONG  # above that, messages are not read whole


@dataclass(frozen=True)
class Settings:
    """`timeout_s` is the longest that a request may be left without an answer; None: for ever. `capture` says how much
    is kept of arguments and results; with "cut", the beginnings of those above `cut_bytes`. `intent` says whether the
    argument for what a call is for is ours: models are asked (see `asks_intents`), and servers never see it.
    """

    timeout_s: float | None = None
    capture: Capture = "cut"
    cut_bytes: int = CUT_BYTES
    intent: bool = False

    @property
    def asks_intents(self) -> bool:
        """Whether models are asked, which is for nothing where nothing that calls say is kept."""
        return self.intent and self.capture != "off"

    @property
    def value_limit(self) -> int | None:
        """The bytes of arguments, or of a result, that are kept; None: all."""
        return None if self.capture == "full" else self.cut_bytes

    @property
    def whole_limit(self) -> int:
        """The bytes up to which a message is read whole; of a longer one, the beginnings of its values are."""
        return WHOLE_LIMIT if self.capture == "full" else LONG

    def abridger(self) -> Abridger:
        """Return what reads one message as far as it is to be kept."""
        # Not below its default: that is also how much of a `requestState` is compared.
        return Abridger(long=self.whole_limit, value_limit=max(VALUE_LIMIT, self.cut_bytes) + MARGIN)


DEFAULTS = Settings()
