create schema if not exists shop;

create table shop.orders (
  id bigint not null,
  ordered_at timestamptz not null,
  total numeric not null,
  primary key (id, ordered_at)
) partition by range (ordered_at);

-- It took every row for which nobody had made a partition.
create table shop.orders_default partition of shop.orders default;

insert into shop.orders
select i, date_trunc('month', now(), 'UTC') + i * interval '1 minute', i from generate_series(1, 500) i;
