"""The consumer of one read model in a process of its own, as reporting is one."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from eventlog.connections import pool_of
from eventlog.consumer import Consumer
from eventlog.kafka import AioKafka
from eventlog.sources import Topic
from services.reporting.read_models.submissions import submissions
from web.background import Background

DSN, KAFKA, TOPIC = "BENCH_DSN", "BENCH_KAFKA", "BENCH_TOPIC"
CONNECTIONS = 2
CONSUMER = "bench"


def create() -> FastAPI:
    """Build it from the environment, for an ASGI server."""
    pool = pool_of(os.environ[DSN], CONNECTIONS)
    topic = Topic(AioKafka(os.environ[KAFKA]), os.environ[TOPIC])
    consumer = Consumer(CONSUMER, topic, pool, [submissions])

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with pool, Background([consumer.run]):
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/ready")
    async def ready() -> None:
        """Answer."""

    del ready  # registered by its decorator
    return app
