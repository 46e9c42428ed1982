-- The log's own tables and its one way in. Readers need nothing but SELECT; nobody but this schema's owner can write
-- a fact, and nobody at all changes one.

create schema eventlog;

-- CACHE must stay 1: a cached value would be drawn before the fence below is taken.
create sequence eventlog.positions as bigint cache 1;

-- no: a short name, drawn in order, so that the index of a stream's facts grows at its end. since: a position before its
-- first fact. timed: it may have timers.
create table eventlog.streams (
    tenant text not null,
    stream text not null,
    version bigint not null,
    no bigint not null generated always as identity,
    since bigint not null,
    timed boolean not null,
    primary key (tenant, stream)
) with (fillfactor = 80);

-- Split by position, so that old facts and their indexes rest while new ones are written; see make_room below.
create table eventlog.facts (
    position bigint primary key,
    stream_no bigint not null,
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
    causation uuid
) partition by range (position);

-- What each accepted command was told: version is where its stream stood, after `added` facts of its own.
create table eventlog.commands (
    tenant text not null,
    command_id uuid not null,
    digest bytea not null,
    stream_no bigint not null,
    version bigint not null,
    added int not null,
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

-- One row a topic: who relays it, and how far. pseq is the number of published facts up to position; token the topic's
-- offset behind the last of them.
create table eventlog.relays (
    topic text primary key,
    epoch bigint not null default 0,
    position bigint not null default 0,
    pseq bigint not null default 0,
    token bigint not null default 0
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

-- What operators did to timers by hand, and why. due_at: when it would have fallen due.
create table eventlog.interventions (
    tenant text not null,
    stream text not null,
    version bigint not null,
    n int not null,
    command text not null,
    due_at timestamptz not null,
    done text not null,
    reason text not null,
    by_whom text not null,
    at timestamptz not null default clock_timestamp()
);

-- Facts that an effect could not take in, and those of the same stream behind them: where each lies, never what it says.
-- error is the kind of failure, null where a fact only waits. asked: an operator wants the stream to be tried again.
create table eventlog.parked (
    consumer text not null,
    source text not null,
    effect text not null,
    tenant text not null,
    stream text not null,
    position bigint not null,
    pseq bigint not null,
    fact_id uuid not null,
    name text not null,
    error text,
    attempts int not null,
    asked boolean not null default false,
    at timestamptz not null default clock_timestamp(),
    primary key (consumer, source, effect, tenant, stream, position)
);

-- One row a version of a read model that was ever rebuilt. The live one's table bears the model's plain name, any other's
-- <model>__v<version>. state: filling (history is read up to position), following (rows as of position), live (as of its
-- consumer's cursor), kept (rows as of position, for going back). made_by tells the code that folds it.
create table eventlog.read_models (
    model text not null,
    version int not null,
    state text not null check (state in ('filling', 'following', 'live', 'kept')),
    made_by text not null,
    position bigint not null,
    pseq bigint not null,
    passes int not null default 1,
    passed int not null default 0,
    at timestamptz not null default clock_timestamp(),
    primary key (model, version)
);
create unique index on eventlog.read_models (model) where state = 'live';
create unique index on eventlog.read_models (model) where state in ('filling', 'following');

-- Stable: one value a statement, so that an index can be asked for what is due.
create function eventlog.now() returns timestamptz language sql stable as
    'select clock_timestamp() + ahead from eventlog.clock';

create type eventlog.new_fact as (fact_id uuid, name text, schema smallint, data jsonb);
create type eventlog.new_timer as (due_at timestamptz, command jsonb);
create type eventlog.seen_stream as (stream text, version bigint);
create type eventlog.new_append as (
    tenant text, stream text, expected bigint, published boolean, organ text, matter text, actor text,
    occurred_at timestamptz, command_id uuid, digest bytea, correlation uuid, causation uuid, body jsonb,
    facts eventlog.new_fact[],
    timers eventlog.new_timer[], unchanged eventlog.seen_stream[]  -- null for none: that costs less to send
);

-- The fence. Before a writer draws its first position it announces, by a shared lock on `lo`, that every position it
-- will draw is greater than `lo`. A reader looks at the sequence first and at the locks second. A writer whose lock it
-- missed takes it later and so draws later: beyond what the reader saw of the sequence. A writer whose lock it sees
-- holds the horizon below its own positions. All others have ended, and what they committed is visible.
-- 21062 is this lock's namespace: the upper 16 of the key's 64 bits.
create function eventlog.last_position() returns bigint language sql volatile as
    $$select coalesce(pg_sequence_last_value('eventlog.positions'), 0)$$;

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

-- Keep a batch of appends, each for another stream, each under its own command id, in the order of tenant and stream.
-- `looking`: some item's rule looked at other streams. Answers which items were `kept`, what version the stream of each
-- of them has `reached`, and `drawn`, the positions of all their facts, in order; null where there are none. An item is
-- left out because its stream, or one that its rule looked at, is not what the writer expected.
--
-- Call it outside an explicit transaction: it is the transaction. A command id that was accepted before is found by the
-- unique key of commands, which undoes the whole batch; its items then go one by one. Locks are taken in the same order
-- by all: streams looked at, and those of the same batch, by name; the fence, which is shared, so that nobody waits for
-- it; streams by name; command ids. Batches that cross all the same, because a stream appeared at that very moment, are
-- undone by the server, and the caller sends again. No item of a batch writes a stream that another one looked at: the
-- caller sees to that.
--
-- The fence comes before the streams, since what follows it is one statement. So who waits for a stream keeps readers
-- waiting, but no more than the one it waits for does.
create function eventlog.append(
    items eventlog.new_append[], looking boolean, out kept int[], out reached bigint[], out drawn bigint[])
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
-- Rows are looked up by key, whatever the statistics of a young table say; and planning anew costs more than it finds.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
    moved_on int[];
    timed boolean;
begin
    if looking then
        perform 1 from eventlog.streams s
        where (s.tenant, s.stream) in (
            select i.tenant, i.stream from unnest(items) as i
            union all
            select i.tenant, u.stream from unnest(items) as i cross join unnest(i.unchanged) as u
        )
        order by s.tenant collate "C", s.stream collate "C" for update;

        select array_agg(distinct i.ordinality::int) into moved_on
        from unnest(items) with ordinality as i
        cross join unnest(i.unchanged) as u
        left join eventlog.streams s on s.tenant = i.tenant and s.stream = u.stream
        where coalesce(s.version, 0) <> u.version;
    end if;

    perform eventlog.take_fence();

    with moved as (
        merge into eventlog.streams s
        using (
            select * from unnest(items) with ordinality as i where moved_on is null or i.ordinality <> all (moved_on)
        ) i on s.tenant = i.tenant and s.stream = i.stream
        when matched and (i.expected = s.version or i.expected = -1 and s.version > 0 or i.expected = -2) then
            update set version = s.version + cardinality(i.facts), timed = s.timed or i.timers is not null
        when not matched and i.expected in (0, -2) then
            insert (tenant, stream, version, since, timed)
            values (i.tenant, i.stream, cardinality(i.facts), eventlog.last_position(), i.timers is not null)
        returning i.*, s.no, s.version, s.timed
    ),
    written as (
        insert into eventlog.facts (position, stream_no, tenant, stream, version, published, fact_id, name, schema,
                                    data, organ, matter, actor, occurred_at, recorded_at, correlation, causation)
        select nextval('eventlog.positions'), m.no, m.tenant, m.stream,
               m.version - cardinality(m.facts) + f.ordinality, m.published, f.fact_id, f.name, f.schema, f.data,
               m.organ, m.matter, m.actor, m.occurred_at, (select clock_timestamp() + ahead from eventlog.clock),
               m.correlation, m.causation
        from moved m cross join unnest(m.facts) with ordinality as f
        returning position
    ),
    answered as (
        insert into eventlog.commands (tenant, command_id, digest, stream_no, version, added, body)
        select m.tenant, m.command_id, m.digest, m.no, m.version, cardinality(m.facts), m.body from moved m
    )
    select array_agg(m.ordinality), array_agg(m.version), bool_or(m.timed), (select array_agg(w.position) from written w)
    into kept, reached, timed, drawn from moved m;

    if timed then
        delete from eventlog.timers t using unnest(items) with ordinality as i
        where t.tenant = i.tenant and t.stream = i.stream and i.ordinality = any (kept);
        insert into eventlog.timers (tenant, stream, version, n, due_at, command)
        select i.tenant, i.stream, k.version, t.ordinality - 1, t.due_at, t.command
        from unnest(items) with ordinality as i
        join unnest(kept, reached) as k (item, version) on k.item = i.ordinality
        cross join unnest(i.timers) with ordinality as t;
    end if;
end $$;
revoke execute on function eventlog.append(eventlog.new_append[], boolean) from public;

-- Whatever role tries, a fact stays as it was written.
create function eventlog.refuse_change() returns trigger language plpgsql as
    $$begin raise exception 'facts are never changed'; end$$;
create trigger facts_stay before update or delete or truncate on eventlog.facts
    for each statement execute function eventlog.refuse_change();

-- Make room for facts ahead of need: the part that is written to and the next one. Appends ask for it in time, and an
-- append that finds no room changes nothing.
create function eventlog.make_room() returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    size constant bigint := 1 << 24;  -- positions in a part
    n bigint := eventlog.last_position() / size;
    part text;
begin
    perform pg_advisory_xact_lock(21063::bigint << 48);
    for n in n .. n + 1 loop
        part := 'facts_' || n;
        if to_regclass('eventlog.' || part) is null then
            execute format('create table eventlog.%I (like eventlog.facts including constraints)', part);
            execute format('alter table eventlog.%I add unique (stream_no, version)', part);
            execute format('create trigger facts_stay before update or delete or truncate on eventlog.%I
                            for each statement execute function eventlog.refuse_change()', part);
            execute format('alter table eventlog.facts attach partition eventlog.%I for values from (%s) to (%s)',
                           part, n * size, (n + 1) * size);
        end if;
    end loop;
end $$;
revoke execute on function eventlog.make_room() from public;
select eventlog.make_room();
