-- The search index, the only place where published texts stand in clear. A text waits here until its key comes, and is
-- emptied when the key is destroyed; facts and keys come in any order. `erased` is the last state: no straggler writes
-- a text back whose key was gone by the time it looked.

create function bigrams(words text) returns text[] language sql immutable strict parallel safe
    return array(select distinct substr(words, n, 2) from generate_series(1, length(words) - 1) as n);

create table texts (
    tenant text not null,
    text_id uuid not null,                      -- the key's id, too
    sealed jsonb not null,
    state text not null default 'new' check (state in ('new', 'waiting', 'clear', 'erased', 'unreadable')),
    words text,                                 -- folded: for finding, not for showing
    bigrams text[] generated always as (bigrams(words)) stored,
    primary key (tenant, text_id),
    check ((words is not null) = (state = 'clear'))
);

create index on texts using gin (bigrams);
create index on texts (tenant, text_id) where state = 'new';
create index on texts (tenant, text_id) where state = 'waiting';

insert into texts (tenant, text_id, sealed)
select tenant, (data #>> '{details,headline,key_id}')::uuid, data #> '{details,headline}'
from facts where name = 'issue-registered'
on conflict do nothing;
