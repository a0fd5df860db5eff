-- The charges of a month as a good analyst writes them in DuckDB: decimals, string keys, list(distinct quality).
-- Runs after analyst_energy.sql in the same session, whose tables mp, loss_mp and grid_loss_points it goes on with.
-- Variables: period_start, period_end; time_zone. Views beside those of the energy: charge_price_information_periods,
-- charge_link_periods, charge_price_points.

CREATE OR REPLACE MACRO day_of(t) AS date_trunc('day', t AT TIME ZONE getvariable('time_zone')) AT TIME ZONE getvariable('time_zone');
CREATE OR REPLACE MACRO type_name(code) AS MAP {
  'E17': 'consumption', 'E18': 'production', 'D01': 've_production', 'D05': 'net_production', 'D06': 'supply_to_grid',
  'D07': 'consumption_from_grid', 'D08': 'wholesale_services_information', 'D09': 'own_production', 'D10': 'net_from_grid',
  'D11': 'net_to_grid', 'D12': 'total_consumption', 'D14': 'electrical_heating', 'D15': 'net_consumption',
  'D19': 'capacity_settlement'}[code];
CREATE OR REPLACE MACRO method_name(code) AS CASE code WHEN 'D01' THEN 'flex' WHEN 'E02' THEN 'non_profiled' END;

-- The midnights of the period: as many as days to divide a subscription by.
CREATE OR REPLACE TEMP TABLE midnights AS
WITH days AS (
  SELECT unnest(generate_series(day_of(getvariable('period_start')) AT TIME ZONE getvariable('time_zone'),
                                getvariable('period_end') AT TIME ZONE getvariable('time_zone'), INTERVAL 1 DAY)) AS day)
SELECT day AT TIME ZONE getvariable('time_zone') AS time FROM days
WHERE day AT TIME ZONE getvariable('time_zone') >= getvariable('period_start')
  AND day AT TIME ZONE getvariable('time_zone') < getvariable('period_end');
SET VARIABLE days = (SELECT count(*) FROM midnights);

-- Parents and, under each, its children with its supplier (wholesale 1).
CREATE OR REPLACE TEMP TABLE charged_mp AS
WITH parents AS (SELECT * FROM mp WHERE type <> 'E20'),
children AS (
  SELECT c.metering_point_id, c.type, c.settlement_method, c.grid_area_code, c.resolution, p.es,
         greatest(c.from_date, p.from_date) AS from_date, least(coalesce(c.to_date, p.to_date), p.to_date) AS to_date
  FROM metering_point_periods c JOIN parents p
    ON p.metering_point_id = c.parent_metering_point_id AND p.grid_area_code = c.grid_area_code
   AND c.from_date < p.to_date AND coalesce(c.to_date, p.to_date) > p.from_date
  WHERE c.type NOT IN ('E17', 'E18', 'E20')),
parents_and_children AS (
  SELECT metering_point_id, type, settlement_method, grid_area_code, resolution, es, from_date, to_date FROM parents
  UNION ALL SELECT * FROM children)
SELECT metering_point_id, grid_area_code AS ga, es, type_name(type) AS metering_point_type,
       method_name(settlement_method) AS settlement_method, resolution, from_date, to_date
FROM parents_and_children WHERE from_date < to_date;

CREATE OR REPLACE TEMP TABLE charges AS
SELECT charge_code AS code, charge_type, charge_owner_id AS owner, resolution, is_tax, from_date AS charge_from,
       greatest(from_date, getvariable('period_start')) AS from_date,
       least(coalesce(to_date, getvariable('period_end')), getvariable('period_end')) AS to_date
FROM charge_price_information_periods
WHERE from_date < getvariable('period_end') AND coalesce(to_date, getvariable('period_end')) > getvariable('period_start');

CREATE OR REPLACE TEMP TABLE links AS
SELECT charge_code AS code, charge_type, charge_owner_id AS owner, metering_point_id, quantity AS factor,
       greatest(from_date, getvariable('period_start')) AS from_date,
       least(coalesce(to_date, getvariable('period_end')), getvariable('period_end')) AS to_date
FROM charge_link_periods
WHERE from_date < getvariable('period_end') AND coalesce(to_date, getvariable('period_end')) > getvariable('period_start');

CREATE OR REPLACE TEMP TABLE prices AS
SELECT charge_code AS code, charge_type, charge_owner_id AS owner, charge_time, charge_price FROM charge_price_points
WHERE charge_time < getvariable('period_end');

