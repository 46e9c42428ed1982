"""PythonService: one of our own ASGI services as a child process."""

import signal
from collections.abc import Mapping, Sequence

import httpx2

from deploy.local.home import Home
from deploy.local.logs import Logs
from deploy.local.process import Process
from deploy.local.settings import CHECKOUT
from deploy.local.waiting import until_ready

_PATIENCE = 60.0


class PythonService:
    """Ready when ``ready_url`` answers with success."""

    def __init__(self, name: str, home: Home, argv: Sequence[str], env: Mapping[str, str], ready_url: str) -> None:
        """``argv`` starts with the interpreter; ``env`` is added to our environment."""
        self.name = name
        self._argv = tuple(argv)
        self._env = dict(env)
        self._ready_url = ready_url
        self._log = Logs(home.logs).file(name)
        self._process = Process(name, home, signal.SIGTERM, grace=3.0)

    @property
    def pid(self) -> int | None:
        return self._process.pid

    async def start(self) -> None:
        # In the checkout, so that `python -m` finds the packages there even where they are not installed.
        self._process.start(self._argv, env=self._env, cwd=CHECKOUT)

    async def ready(self) -> None:
        # Never through a proxy of the environment: the service is on this machine.
        async with httpx2.AsyncClient(trust_env=False, timeout=5) as client:

            async def serves() -> bool:
                try:
                    return (await client.get(self._ready_url)).is_success
                except httpx2.TransportError:
                    return False

            await until_ready(self._process, serves, _PATIENCE, str(self._log))

    async def stop(self) -> None:
        await self._process.stop()

    def alive(self) -> bool:
        return self._process.alive()

    def why(self) -> str:
        return self._process.why()
