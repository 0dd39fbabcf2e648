-- What the ledger knows beyond runs and actions. $1 oid[] parents. One row.
select
  (select json_build_object('system', i.system_identifier, 'database', i.database) from partkeeper.identity i) as pinned,
  coalesce(
    (
      select json_agg(json_build_object('parent', r.parent::bigint, 'retention', r.retention, 'accepted_at', r.accepted_at::text))
      from partkeeper.retentions r where r.parent = any ($1::oid[])
    ),
    '[]'
  ) as retentions;