-- Metering points with the same tariff links are summed before a price is joined: a point is read once, not once a tariff.
CREATE OR REPLACE TEMP TABLE tariff_sets AS
SELECT metering_point_id, tariffs, dense_rank() OVER (ORDER BY tariffs) AS tariff_set
FROM (SELECT metering_point_id, list(struct_pack(code, owner, from_date, to_date) ORDER BY code, owner, from_date) AS tariffs
      FROM links WHERE charge_type = 'tariff' GROUP BY metering_point_id);

CREATE OR REPLACE TEMP TABLE tariff_mp AS
SELECT tariff_set, m.* FROM charged_mp m JOIN tariff_sets USING (metering_point_id)
WHERE metering_point_id NOT IN (SELECT metering_point_id FROM grid_loss_metering_points);

CREATE OR REPLACE TEMP TABLE observed_hours AS
SELECT tariff_set, ga, es, metering_point_type, settlement_method, date_trunc('hour', observation_time) AS time,
       sum(coalesce(quantity, 0)) AS quantity, list(DISTINCT quality) AS qualities, count(*) AS points
FROM time_series_points p JOIN tariff_mp m ON p.metering_point_id = m.metering_point_id
 AND p.observation_time >= m.from_date AND p.observation_time < m.to_date
WHERE observation_time >= getvariable('period_start') AND observation_time < getvariable('period_end')
  AND (resolution = 'PT15M' OR minute(observation_time) = 0)
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE expected_hours AS
WITH periods AS (
  SELECT tariff_set, ga, es, metering_point_type, settlement_method, from_date, to_date,
         sum(CASE resolution WHEN 'PT1H' THEN 1 ELSE 4 END) AS points
  FROM tariff_mp GROUP BY ALL)
SELECT tariff_set, ga, es, metering_point_type, settlement_method, time, sum(points) AS points
FROM periods, LATERAL unnest(generate_series(from_date, to_date - INTERVAL 1 MICROSECOND, INTERVAL 1 HOUR)) AS t(time)
GROUP BY ALL;

-- Energy behind the tariffs: measured, and the calculated grid loss (energy 10).
CREATE OR REPLACE TEMP TABLE tariff_hours AS
SELECT e.tariff_set, e.ga, e.es, e.metering_point_type, e.settlement_method, e.time, coalesce(o.quantity, 0) AS quantity,
       CASE WHEN coalesce(o.points, 0) < e.points THEN list_distinct(list_append(coalesce(o.qualities, []), 'missing'))
            ELSE o.qualities END AS qualities
FROM expected_hours e LEFT JOIN observed_hours o
  ON e.tariff_set = o.tariff_set AND e.ga = o.ga AND e.es IS NOT DISTINCT FROM o.es AND e.time = o.time
 AND e.metering_point_type = o.metering_point_type AND e.settlement_method IS NOT DISTINCT FROM o.settlement_method
UNION ALL
SELECT tariff_set, ga, es, CASE kind WHEN 'production' THEN 'production' ELSE 'consumption' END,
       CASE kind WHEN 'production' THEN NULL ELSE 'flex' END, date_trunc('hour', time), sum(quantity), ['calculated']
FROM grid_loss_points JOIN tariff_sets USING (metering_point_id) GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE tariff_quantities AS
WITH sets AS (
  SELECT tariff_set, unnest(any_value(tariffs), recursive := true) FROM tariff_sets GROUP BY tariff_set),
counting AS (
  SELECT s.tariff_set, c.code, c.charge_type, c.owner, c.resolution, c.is_tax,
         greatest(s.from_date, c.from_date) AS from_date, least(s.to_date, c.to_date) AS to_date
  FROM sets s JOIN charges c ON c.code = s.code AND c.owner = s.owner AND c.charge_type = 'tariff'),
energy_of_tariffs AS (
  SELECT 'PT1H' AS resolution, * FROM tariff_hours
  UNION ALL
  SELECT 'P1D', tariff_set, ga, es, metering_point_type, settlement_method, day_of(time) AS time, sum(quantity),
         flatten(list(qualities))
  FROM tariff_hours WHERE day_of(time) >= getvariable('period_start') GROUP BY ALL)
SELECT c.code, c.charge_type, c.owner, c.is_tax, c.resolution, e.ga, e.es, e.metering_point_type, e.settlement_method, e.time,
       sum(e.quantity)::DECIMAL(18, 3) AS quantity, list_sort(list_distinct(flatten(list(e.qualities)))) AS qualities
