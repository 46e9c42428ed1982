-- What the folds of read_models/ keep. A row belongs to one service's topic; the fact store can make all of them anew.

create table divisions (
    tenant text not null,
    division text not null,
    name text not null,
    kind text not null,
    primary key (tenant, division)
);

create table submissions (
    tenant text not null,
    submission_id text not null,
    matter text,
    organ text not null,
    division text not null,
    channel text not null,
    anonymous boolean not null,
    backfilled boolean not null,
    status text not null,
    merged_into text,
    issue_id text,
    received_at timestamptz not null,
    changed_at timestamptz not null,
    primary key (tenant, submission_id)
);
create index on submissions (tenant, received_at, submission_id);

create table issues (
    tenant text not null,
    issue_id text not null,
    matter text,
    organ text not null,
    division text not null,
    category text not null,
    key boolean not null,
    dispute text,
    status text not null,
    route text,
    headline jsonb not null,
    registered_at timestamptz not null,
    changed_at timestamptz not null,
    primary key (tenant, issue_id)
);
create index on issues (tenant, registered_at, issue_id);

create table sessions (
    tenant text not null,
    session_id text not null,
    matter text,
    organ text not null,
    division text not null,
    level text not null,
    form text not null,
    scale text not null,
    status text not null,
    topics integer not null,
    begins_at timestamptz not null,
    attendances integer,
    members_present integer,
    cppcc_present integer,
    planned_at timestamptz not null,
    changed_at timestamptz not null,
    primary key (tenant, session_id)
);
create index on sessions (tenant, begins_at, session_id);

create table cases (
    tenant text not null,
    case_id text not null,
    issue_id text,
    matter text,
    organ text not null,
    division text not null,
    source text not null,
    dispute text not null,
    status text not null,
    settled boolean not null,
    overdue boolean not null,
    perform_by date,
    failure text,
    opened_at timestamptz not null,
    changed_at timestamptz not null,
    primary key (tenant, case_id)
);
create index on cases (tenant, opened_at, case_id);
