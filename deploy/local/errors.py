"""What can go wrong while the local platform starts or is asked; every error says what to do about it.

LocalError
├── HomeInUse          another platform runs on this home
├── HomeNotOurs        the home cannot be written, or a part of it is gone
├── NoFreePort
├── NoPostgres         no usable PostgreSQL binaries, or not of the version the data needs
├── NoJava
├── JarMissing         a jar could not be downloaded
├── JarDamaged         a jar is not the one that was locked
├── NotEmpty           what is to be played needs a platform where nothing was recorded
├── ChildFailed        a child process ended, or was not ready in time
└── NoAnswer           the database or Kafka does not answer
"""


class LocalError(Exception):
    """One sentence on what is wrong, and one on what to do about it."""

    def __init__(self, says: str, remedy: str) -> None:
        super().__init__(f"{says} {remedy}")
        self.says = says
        self.remedy = remedy


class HomeInUse(LocalError): ...


class HomeNotOurs(LocalError): ...


class NoFreePort(LocalError): ...


class NoPostgres(LocalError): ...


class NoJava(LocalError): ...


class JarMissing(LocalError): ...


class JarDamaged(LocalError): ...


class NotEmpty(LocalError): ...


class ChildFailed(LocalError): ...


class NoAnswer(LocalError): ...
