-- Not while a drain is unfinished: nobody would know any more what is left of it.

set local lock_timeout = '5s';

do $check$
begin
  if pg_catalog.to_regclass('partkeeper.drains') is not null and exists (select from partkeeper.drains) then
    raise exception 'partkeeper.drains has drains that were not finished'
      using hint = 'Run `partkeeper apply --job provision` first: it clears away what is left of them.';
  end if;
end
$check$;

drop table if exists partkeeper.drains;
