-- What read_models/open_deadlines.py keeps: deadlines that were counted in days and may still be missed.

create table open_deadlines (
    tenant text not null,
    commitment_id text not null,
    since timestamptz not null,
    due timestamptz not null,
    primary key (tenant, commitment_id)
);
create index on open_deadlines (tenant, due);
