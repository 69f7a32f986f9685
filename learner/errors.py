"""What can go wrong while learning and measuring.

LearnerError
├── SuiteError         a suite, or its cases, cannot be read
└── EvaluationError    the measurement that was asked for cannot be made
"""


class LearnerError(Exception):
    """Base of every error this package raises."""


class SuiteError(LearnerError):
    """A suite cannot be read; the message names the file, the line and the next step."""


class EvaluationError(LearnerError):
    """The measurement that was asked for cannot be made; nothing was measured."""
