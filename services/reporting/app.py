"""The composition root of reporting, by hand. It has no log of its own; it takes in the topics of the others."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from eventlog import parked
from eventlog.connections import pool_of
from eventlog.consumer import Consumer
from eventlog.election import Worker
from eventlog.kafka import AioKafka
from eventlog.key_reader import KeyReader
from eventlog.progress import Progress, progress, reached
from eventlog.shared_keys import SharedKeys
from eventlog.sources import Topic
from eventlog.vitals import Duty
from eventlog.wrapping import SecretFile
from services.reporting.api import lists, reports
from services.reporting.api.asked import Sources
from services.reporting.fact_store.store import StoredHistory, StoreFacts
from services.reporting.read_models.by_service import CONSUMER, READ_MODELS
from services.reporting.read_models.search import FollowKeys, KeepTexts
from services.reporting.settings import Settings
from vocabulary.roles import Permissions
from web.actor import Verifier
from web.app import create_app
from web.background import Background
from web.health import Health
from web.jwks import Keys
from web.lookout import Lookout
from web.messages import Messages

KEY_CONNECTIONS = 5  # three readers of keys, and those who open


def build(settings: Settings) -> FastAPI:
    """Build reporting; nothing connects before the app's lifespan begins."""
    pool = pool_of(settings.dsn.get_secret_value(), settings.pool_size)
    keys_pool = pool_of(settings.keys_dsn.get_secret_value(), KEY_CONNECTIONS)
    kafka = AioKafka(settings.kafka_bootstrap, settings.kafka_replication)
    consumers = [
        Consumer(
            CONSUMER,
            Topic(kafka, settings.topic(service)),
            pool,
            [StoreFacts(service), *models, KeepTexts()],
            StoredHistory(service),
        )
        for service, models in READ_MODELS.items()
    ]
    shared_keys = SharedKeys(keys_pool, SecretFile(settings.sharing_key_file))
    key_readers = [KeyReader(kafka, settings.topic(f"{service}.keys"), shared_keys) for service in READ_MODELS]
    search = FollowKeys(pool, shared_keys)
    workers: Sequence[Worker] = [*consumers, *key_readers, search]

    lookout = Lookout(
        pool,
        kafka,
        duties=[Duty(consumer.work, consumer.source.name, consumer.name) for consumer in consumers],
        workers=workers,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        works = [worker.run for worker in workers]
        async with AsyncExitStack() as open_:
            await open_.enter_async_context(pool)
            await open_.enter_async_context(keys_pool)
            await open_.enter_async_context(Background([*(works if settings.works else ()), lookout.run]))
            yield

    async def how_far() -> Progress:
        waiting = {"keys_waiting": await search.waiting(), "parked": await parked.count(pool)}
        return (await progress(pool)).model_copy(update=waiting)

    async def has_reached(service: str, position: int) -> bool:
        return await reached(pool, settings.topic(service), position)

    app = create_app(
        "reporting",
        title="商议 · reporting",
        description="Lists, figures and reports, made of published facts and of nothing else.",
        routers=[reports.router, lists.router],
        verifier=Verifier(Keys(settings.oidc_jwks), issuer=settings.oidc_issuer, audience=settings.oidc_audience),
        permissions=Permissions.load(),
        messages=Messages.load(Path(__file__).with_name("messages.toml")),
        health=Health(lookout.ready, lookout.degraded, lookout.look, how_far),
        lifespan=lifespan,
        reached=has_reached,
    )
    app.state.sources = Sources(pool, shared_keys)
    return app


def create() -> FastAPI:
    """Build reporting from the environment, for an ASGI server."""
    return build(Settings())  # pyright: ignore[reportCallIssue]  # the environment fills the fields
