-- The log's own tables and its one way in. Readers need nothing but SELECT; nobody but this schema's owner can write
-- a fact, and nobody at all changes one.

create schema eventlog;

-- CACHE must stay 1: a cached value would be drawn before the fence below is taken.
create sequence eventlog.positions as bigint cache 1;

create table eventlog.streams (
    tenant text not null,
    stream text not null,
    version bigint not null,
    primary key (tenant, stream)
) with (fillfactor = 80);

create table eventlog.facts (
    position bigint primary key,
    tenant text not null,
    stream text not null,
    version bigint not null,
    published boolean not null,
    fact_id uuid not null,
    name text not null,
    schema smallint not null,
    data jsonb not null,
    organ text not null,
    matter text,
    actor text not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    correlation uuid not null,
    causation uuid,
    unique (tenant, stream, version)
);

create table eventlog.commands (
    tenant text not null,
    command_id uuid not null,
    digest bytea not null,
    version bigint not null,
    position bigint,
    body jsonb not null,
    at timestamptz not null default clock_timestamp(),
    primary key (tenant, command_id)
);

create table eventlog.timers (
    tenant text not null,
    stream text not null,
    version bigint not null,
    n int not null,
    due_at timestamptz not null,
    command jsonb not null,
    primary key (tenant, stream, n)
);
create index on eventlog.timers (due_at);

create table eventlog.clock (
    only_row boolean primary key default true check (only_row),
    ahead interval not null default interval '0'
);
insert into eventlog.clock default values;

-- One row a topic: who relays it, and how far. pseq is the number of published facts up to position.
create table eventlog.relays (
    topic text primary key,
    epoch bigint not null default 0,
    position bigint not null default 0,
    pseq bigint not null default 0
);

-- One row a consumer and source: who reads it, and how far. token is where its source goes on from.
create table eventlog.cursors (
    consumer text not null,
    source text not null,
    epoch bigint not null default 0,
    position bigint not null default 0,
    pseq bigint not null default 0,
    token bigint not null default 0,
    primary key (consumer, source)
);

-- Commands that a reaction or a timer sent and a rule refused: not poison, but an operator should see them.
create table eventlog.refusals (
    tenant text not null,
    sender text not null,
    command_id uuid not null,
    stream text not null,
    command text not null,
    code text not null,
    cause uuid,
    at timestamptz not null default clock_timestamp(),
    primary key (tenant, command_id)
);

-- Stable: one value a statement, so that an index can be asked for what is due.
create function eventlog.now() returns timestamptz language sql stable as
    'select clock_timestamp() + ahead from eventlog.clock';

create type eventlog.new_fact as (fact_id uuid, name text, schema smallint, data jsonb);
create type eventlog.new_timer as (due_at timestamptz, command jsonb);
create type eventlog.seen_stream as (stream text, version bigint);
create type eventlog.new_append as (
    tenant text, stream text, expected bigint, published boolean, organ text, matter text, actor text,
    occurred_at timestamptz, command_id uuid, digest bytea, correlation uuid, causation uuid, body jsonb,
    facts eventlog.new_fact[], timers eventlog.new_timer[], unchanged eventlog.seen_stream[]
);

-- The fence. Before a writer draws its first position it announces, by a shared lock on `lo`, that every position it
-- will draw is greater than `lo`. A reader looks at the sequence first and at the locks second. A writer whose lock it
-- missed takes it later and so draws later: beyond what the reader saw of the sequence. A writer whose lock it sees
-- holds the horizon below its own positions. All others have ended, and what they committed is visible.
-- 21062 is this lock's namespace: the upper 16 of the key's 64 bits.
create function eventlog.last_position() returns bigint language sql volatile as
    'select case when is_called then last_value else last_value - 1 end from eventlog.positions';

create function eventlog.take_fence() returns void language sql volatile as
    'select pg_advisory_xact_lock_shared((21062::bigint << 48) | eventlog.last_position())';

create function eventlog.horizon() returns bigint language plpgsql volatile as $$
declare
    hi bigint := eventlog.last_position();
    low bigint;
begin
    select min(((classid::bigint & 65535) << 32) | objid::bigint) into low
    from pg_locks
    where locktype = 'advisory' and objsubid = 1 and (classid::bigint >> 16) = 21062
      and database = (select oid from pg_database where datname = current_database());
    return least(hi, coalesce(low, hi));
end $$;

-- Keep a batch of appends, each for another stream, each under its own command id; answer one row an item:
--   repeated   this command id was accepted before: its stored answer
--   conflict   the stream, or one its rule looked at, is not what the writer expected: nothing was done
--   appended   kept
-- Call it outside an explicit transaction: it is the transaction. Locks are taken in the same order by all: existing
-- streams by name, new streams by name, the fence (shared, so nobody waits for it), command ids by id. Batches that
-- cross all the same, because a stream appeared between two statements, are found by the server, and the caller sends
-- again. So it does when a command id raced with itself: the unique key of commands undoes the batch, and the items go
-- one by one.
-- No item of a batch writes a stream that another one looked at: the caller sees to that.
create function eventlog.append(items eventlog.new_append[])
returns table (item bigint, outcome text, version bigint, "position" bigint, digest bytea, body jsonb)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan  -- these statements are looked up by key: planning anew costs more than it finds
as $$
#variable_conflict use_column
declare
    answered bigint[];
    looked boolean := exists (select from unnest(items) as i where cardinality(i.unchanged) > 0);
    moved_on bigint[];
    kept bigint[];
    reached bigint[];
    recorded timestamptz := eventlog.now();
