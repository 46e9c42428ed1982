-- Data keys, wrapped by a master key that is not here. A database of their own, so that its backups can be short-lived:
-- a key that survives in a backup is not destroyed.

create schema keys;

create table keys.keys (
    tenant text not null,
    key_id uuid not null,
    wrapped bytea,                              -- null once destroyed
    shared boolean not null,                    -- the key of a published text: other services may open it
    created_at timestamptz not null default clock_timestamp(),
    destroyed_at timestamptz,
    primary key (tenant, key_id),
    check ((wrapped is null) = (destroyed_at is not null))
);

-- Which shared keys have not reached the key topic yet, in order. A row leaves when the broker has it.
create table keys.outbox (
    n bigint generated always as identity primary key,
    tenant text not null,
    key_id uuid not null
);

-- Other services' shared keys, wrapped under the county's sharing key; null: a tombstone came.
create table keys.received (
    tenant text not null,
    key_id uuid not null,
    wrapped bytea,
    primary key (tenant, key_id)
);

create table keys.read_up_to (
    topic text primary key,
    next_offset bigint not null
);
