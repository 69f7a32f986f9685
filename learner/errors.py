"""What can go wrong while learning and measuring.

LearnerError
├── SuiteError              a suite, or its cases, cannot be read
├── EvaluationError         the measurement that was asked for cannot be made
├── NothingToLearnError     the memory holds no trial that teaches something
├── UnknownServerError      no server of that name or uid was seen
├── UnknownArtefactError    no artefact has that name, or it has nothing to show
├── PracticeError           the server to practise on could not be reached
├── NotConfirmedError       somebody was asked and said no, or there was nobody to ask
└── NotForgottenError       something still holds what was to be forgotten
"""


class LearnerError(Exception):
    """Base of every error this package raises."""


class SuiteError(LearnerError):
    """A suite cannot be read; the message names the file, the line and the next step."""


class EvaluationError(LearnerError):
    """The measurement that was asked for cannot be made; nothing was measured."""


class NothingToLearnError(LearnerError):
    """The memory holds no trial that teaches something."""


class UnknownServerError(LearnerError):
    """No server of that name or uid was seen; the message lists those that were."""


class UnknownArtefactError(LearnerError):
    """No artefact has that name, or it has nothing to show."""


class PracticeError(LearnerError):
    """The server to practise on could not be reached."""


class NotConfirmedError(LearnerError):
    """Somebody was asked and said no, or there was nobody to ask; nothing was done."""


class NotForgottenError(LearnerError):
    """Something still holds what was to be forgotten; the message names it and the next step."""
