-- The record of issued forecasts: rows are only ever added, and the database itself says so.
-- Run as a whole in one transaction; harmless where it has been run.

create table if not exists about (
    schema integer not null,
    needs text not null -- the first version of scenariocast that reads this schema
) strict;
insert into about select 1, '0.1.0' where not exists (select 1 from about);

create table if not exists entry (
    seq integer primary key,
    kind text not null check (kind in ('forecast', 'question', 'resolution', 'annulment', 'correction')),
    subject text not null, -- the run of a forecast, the question of all others
    created_at text not null, -- UTC
    -- question: the forecast that asked it; resolution, annulment: the question; correction: the row it supersedes
    regards integer references entry (seq),
    payload text not null check (json_valid(payload)),
    payload_sha256 text not null,
    previous text not null, -- hash of the row before
    hash text not null,
    check ((kind = 'forecast') = (regards is null))
) strict;

create unique index if not exists entry_once on entry (kind, subject) where kind in ('forecast', 'question');
create index if not exists entry_subject on entry (subject);

create trigger if not exists entry_is_final before update on entry
begin select raise(abort, 'an entry is never edited; add a correction that supersedes it'); end;

create trigger if not exists entry_is_kept before delete on entry
begin select raise(abort, 'an entry is never deleted'); end;

-- "insert or replace" deletes without firing a delete trigger: these two stand in its way.
create trigger if not exists entry_follows before insert on entry
when new.seq is not (select coalesce(max(seq), 0) + 1 from entry)
  or new.previous is not coalesce((select hash from entry order by seq desc limit 1), printf('%064d', 0))
begin select raise(abort, 'an entry follows the last one and names its hash'); end;

create trigger if not exists entry_comes_once before insert on entry
when new.kind in ('forecast', 'question')
 and exists (select 1 from entry where kind = new.kind and subject = new.subject)
begin select raise(abort, 'a run is issued once and a question is asked once'); end;

create view if not exists forecast as
select seq, subject as run, created_at as issued_at,
    json_extract(payload, '$.as_of') as as_of, json_extract(payload, '$.timing') as timing,
    json_extract(payload, '$.origin') as origin, json_extract(payload, '$.title') as title,
    coalesce(json_extract(payload, '$.verdict.forced'), 0) as forced
from entry where kind = 'forecast';

create view if not exists question as
select seq, subject as id, json_extract(payload, '$.quarter') as quarter, json_extract(payload, '$.text') as text,
    json_extract(payload, '$.open') as open, json_extract(payload, '$.close') as close,
    json_extract(payload, '$.scheduled_resolve') as scheduled_resolve,
    json_extract(payload, '$.release') as release
from entry where kind = 'question';

-- A superseded resolution stays to be read; `stands` tells it from the one that holds.
create view if not exists resolution as
select seq, subject as question, kind, created_at as recorded_at,
    json_extract(payload, '$.outcome') as outcome, json_extract(payload, '$.release') as release,
    json_extract(payload, '$.as_of') as as_of, json_extract(payload, '$.source') as source,
    json_extract(payload, '$.reason') as reason, json_extract(payload, '$.set_by') as set_by,
    not exists (
        select 1 from entry as later where later.kind = 'correction' and later.regards = entry.seq
    ) as stands
from entry where kind in ('resolution', 'annulment', 'correction');
