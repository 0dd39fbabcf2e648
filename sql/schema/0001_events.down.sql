-- Takes the event store away, with every event in it.

set local lock_timeout = '5s';

-- Never CASCADE: a view or foreign key that somebody built on the table stops us here. The partitions go with it.
do $drop$
declare
  existing constant regclass := pg_catalog.to_regclass('unified.event_metric_events');
begin
  if existing is null then
    return;
  end if;
  if pg_catalog.obj_description(existing, 'pg_class') like '%Part of partkeeper''s bundled schema.%' then
    drop table unified.event_metric_events;
  else
    raise exception using
      errcode = 'wrong_object_type',
      message = 'unified.event_metric_events does not carry the comment of the table that the migration made',
      detail = 'Nothing was changed.',
      hint = 'Rename the table if it is another one; restore its comment if it is ours.';
  end if;
end
$drop$;

drop function if exists unified.apply_metadata_validation();
drop function if exists unified.validate_metadata(jsonb);

-- A schema that was here before us stays. Ours goes only when nothing else lives in it: a partition that was detached
-- and kept, for example, is data that somebody wanted.
do $schema$
declare
  others text;
begin
  if pg_catalog.obj_description(pg_catalog.to_regnamespace('unified'), 'pg_namespace')
    like '%Part of partkeeper''s bundled schema.%'
  then
    drop schema unified;
  end if;
exception when dependent_objects_still_exist then
  get stacked diagnostics others = pg_exception_detail;
  raise exception using
    errcode = 'dependent_objects_still_exist',
    message = 'schema unified holds objects that the migrations did not make, so nothing was removed',
    detail = others,
    hint = 'Move them to another schema with ALTER … SET SCHEMA, or drop them, and try again.';
end
$schema$;
