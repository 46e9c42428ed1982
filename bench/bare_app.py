"""The bare route: FastAPI, one INSERT, nothing else. What any platform of ours is compared with."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
from fastapi import FastAPI
from pydantic import BaseModel

DSN = "BENCH_DSN"
POOL = 12  # connections: as many as a service of ours has
TABLE = "create table notes (id uuid primary key, data jsonb not null, at timestamptz not null default now())"


class Note(BaseModel):
    """The same words as a submission."""

    organ: str
    channel: str
    words: str


class Kept(BaseModel):
    id: UUID


def create() -> FastAPI:
    """Build it from the environment, for an ASGI server."""
    pool = asyncpg.create_pool(os.environ[DSN], min_size=1, max_size=POOL)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with pool:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/ready")
    async def ready() -> None:
        """Answer."""

    @app.post("/notes", status_code=201)
    async def keep(note: Note) -> Kept:
        """Keep a note."""
        kept = Kept(id=uuid4())
        await pool.execute("insert into notes (id, data) values ($1, $2)", kept.id, note.model_dump_json())
        return kept

    del ready, keep  # registered by their decorators
    return app
