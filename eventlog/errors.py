"""What can go wrong, drawn once.

EventLogError
├── Rejected            a rule says no; carries a stable kebab-case code and the values its sentence needs
├── Absent              there is no such stream, or none the caller may know of: the two are the same answer
├── Forbidden           the caller may know of the stream but lacks the right to do this
├── VersionConflict     the stream has moved on from the version the caller named, or kept moving while we tried
├── CommandMismatch     this command id was answered before, for other words
├── CorruptHistory      stored facts that no version of the code can read, or a hole in a topic
├── Fenced              another worker has taken over; this one must stop at once
└── Unavailable         the log cannot be reached; nothing is known of the last call, the same command may be sent again
"""

from collections.abc import Mapping
from uuid import UUID


class EventLogError(Exception):
    """The root: everything this package raises on purpose."""


class Rejected(EventLogError):
    """A rule refuses a command. ``code`` is stable; its sentence stands in a service's messages.toml."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values: Mapping[str, object] = values


class Absent(EventLogError):
    """The stream does not exist for this caller."""


class Forbidden(EventLogError):
    """The caller lacks the right to this action here."""


class VersionConflict(EventLogError):
    """The stream stands at ``actual``."""

    def __init__(self, actual: int) -> None:
        super().__init__(f"the stream stands at version {actual}")
        self.actual = actual


class CommandMismatch(EventLogError):
    """``command_id`` was accepted before with another body."""

    def __init__(self, command_id: UUID) -> None:
        super().__init__(f"command {command_id} was answered for another body")
        self.command_id = command_id


class CorruptHistory(EventLogError):
    """Stored facts contradict the code or each other; carrying on would lose or double something."""


class Fenced(EventLogError):
    """Somebody else owns this work now."""


class Unavailable(EventLogError):
    """The log did not answer; the command may or may not have been accepted."""
