-- Takes the sessions away, every one of them.

set local lock_timeout = '5s';

do $drop$
declare
  existing constant regclass := pg_catalog.to_regclass('public.sessions');
begin
  if existing is null then
    return;
  end if;
  if pg_catalog.obj_description(existing, 'pg_class') like '%Part of partkeeper''s bundled schema.%' then
    drop table public.sessions;
  else
    raise exception using
      errcode = 'wrong_object_type',
      message = 'public.sessions does not carry the comment of the table that the migration made',
      detail = 'Nothing was changed.',
      hint = 'Rename the table if it is another one; restore its comment if it is ours.';
  end if;
end
$drop$;

drop function if exists unified.update_updated_at_column();
