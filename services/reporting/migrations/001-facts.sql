-- Every published fact of the county's services, with its full envelope, as it came. pseq is its dense number among the
-- published facts of its service: 1, 2, 3 …, so a hole would show.

create table facts (
    service text not null,
    pseq bigint not null,
    position bigint not null,
    tenant text not null,
    stream text not null,
    version bigint not null,
    fact_id uuid not null,
    name text not null,
    schema smallint not null,
    data jsonb not null,
    organ text not null,
    division text not null generated always as (split_part(organ, '.', 1)) stored,
    matter text,
    actor text not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    correlation uuid not null,
    causation uuid,
    primary key (service, pseq),
    unique (service, position)
);

create index on facts (tenant, name, occurred_at);
create index on facts (tenant, stream, version);
create index on facts (tenant, matter);
