"""Child: what the supervisor needs to know of a server to keep it running."""

from typing import Protocol


class Child(Protocol):
    """A server in a process of its own. Every method may be called again after `stop`."""

    @property
    def name(self) -> str: ...

    async def start(self) -> None:
        """Prepare and launch it; it need not serve yet. Raises LocalError."""
        ...

    async def ready(self) -> None:
        """Return once it serves. Raises ChildFailed when it ended first or took too long."""
        ...

    async def stop(self) -> None:
        """End it with all its descendants within a few seconds; without effect when it does not run."""
        ...

    def alive(self) -> bool: ...

    def why(self) -> str:
        """How it ended, with its last words, in one line."""
        ...
