"""WriteService: what the services with a log of their own are made of, put together once.

A service's ``app.py`` says what is its own (deciders, contexts, reactions, routers, sentences); how a log, its relay,
consumers, timers and keys hang together is the same for all and stands here.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cached_property
from pathlib import Path

from fastapi import FastAPI

from eventlog import parked
from eventlog.clock_watch import ClockWatch
from eventlog.connections import pool_of
from eventlog.consumer import Consumer
from eventlog.decider import AnyDecider
from eventlog.effect import Effect
from eventlog.handler import Contexts, Handler
from eventlog.kafka import AioKafka
from eventlog.key_relay import KeyRelay
from eventlog.keys import PostgresKeys
from eventlog.progress import Progress, progress
from eventlog.reactions import React, Reactions
from eventlog.refusals import TimerRefusals
from eventlog.relay import Relay
from eventlog.restored_keys import DestroyAgain
from eventlog.sources import OwnLog, Source, Topic
from eventlog.timers import Timers
from eventlog.vitals import OWN, Duty
from eventlog.wrapping import SecretFile
from vocabulary.roles import Permissions
from web import erasing
from web.actor import Verifier
from web.app import create_app
from web.background import Background, Work
from web.health import Development, Health
from web.jwks import Keys
from web.lookout import Lookout
from web.messages import Messages
from web.metered_log import MeteredLog
from web.metrics import Metrics
from web.parts import Limits
from web.routing import APIRouter
from web.settings import ServiceSettings

KEY_CONNECTIONS = 5  # one to lead each of the two works on keys, the others to answer
OURSELVES = OWN  # the source that is one's own log, private facts included


class WriteService:
    """Nothing connects before the app's lifespan begins."""

    def __init__(self, name: str, settings: ServiceSettings, deciders: Sequence[AnyDecider]) -> None:
        self.name = name
        self.settings = settings
        self.pool = pool_of(settings.dsn.get_secret_value(), settings.pool_size)
        self.keys_pool = pool_of(settings.keys_dsn.get_secret_value(), KEY_CONNECTIONS)
        self.metrics = Metrics()
        self.log = MeteredLog(self.pool, self.metrics)
        self.contexts = Contexts()
        self.handler = Handler(self.log, self.contexts)
        master, sharing = SecretFile(settings.master_key_file), SecretFile(settings.sharing_key_file)
        self.keys = PostgresKeys(self.keys_pool, master)
        self.kafka = AioKafka(settings.kafka_bootstrap, settings.kafka_replication)
        self.relay = Relay(self.pool, self.log, self.kafka, settings.topic(name))
        self.key_relay = KeyRelay(self.keys_pool, self.kafka, settings.topic(f"{name}.keys"), master, sharing)
        self.erased = DestroyAgain(self.keys_pool, self.pool, f"erased/{name}")
        self.timers = Timers(
            self.log, self.handler, deciders, TimerRefusals(self.pool), ClockWatch(self.log.wall_clock)
        )
        self.consumers: list[Consumer] = []

    def react(self, to: str, reactions: Reactions, *read_models: Effect) -> None:
        """Take in another service's topic, or OURSELVES: send what follows, and fold what is looked up."""
        source: Source = OwnLog(self.log) if to == OURSELVES else Topic(self.kafka, self.settings.topic(to))
        effects = [React(reactions, self.handler, self.pool), *read_models]
        self.consumers.append(Consumer("reactions", source, self.pool, effects))

    def serve(
        self,
        *,
        title: str,
        description: str,
        routers: Sequence[APIRouter],
        messages: Path,
        limits: Mapping[str, Limits] | None = None,
    ) -> FastAPI:
        """Return the app: its API, and beside it, unless another process does it, the work behind."""
        settings, lookout = self.settings, self.lookout
        app = create_app(
            self.name,
            title=title,
            description=description,
            routers=[*routers, erasing.router],
            verifier=Verifier(Keys(settings.oidc_jwks), issuer=settings.oidc_issuer, audience=settings.oidc_audience),
            permissions=Permissions.load(),
            messages=Messages.load(messages),
            health=Health(lookout.ready, lookout.degraded, lookout.look, self.progress),
            metrics=self.metrics,
            handler=self.handler,
            now=self.log.now,
            digest=self.keys.digest,
            lifespan=self.lifespan,
            development=Development(self.log.move_clock, self.pause, self.resume) if settings.development else None,
            limits=limits,
        )
        app.state.keys = self.keys
        return app

    async def pause(self) -> None:
        self.timers.pause()

    async def resume(self) -> None:
        self.timers.resume()

    @cached_property
    def lookout(self) -> Lookout:
        """Over all that the service does; ask for it once every consumer is there."""
        relay = Duty(self.relay.work, self.settings.topic(self.name))
        duties = [Duty(each.work, each.source.name, each.name) for each in self.consumers]
        return Lookout(
            self.pool,
            self.kafka,
            duties=[relay, *duties],
            workers=[self.relay, self.key_relay, self.erased, self.timers, *self.consumers],
            keys=self.key_relay.progress,
        )

    def works(self) -> Sequence[Work]:
        """What runs beside the API."""
        if not self.settings.works:
            return (self.lookout.run,)
        keys = (self.key_relay.run, self.erased.run)
        works = (self.relay.run, *keys, self.timers.run, *(consumer.run for consumer in self.consumers))
        return (*works, self.lookout.run)

    @asynccontextmanager
    async def lifespan(self, _: FastAPI) -> AsyncGenerator[None]:
        """Connect, work, and leave in the opposite order."""
        async with AsyncExitStack() as open_:
            await open_.enter_async_context(self.pool)
            await open_.enter_async_context(self.keys_pool)
            await open_.enter_async_context(Background(self.works()))
            yield

    async def progress(self) -> Progress:
        keys = await self.key_relay.progress()
        waiting = {"keys_waiting": keys.waiting, "parked": await parked.count(self.pool)}
        return (await progress(self.pool)).model_copy(update=waiting)
