create schema if not exists plant;

-- What the meters say is the time on the wall beside them.
create table plant.readings (
  meter int not null,
  read_at timestamp not null,
  value double precision not null,
  primary key (meter, read_at)
) partition by range (read_at);

create materialized view plant.latest as
select distinct on (meter) meter, read_at, value
from plant.readings
order by meter, read_at desc;

create unique index on plant.latest (meter);
