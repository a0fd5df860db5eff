-- The balance settlement as a good analyst writes it in DuckDB: decimals, string keys, list(distinct quality).
-- Variables: period_start, period_end (timestamps in UTC). Views: metering_point_periods, time_series_points, grid_loss_metering_points.

CREATE OR REPLACE TEMP TABLE mp AS
SELECT metering_point_id, type, settlement_method, grid_area_code, resolution, from_grid_area_code, to_grid_area_code,
       energy_supplier_id AS es, balance_responsible_party_id AS brp,
       greatest(from_date, getvariable('period_start')) AS from_date,
       least(coalesce(to_date, getvariable('period_end')), getvariable('period_end')) AS to_date
FROM metering_point_periods
WHERE type IN ('E17', 'E18', 'E20') AND from_date < getvariable('period_end')
  AND coalesce(to_date, getvariable('period_end')) > getvariable('period_start');

CREATE OR REPLACE TEMP TABLE loss_mp AS
SELECT mp.* FROM mp JOIN grid_loss_metering_points USING (metering_point_id);

-- Everything a result is grouped by; the hour of hourly points is summed as an hour and split afterwards.
CREATE OR REPLACE TEMP TABLE keyed AS
SELECT metering_point_id, from_date, to_date, resolution,
       CASE type WHEN 'E18' THEN 'production' WHEN 'E20' THEN 'exchange'
            ELSE CASE settlement_method WHEN 'D01' THEN 'flex_consumption' ELSE 'non_profiled_consumption' END END AS kind,
       CASE type WHEN 'E20' THEN to_grid_area_code ELSE grid_area_code END AS ga,
       CASE type WHEN 'E20' THEN from_grid_area_code END AS neighbour, brp, es
FROM mp WHERE metering_point_id NOT IN (SELECT metering_point_id FROM loss_mp);

CREATE OR REPLACE TEMP TABLE observed AS
SELECT kind, ga, neighbour, brp, es, resolution, observation_time AS time, sum(coalesce(quantity, 0)) AS quantity,
       list(DISTINCT quality) AS qualities, count(*) AS points
FROM time_series_points p JOIN keyed k ON p.metering_point_id = k.metering_point_id
 AND p.observation_time >= k.from_date AND p.observation_time < k.to_date
WHERE observation_time >= getvariable('period_start') AND observation_time < getvariable('period_end')
  AND (resolution = 'PT15M' OR minute(observation_time) = 0)
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE expected AS
WITH periods AS (
  SELECT kind, ga, neighbour, brp, es, resolution, from_date, to_date, count(*) AS points FROM keyed GROUP BY ALL)
SELECT kind, ga, neighbour, brp, es, resolution, time, sum(points) AS points
FROM periods, LATERAL unnest(generate_series(from_date, to_date - INTERVAL 1 MICROSECOND,
     CASE resolution WHEN 'PT1H' THEN INTERVAL 1 HOUR ELSE INTERVAL 15 MINUTE END)) AS t(time)
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE summed AS
SELECT e.kind, e.ga, e.neighbour, e.brp, e.es, e.resolution, e.time, coalesce(o.quantity, 0) AS quantity,
       CASE WHEN coalesce(o.points, 0) < e.points THEN list_distinct(list_append(coalesce(o.qualities, []), 'missing'))
            ELSE o.qualities END AS qualities
FROM expected e LEFT JOIN observed o ON e.kind = o.kind AND e.ga = o.ga AND e.neighbour IS NOT DISTINCT FROM o.neighbour
 AND e.brp IS NOT DISTINCT FROM o.brp AND e.es IS NOT DISTINCT FROM o.es AND e.resolution = o.resolution AND e.time = o.time;

CREATE OR REPLACE TEMP TABLE quarters AS
WITH parts AS (
  SELECT kind, ga, neighbour, brp, es, time, quantity::DECIMAL(28, 5) AS quantity, qualities FROM summed WHERE resolution = 'PT15M'
  UNION ALL
  SELECT kind, ga, neighbour, brp, es, time + quarter * INTERVAL 15 MINUTE, (quantity * 0.25)::DECIMAL(28, 5), qualities
  FROM summed, (VALUES (0), (1), (2), (3)) AS v(quarter) WHERE resolution = 'PT1H')
SELECT kind, ga, neighbour, brp, es, time, sum(quantity)::DECIMAL(28, 5) AS quantity,
       list_distinct(flatten(list(qualities))) AS qualities
FROM parts GROUP BY ALL;

