"""What can go wrong with the memory.

MemoryFileError
├── MemoryBusyError     another process holds it
└── MemoryDamagedError  it is damaged, or no database at all
ArtefactError          an artefact's folder is missing, damaged, or cannot be written
"""


class MemoryFileError(Exception):
    """The memory cannot be opened; the message names the file and the next step."""


class MemoryBusyError(MemoryFileError):
    """Another process held the memory for longer than the busy timeout."""


class MemoryDamagedError(MemoryFileError):
    """The file is damaged, or no database: it will be no better when something else is."""


class ArtefactError(Exception):
    """The artefact is missing, damaged, of a format that this version does not read, or cannot be written."""
