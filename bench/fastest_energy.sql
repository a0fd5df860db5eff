-- The same settlement as fast as we can write it in DuckDB: integer groups and slots, milli-kWh, qualities as bits.
-- Variables and views as in analyst_energy.sql. A slot is a quarter of an hour from the begin of the period.

CREATE OR REPLACE MACRO slot_of(t) AS ((epoch_us(t) - epoch_us(getvariable('period_start'))) // 900000000)::INTEGER;
CREATE OR REPLACE MACRO time_of(s) AS getvariable('period_start') + s * INTERVAL 15 MINUTE;
CREATE OR REPLACE MACRO bits(q) AS CASE q WHEN 'missing' THEN 1 WHEN 'estimated' THEN 2 WHEN 'measured' THEN 4 ELSE 8 END;
CREATE OR REPLACE MACRO names(b) AS list_filter(
  [CASE WHEN b & 8 > 0 THEN 'calculated' END, CASE WHEN b & 2 > 0 THEN 'estimated' END,
   CASE WHEN b & 4 > 0 THEN 'measured' END, CASE WHEN b & 1 > 0 THEN 'missing' END], lambda q: q IS NOT NULL);
CREATE OR REPLACE MACRO milli(n) AS sign(n)::BIGINT * ((abs(n) + 2) // 4);
-- n in quarters of a milli-kWh, i the quarter of the hour (energy 6).
CREATE OR REPLACE MACRO keep_sum(n, i) AS
  CASE WHEN n % 4 = 0 OR i = 0 THEN milli(n)
       WHEN i = 1 THEN milli(2 * n - 4 * milli(n))
       WHEN i = 2 THEN milli(3 * n - 4 * milli(n) - 4 * milli(2 * n - 4 * milli(n)))
       ELSE milli(4 * n - 4 * milli(n) - 4 * milli(2 * n - 4 * milli(n))
                  - 4 * milli(3 * n - 4 * milli(n) - 4 * milli(2 * n - 4 * milli(n)))) END;

CREATE OR REPLACE TEMP TABLE mp AS
SELECT metering_point_id, metering_point_id IN (SELECT metering_point_id FROM grid_loss_metering_points) AS is_loss,
       CASE type WHEN 'E18' THEN 1 WHEN 'E20' THEN 0 ELSE CASE settlement_method WHEN 'D01' THEN 2 ELSE 3 END END AS kind,
       CASE type WHEN 'E20' THEN to_grid_area_code ELSE grid_area_code END AS ga,
       CASE type WHEN 'E20' THEN from_grid_area_code END AS neighbour,
       balance_responsible_party_id AS brp, energy_supplier_id AS es, resolution,
       slot_of(greatest(from_date, getvariable('period_start'))) AS from_slot,
       slot_of(least(coalesce(to_date, getvariable('period_end')), getvariable('period_end'))) AS to_slot
FROM metering_point_periods
WHERE type IN ('E17', 'E18', 'E20') AND from_date < getvariable('period_end')
  AND coalesce(to_date, getvariable('period_end')) > getvariable('period_start');

CREATE OR REPLACE TEMP TABLE groups AS
SELECT row_number() OVER ()::INTEGER AS g, * FROM (
  SELECT DISTINCT kind, ga, neighbour, brp, es, resolution = 'PT1H' AS hourly FROM mp WHERE NOT is_loss);

CREATE OR REPLACE TEMP TABLE keyed AS
SELECT m.metering_point_id, m.from_slot, m.to_slot, g.g, g.hourly
FROM mp m JOIN groups g ON m.kind = g.kind AND m.ga = g.ga AND m.neighbour IS NOT DISTINCT FROM g.neighbour
 AND m.brp IS NOT DISTINCT FROM g.brp AND m.es IS NOT DISTINCT FROM g.es AND (m.resolution = 'PT1H') = g.hourly
WHERE NOT m.is_loss;

CREATE OR REPLACE TEMP TABLE observed AS
SELECT g, slot, sum(quantity)::BIGINT AS quantity, bit_or(quality)::INTEGER AS quality, count(*)::INTEGER AS points
FROM (SELECT k.g, slot_of(observation_time) AS slot, ((coalesce(quantity, 0))::DECIMAL(12, 3) * 1000)::BIGINT AS quantity,
             bits(quality) AS quality, k.from_slot, k.to_slot, k.hourly
      FROM time_series_points p JOIN keyed k USING (metering_point_id)
      WHERE observation_time >= getvariable('period_start') AND observation_time < getvariable('period_end'))
WHERE slot >= from_slot AND slot < to_slot AND (NOT hourly OR slot % 4 = 0)
GROUP BY g, slot;

CREATE OR REPLACE TEMP TABLE summed AS
WITH periods AS (SELECT g, hourly, from_slot, to_slot, count(*)::INTEGER AS points FROM keyed GROUP BY ALL),
expected AS (SELECT g, slot::INTEGER AS slot, any_value(hourly) AS hourly, sum(points)::INTEGER AS points
             FROM periods, LATERAL unnest(range(from_slot, to_slot, CASE WHEN hourly THEN 4 ELSE 1 END)) AS t(slot) GROUP BY ALL)
SELECT g, slot, hourly, coalesce(quantity, 0) AS quantity,
       coalesce(quality, 0) | CASE WHEN coalesce(o.points, 0) < e.points THEN 1 ELSE 0 END AS quality
FROM expected e LEFT JOIN observed o USING (g, slot);

-- Unit here: quarters of a milli-kWh.
CREATE OR REPLACE TEMP TABLE quarters AS
SELECT kind, ga, neighbour, brp, es, slot, sum(n)::BIGINT AS n, bit_or(quality) AS quality
FROM (SELECT g, slot, quantity * 4 AS n, quality FROM summed WHERE NOT hourly
      UNION ALL SELECT g, slot + i, quantity, quality FROM summed, (VALUES (0), (1), (2), (3)) AS v(i) WHERE hourly)
JOIN groups USING (g)
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE per_neighbour_bits AS
SELECT ga, neighbour, slot, keep_sum(sum(n)::BIGINT, slot % 4) AS quantity, bit_or(quality) AS quality
FROM (SELECT ga, neighbour, slot, n, quality FROM quarters WHERE kind = 0
      UNION ALL SELECT neighbour, ga, slot, -n, quality FROM quarters WHERE kind = 0)
GROUP BY ga, neighbour, slot;

CREATE OR REPLACE TEMP TABLE exchange_bits AS
SELECT ga, slot, sum(quantity)::BIGINT AS quantity, bit_or(quality) AS quality FROM per_neighbour_bits GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE es_bits AS
SELECT kind, ga, brp, es, slot, keep_sum(n, slot % 4) AS quantity, quality FROM quarters WHERE kind > 0;

CREATE OR REPLACE TEMP TABLE temporary_bits AS
SELECT kind, ga, slot, sum(quantity)::BIGINT AS quantity, bit_or(quality) AS quality FROM es_bits GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE loss_bits AS
SELECT ga, slot, sum(quantity)::BIGINT AS quantity
FROM (SELECT ga, slot, quantity FROM exchange_bits
      UNION ALL SELECT ga, slot, CASE kind WHEN 1 THEN quantity ELSE -quantity END FROM temporary_bits)
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE loss_points AS
SELECT m.metering_point_id, m.kind, l.ga, m.brp, m.es, l.slot,
       CASE m.kind WHEN 1 THEN greatest(-l.quantity, 0) ELSE greatest(l.quantity, 0) END AS quantity
FROM loss_bits l JOIN mp m ON m.is_loss AND m.ga = l.ga AND l.slot >= m.from_slot AND l.slot < m.to_slot;

CREATE OR REPLACE TEMP TABLE adjusted AS
SELECT kind, ga, brp, es, slot, sum(quantity)::BIGINT AS quantity, bit_or(quality) AS quality
FROM (SELECT kind, ga, brp, es, slot, quantity, quality FROM es_bits
      UNION ALL SELECT kind, ga, brp, es, slot, quantity, 8 FROM loss_points)
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE ga_bits AS
SELECT kind, ga, slot, sum(quantity)::BIGINT AS quantity, bit_or(quality) AS quality FROM adjusted GROUP BY ALL;

CREATE OR REPLACE MACRO kind_name(k) AS CASE k WHEN 1 THEN 'production' WHEN 2 THEN 'flex_consumption' ELSE 'non_profiled_consumption' END;
CREATE OR REPLACE MACRO kwh(milli_kwh) AS (milli_kwh::DECIMAL(15, 0) * 0.001)::DECIMAL(18, 3);

CREATE OR REPLACE TEMP VIEW per_neighbour AS
SELECT ga, neighbour, time_of(slot) AS time, kwh(quantity) AS quantity, names(quality) AS qualities FROM per_neighbour_bits;
CREATE OR REPLACE TEMP VIEW per_es AS
SELECT kind_name(kind) AS kind, ga, brp, es, time_of(slot) AS time, kwh(quantity) AS quantity, names(quality) AS qualities FROM adjusted;
CREATE OR REPLACE TEMP VIEW per_brp AS
SELECT kind_name(kind) AS kind, ga, brp, time_of(slot) AS time, kwh(sum(quantity)) AS quantity, names(bit_or(quality)) AS qualities
FROM adjusted GROUP BY kind, ga, brp, slot;
CREATE OR REPLACE TEMP VIEW grid_loss_points AS
SELECT metering_point_id, kind_name(kind) AS kind, ga, brp, es, time_of(slot) AS time, kwh(quantity) AS quantity FROM loss_points;
CREATE OR REPLACE TEMP VIEW energy AS
SELECT kind, ga, time_of(slot) AS time, kwh(quantity) AS quantity, names(quality) AS qualities FROM (
  SELECT kind_name(kind) AS kind, ga, slot, quantity, quality FROM ga_bits
  UNION ALL SELECT 'net_exchange_per_ga', ga, slot, quantity, quality FROM exchange_bits
  UNION ALL SELECT 'grid_loss', ga, slot, quantity, 8 FROM loss_bits
  UNION ALL SELECT CASE kind WHEN 1 THEN 'temp_production' ELSE 'temp_flex_consumption' END, ga, slot, quantity, quality
            FROM temporary_bits WHERE kind < 3
  UNION ALL SELECT 'total_consumption', p.ga, p.slot, p.quantity + x.quantity, p.quality | x.quality
            FROM ga_bits p JOIN exchange_bits x USING (ga, slot) WHERE p.kind = 1);