begin
    select array_agg(i.ordinality) into answered
    from unnest(items) with ordinality as i
    join eventlog.commands c on c.tenant = i.tenant and c.command_id = i.command_id;

    if looked or cardinality(items) > 1 then
        perform 1 from eventlog.streams s
        where (s.tenant, s.stream) in (
            select i.tenant, i.stream from unnest(items) as i
            union all
            select i.tenant, u.stream from unnest(items) as i cross join unnest(i.unchanged) as u
        )
        order by s.tenant, s.stream for update;
    end if;

    if looked then
        select array_agg(distinct i.ordinality) into moved_on
        from unnest(items) with ordinality as i
        cross join unnest(i.unchanged) as u
        left join eventlog.streams s on s.tenant = i.tenant and s.stream = u.stream
        where coalesce(s.version, 0) <> u.version;
    end if;

    with wanted as (
        select i.ordinality, i.tenant, i.stream, i.expected, cardinality(i.facts) as n
        from unnest(items) with ordinality as i
        where (answered is null or i.ordinality <> all (answered))
          and (moved_on is null or i.ordinality <> all (moved_on))
    ), moved as (
        update eventlog.streams s set version = s.version + w.n from wanted w  -- the exact version, or EXISTS
        where s.tenant = w.tenant and s.stream = w.stream
          and (w.expected = s.version or w.expected = -1 and s.version > 0)
        returning s.tenant, s.stream, s.version
    ), opened as (
        insert into eventlog.streams as s (tenant, stream, version)  -- NEW
        select w.tenant, w.stream, w.n from wanted w where w.expected = 0
        order by w.tenant, w.stream
        on conflict do nothing
        returning s.tenant, s.stream, s.version
    ), moved_or_opened as (
        insert into eventlog.streams as s (tenant, stream, version)  -- ANY
        select w.tenant, w.stream, w.n from wanted w where w.expected = -2
        order by w.tenant, w.stream
        on conflict (tenant, stream) do update set version = s.version + excluded.version
        returning s.tenant, s.stream, s.version
    ), all_kept as (
        select w.ordinality, s.version from wanted w
        join (table moved union all table opened union all table moved_or_opened) s
          on s.tenant = w.tenant and s.stream = w.stream
    )
    select array_agg(k.ordinality order by k.ordinality), array_agg(k.version order by k.ordinality)
    into kept, reached from all_kept k;

    if kept is not null then
        perform eventlog.take_fence();

        insert into eventlog.facts (position, tenant, stream, version, published, fact_id, name, schema, data,
                                    organ, matter, actor, occurred_at, recorded_at, correlation, causation)
        select nextval('eventlog.positions'), f.* from (
            select i.tenant, i.stream, k.version - cardinality(i.facts) + f.ordinality, i.published, f.fact_id, f.name,
                   f.schema, f.data, i.organ, i.matter, i.actor, i.occurred_at, recorded, i.correlation, i.causation
            from unnest(kept, reached) as k (ordinality, version)
            join unnest(items) with ordinality as i on i.ordinality = k.ordinality
            cross join unnest(i.facts) with ordinality as f
            order by k.ordinality, f.ordinality
        ) f;

        delete from eventlog.timers t
        using unnest(kept) as k (ordinality), unnest(items) with ordinality as i
        where i.ordinality = k.ordinality and t.tenant = i.tenant and t.stream = i.stream;

        insert into eventlog.timers (tenant, stream, version, n, due_at, command)
        select i.tenant, i.stream, k.version, t.ordinality - 1, t.due_at, t.command
        from unnest(kept, reached) as k (ordinality, version)
        join unnest(items) with ordinality as i on i.ordinality = k.ordinality
        cross join unnest(i.timers) with ordinality as t;

        insert into eventlog.commands (tenant, command_id, digest, version, position, body)
        select i.tenant, i.command_id, i.digest, k.version,
               case when i.published and cardinality(i.facts) > 0 then
                    (select f.position from eventlog.facts f
                     where f.tenant = i.tenant and f.stream = i.stream and f.version = k.version) end,
               i.body
        from unnest(kept, reached) as k (ordinality, version)
        join unnest(items) with ordinality as i on i.ordinality = k.ordinality
        order by i.tenant, i.command_id;
    end if;

    return query
    select i.ordinality,
           case when i.ordinality = any (kept) then 'appended'
                when c.command_id is not null then 'repeated'  -- before this call, or while it waited for the stream
                else 'conflict' end,
           c.version, c.position, c.digest, c.body
    from unnest(items) with ordinality as i
    left join eventlog.commands c on c.tenant = i.tenant and c.command_id = i.command_id
    order by i.ordinality;
end $$;
revoke execute on function eventlog.append(eventlog.new_append[]) from public;

-- Whatever role tries, a fact stays as it was written.
create function eventlog.refuse_change() returns trigger language plpgsql as
    $$begin raise exception 'facts are never changed'; end$$;
create trigger facts_stay before update or delete or truncate on eventlog.facts
    for each statement execute function eventlog.refuse_change();