-- Rounding that keeps the sum of the hour (energy 6).
CREATE OR REPLACE MACRO keep_sum(q, i) AS
  CASE i WHEN 0 THEN round(q, 3)
         WHEN 1 THEN round(q - round(q, 3) + q, 3)
         WHEN 2 THEN round(q - round(q - round(q, 3) + q, 3) + (q - round(q, 3) + q), 3)
         ELSE round(q - round(q - round(q - round(q, 3) + q, 3) + (q - round(q, 3) + q), 3)
                    + (q - round(q - round(q, 3) + q, 3) + (q - round(q, 3) + q)), 3) END;

CREATE OR REPLACE TEMP TABLE per_neighbour AS
WITH flows AS (
  SELECT ga, neighbour, time, quantity, qualities FROM quarters WHERE kind = 'exchange'
  UNION ALL
  SELECT neighbour, ga, time, -quantity, qualities FROM quarters WHERE kind = 'exchange')
SELECT ga, neighbour, time, keep_sum(sum(quantity)::DECIMAL(28, 5), minute(time) // 15)::DECIMAL(18, 3) AS quantity,
       list_sort(list_distinct(flatten(list(qualities)))) AS qualities
FROM flows GROUP BY ga, neighbour, time;

CREATE OR REPLACE TEMP TABLE exchange AS
SELECT ga, time, sum(quantity)::DECIMAL(18, 3) AS quantity, list_sort(list_distinct(flatten(list(qualities)))) AS qualities
FROM per_neighbour GROUP BY ga, time;

CREATE OR REPLACE TEMP TABLE per_es_temporary AS
SELECT kind, ga, brp, es, time, keep_sum(quantity, minute(time) // 15)::DECIMAL(18, 3) AS quantity, qualities
FROM quarters WHERE kind <> 'exchange';

CREATE OR REPLACE TEMP TABLE temporary AS
SELECT kind, ga, time, sum(quantity)::DECIMAL(18, 3) AS quantity, list_sort(list_distinct(flatten(list(qualities)))) AS qualities
FROM per_es_temporary GROUP BY kind, ga, time;

CREATE OR REPLACE TEMP TABLE grid_loss AS
WITH signed AS (
  SELECT ga, time, quantity FROM exchange
  UNION ALL SELECT ga, time, CASE kind WHEN 'production' THEN quantity ELSE -quantity END FROM temporary)
SELECT ga, time, sum(quantity)::DECIMAL(18, 3) AS quantity FROM signed GROUP BY ga, time;

CREATE OR REPLACE TEMP TABLE grid_loss_points AS
SELECT l.metering_point_id, CASE m.type WHEN 'E18' THEN 'production' ELSE 'flex_consumption' END AS kind, g.ga, m.brp, m.es, g.time,
       CASE m.type WHEN 'E18' THEN greatest(-g.quantity, 0) ELSE greatest(g.quantity, 0) END::DECIMAL(18, 3) AS quantity
FROM grid_loss g JOIN loss_mp m ON m.grid_area_code = g.ga AND g.time >= m.from_date AND g.time < m.to_date
JOIN grid_loss_metering_points l ON l.metering_point_id = m.metering_point_id;

CREATE OR REPLACE TEMP TABLE per_es AS
WITH parts AS (
  SELECT kind, ga, brp, es, time, quantity, qualities FROM per_es_temporary
  UNION ALL SELECT kind, ga, brp, es, time, quantity, ['calculated'] FROM grid_loss_points)
SELECT kind, ga, brp, es, time, sum(quantity)::DECIMAL(18, 3) AS quantity, list_sort(list_distinct(flatten(list(qualities)))) AS qualities
FROM parts GROUP BY ALL;

-- Only a result, and not one of D05: calculated when it is written.
CREATE OR REPLACE TEMP VIEW per_brp AS
SELECT kind, ga, brp, time, sum(quantity)::DECIMAL(18, 3) AS quantity, list_sort(list_distinct(flatten(list(qualities)))) AS qualities
FROM per_es GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE per_ga AS
SELECT kind, ga, time, sum(quantity)::DECIMAL(18, 3) AS quantity, list_sort(list_distinct(flatten(list(qualities)))) AS qualities
FROM per_es GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE energy AS
SELECT kind, ga, time, quantity, qualities FROM per_ga
UNION ALL SELECT 'net_exchange_per_ga', ga, time, quantity, qualities FROM exchange
UNION ALL SELECT 'grid_loss', ga, time, quantity, ['calculated'] FROM grid_loss
UNION ALL SELECT CASE kind WHEN 'production' THEN 'temp_production' ELSE 'temp_flex_consumption' END, ga, time, quantity, qualities
          FROM temporary WHERE kind <> 'non_profiled_consumption'
UNION ALL SELECT 'total_consumption', p.ga, p.time, (p.quantity + x.quantity)::DECIMAL(18, 3),
                 list_sort(list_distinct(list_concat(p.qualities, x.qualities)))
          FROM per_ga p JOIN exchange x ON p.ga = x.ga AND p.time = x.time WHERE p.kind = 'production';
