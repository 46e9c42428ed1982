-- Data keys, wrapped by a master key that is not here. A database of their own, so that its backups can be short-lived:
-- a key that survives in a backup is not destroyed.

create schema keys;

-- The secrets that may wrap here, by name, as they came. The reference below makes the end of one exact: it goes when
-- it wraps nothing any more, and from then on a process that has slept through it wraps nothing either.
create table keys.masters (
    nth integer primary key,                    -- two processes cannot both be the first
    name bytea not null unique
);

create table keys.keys (
    tenant text not null,
    key_id uuid not null,
    wrapped bytea,                              -- the name of a secret, and what opens with it; null once destroyed
    master bytea generated always as (substring(wrapped from 1 for 8)) stored references keys.masters (name),
    shared boolean not null,                    -- the key of a published text: other services may open it
    created_at timestamptz not null default clock_timestamp(),
    destroyed_at timestamptz,
    changed bigint not null generated always as identity,  -- the change that made it what it is: made, or destroyed
    published bigint not null default 0,        -- the change that the key topic has; 0: none, or nobody can say
    writes bigint not null default 0,           -- how often that was noted: two relays that overlapped find it moved
    repeated boolean not null default false,    -- its tombstone was said again, to close the segment that holds the first
    primary key (tenant, key_id),
    check ((wrapped is null) = (destroyed_at is not null))
);

-- What the relay has to do. Each key keeps its own checkpoint: change numbers are drawn before they are committed, so
-- one checkpoint for all would pass over a change that becomes visible late.
create index unpublished on keys.keys (changed) where shared and published <> changed;
create index unrepeated on keys.keys (destroyed_at) where shared and destroyed_at is not null and not repeated;

-- How many records a relay has written to a topic; a record carries its number.
create table keys.relays (
    topic text primary key,
    sent bigint not null
);

-- Other services' shared keys, wrapped under the county's sharing key; null: a tombstone came, and it stays.
create table keys.received (
    tenant text not null,
    key_id uuid not null,
    wrapped bytea,
    told boolean not null default false,        -- whoever keeps clear text of it has acted on what stands here
    primary key (tenant, key_id)
);

create index untold on keys.received (tenant, key_id) where not told;

create table keys.read_up_to (
    topic text primary key,
    next_offset bigint not null,
    sent bigint not null                        -- the highest number a record carried
);
