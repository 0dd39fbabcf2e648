-- When the given views were last refreshed by partkeeper. $1 oid[] views.
select v.view, v.refreshed_at, v.fingerprint
from partkeeper.view_refreshes v
where v.view = any ($1::oid[]);