FROM energy_of_tariffs e JOIN counting c
  ON c.tariff_set = e.tariff_set AND c.resolution = e.resolution AND e.time >= c.from_date AND e.time < c.to_date
GROUP BY ALL;

-- Subscriptions and fees: the newest price of the same, unclamped charge period (wholesale 4); shares of a day half up in integers.
CREATE OR REPLACE MACRO per_day(price, days) AS
  ((sign(price) * (((2 * abs(price) * 1000000)::HUGEINT + days) // (2 * days)))::DECIMAL(24, 0) * 0.000001)::DECIMAL(18, 6);
CREATE OR REPLACE TEMP TABLE daily_prices AS
WITH times AS (
  SELECT c.*, m.time FROM charges c JOIN midnights m ON m.time >= c.from_date AND m.time < c.to_date
  WHERE c.charge_type <> 'tariff')
SELECT t.code, t.charge_type, t.owner, t.is_tax, t.time,
       CASE WHEN p.charge_time < t.charge_from THEN NULL
            WHEN t.charge_type = 'subscription' THEN per_day(p.charge_price, getvariable('days'))
            ELSE p.charge_price END AS price
FROM times t ASOF LEFT JOIN prices p
  ON t.code = p.code AND t.charge_type = p.charge_type AND t.owner = p.owner AND t.time >= p.charge_time;

CREATE OR REPLACE TEMP TABLE piece_quantities AS
WITH factors AS (
  SELECT l.code, l.charge_type, l.owner, m.ga, m.es, m.metering_point_type, m.settlement_method,
         greatest(l.from_date, m.from_date) AS from_date, least(l.to_date, m.to_date) AS to_date, sum(l.factor) AS factor
  FROM links l JOIN charged_mp m ON l.metering_point_id = m.metering_point_id AND l.from_date < m.to_date AND l.to_date > m.from_date
  WHERE l.charge_type <> 'tariff' GROUP BY ALL)
SELECT f.code, f.charge_type, f.owner, d.is_tax, f.ga, f.es, f.metering_point_type, f.settlement_method, d.time, d.price,
       sum(f.factor)::DECIMAL(18, 3) AS quantity
FROM factors f JOIN daily_prices d
  ON f.code = d.code AND f.charge_type = d.charge_type AND f.owner = d.owner AND d.time >= f.from_date AND d.time < f.to_date
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE amounts_per_charge AS
WITH priced AS (
  SELECT q.ga, q.es, q.quantity, 'kWh' AS unit, q.qualities, q.time, q.resolution, q.metering_point_type, q.settlement_method,
         p.charge_price AS price, q.is_tax, q.code, q.charge_type, q.owner
  FROM tariff_quantities q LEFT JOIN prices p
    ON p.charge_type = 'tariff' AND p.code = q.code AND p.owner = q.owner AND p.charge_time = q.time
  UNION ALL
  SELECT ga, es, quantity, 'pcs', NULL, time, 'P1D', metering_point_type, settlement_method, price, is_tax, code, charge_type, owner
  FROM piece_quantities)
SELECT *, (quantity * price)::DECIMAL(18, 6) AS amount FROM priced;

CREATE OR REPLACE TEMP TABLE monthly_amounts_per_charge AS
SELECT ga, es, unit, getvariable('period_start') AS time, sum(amount)::DECIMAL(18, 6) AS amount, is_tax, code, charge_type, owner
FROM amounts_per_charge GROUP BY ALL;

-- An owner gets its own charges and the taxes of others; the supplier's total has no owner (wholesale 7).
CREATE OR REPLACE TEMP TABLE total_monthly_amounts AS
WITH owners AS (SELECT DISTINCT ga, es, owner FROM monthly_amounts_per_charge WHERE NOT is_tax)
SELECT o.ga, o.es, m.time, sum(m.amount)::DECIMAL(18, 6) AS amount, o.owner
FROM owners o JOIN monthly_amounts_per_charge m
  ON m.ga = o.ga AND m.es IS NOT DISTINCT FROM o.es AND (m.owner = o.owner) <> m.is_tax
GROUP BY ALL
UNION ALL
SELECT ga, es, time, sum(amount)::DECIMAL(18, 6), NULL FROM monthly_amounts_per_charge GROUP BY ALL;
