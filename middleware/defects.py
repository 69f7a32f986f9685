"""What is said of a defect of ours: it costs a record, never a message, and the person hears of it once."""

from middleware.memory.writer import report_to_stderr


class Defects:
    """Those of one relay process."""

    def __init__(self) -> None:
        self._are_said = False

    def say(self, error: Exception) -> None:
        """Ask the person to report `error`, if it is the first."""
        if not self._are_said:
            self._are_said = True
            report_to_stderr(f"a message passed unrecorded, please report this: {type(error).__name__}: {error}")
