"""Changing secrets: the file that all services of a home follow, and what they wrapped, from the old secret to the new.

First every database learns that the new secret may wrap, then it comes into the file, in front: whoever meets a key
under a name they do not know looks there. Then what the old one wrapped is wrapped again; it goes when nothing needs
it. So the first secret in the file is always the newest. A change that was broken off before its secret came into the
file has wrapped nothing, and another secret takes its place; one that was broken off later is finished.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg

from deploy.local.endpoints import Endpoints
from deploy.local.errors import LocalError
from deploy.local.files import write_whole
from eventlog import rotation
from eventlog.connections import Pool
from eventlog.wrapping import SecretFile, Wrapping, secrets_of

PATIENCE = 60.0  # seconds until every shared key must have come again under the new secret
LOOK = 0.1

Uses = Mapping[bytes, int]
"""How many keys each secret wraps, by its name."""


class StillInUse(LocalError):
    """Keys under the old secret did not go away in time."""


@asynccontextmanager
async def keys_of(endpoints: Endpoints) -> AsyncGenerator[Sequence[Pool]]:
    """The keys' databases of all services."""
    async with AsyncExitStack() as open_:
        yield [
            await open_.enter_async_context(asyncpg.create_pool(endpoints.postgres_dsns[f"{name}-keys"], min_size=0))
            for name in endpoints.services
        ]


class Secret(ABC):
    """A secret of this home, in its file, and what it wraps."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @property
    def first(self) -> Wrapping:
        """What wraps from now on."""
        return secrets_of(self.file)[0]

    @abstractmethod
    async def learn(self, pools: Sequence[Pool], secrets: Sequence[Wrapping]) -> None:
        """Let secrets wrap."""

    @abstractmethod
    async def move(self, pools: Sequence[Pool]) -> int:
        """Bring everything under the first secret; return how many keys were not. Raises StillInUse."""

    @abstractmethod
    async def uses(self, pools: Sequence[Pool]) -> Uses: ...

    @abstractmethod
    async def let_go(self, pools: Sequence[Pool], name: bytes) -> bool:
        """End a secret's right to wrap; False while it still wraps something."""


class Master(Secret):
    """Wraps keys where they are made."""

    async def learn(self, pools: Sequence[Pool], secrets: Sequence[Wrapping]) -> None:
        for pool in pools:
            await rotation.introduce(pool, secrets)

    async def move(self, pools: Sequence[Pool]) -> int:
        return sum([await rotation.wrap_again(pool, SecretFile(self.file), self.first) for pool in pools])

    async def uses(self, pools: Sequence[Pool]) -> Uses:
        return added([await rotation.wrapped_by(pool) for pool in pools])

    async def let_go(self, pools: Sequence[Pool], name: bytes) -> bool:
        return all([await rotation.retire(pool, name) for pool in pools])


class Sharing(Secret):
    """Wraps keys on their way from service to service, and where they arrived."""

    async def learn(self, pools: Sequence[Pool], secrets: Sequence[Wrapping]) -> None:
        """No database is asked who may wrap for the topics."""

    async def move(self, pools: Sequence[Pool]) -> int:
        found = await self._others(pools)
        for pool in pools:
            await rotation.share_again(pool)
        try:
            async with asyncio.timeout(PATIENCE):
                while await self._others(pools):  # noqa: ASYNC110 - what is waited for goes through Kafka
                    await asyncio.sleep(LOOK)
        except TimeoutError:
            raise StillInUse(
                f"{await self._others(pools)} shared keys have not come again under the new secret.",
                "See `shangyi status`, and run the same command again once all services work.",
            ) from None
        return found

    async def uses(self, pools: Sequence[Pool]) -> Uses:
        return added([await rotation.received_under(pool) for pool in pools])

    async def let_go(self, pools: Sequence[Pool], name: bytes) -> bool:
        return not (await self.uses(pools)).get(name)

    async def _others(self, pools: Sequence[Pool]) -> int:
        return sum(keys for name, keys in (await self.uses(pools)).items() if name != self.first.name)


async def rotate(secret: Secret, pools: Sequence[Pool]) -> int:
    """Change a secret, or finish a change that was broken off; return how many keys were moved."""
    known = list(secrets_of(secret.file))
    new = [Wrapping.new()] if len(known) == 1 else []
    await secret.learn(pools, [*reversed(known), *new])
    if new:
        keep(secret.file, [*new, *known])
    return await secret.move(pools)


async def retire(secret: Secret, pools: Sequence[Pool]) -> Sequence[bytes]:
    """Take every secret out of the file that is not the first and wraps nothing; return the names of those.

    Nothing wraps any more under those that a change left behind which was broken off before they came into the file.
    """
    first, *others = secrets_of(secret.file)
    known = {one.name for one in (first, *others)}
    gone = [old for old in others if await secret.let_go(pools, old.name)]
    for left_behind in (await secret.uses(pools)).keys() - known:
        await secret.let_go(pools, left_behind)
    if gone:
        keep(secret.file, [first, *(old for old in others if old not in gone)])
    return [old.name for old in gone]


def keep(file: Path, secrets: Sequence[Wrapping]) -> None:
    """Replace a file of secrets in one step: what reads it has the old or the new one."""
    write_whole(file, "".join(f"{secret.written()}\n" for secret in secrets))


def added(uses: Sequence[Uses]) -> Uses:
    total: dict[bytes, int] = {}
    for one in uses:
        for name, keys in one.items():
            total[name] = total.get(name, 0) + keys
    return total
