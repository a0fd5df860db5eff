-- Charges for a generated load: four on every metering point but exchange (per area two hourly tariffs and a subscription,
-- one national daily tax), and one of twenty fees on 5 % of them. Table: metering_points(metering_point_id, grid_area_code, number).

SET VARIABLE since = TIMESTAMPTZ '2019-12-31 23:00:00+00';
SET VARIABLE month_start = TIMESTAMPTZ '2024-12-31 23:00:00+00';
SET VARIABLE last_hour = TIMESTAMPTZ '2025-01-31 22:00:00+00';

CREATE TEMP TABLE charges AS
WITH areas AS (SELECT DISTINCT grid_area_code AS area FROM metering_points),
own AS (SELECT * FROM areas, (VALUES ('hourly-1', 'tariff', 'PT1H'), ('hourly-2', 'tariff', 'PT1H'), ('abo', 'subscription', 'P1M'))
        AS v(name, charge_type, resolution))
SELECT name || '-' || area AS charge_code, charge_type, '5790000000' || area AS charge_owner_id, resolution, false AS is_tax, area FROM own
UNION ALL SELECT 'tax', 'tariff', '5790000432752', 'P1D', true, NULL
UNION ALL SELECT 'fee-' || n, 'fee', '5790000000100', 'P1M', false, NULL FROM range(20) AS v(n);

CREATE TEMP VIEW charge_price_information_periods AS
SELECT charge_code, charge_type, charge_owner_id, resolution, is_tax, getvariable('since') AS from_date, NULL::TIMESTAMPTZ AS to_date
FROM charges;

CREATE TEMP VIEW charge_link_periods AS
SELECT charge_code, charge_type, charge_owner_id, metering_point_id, 1::INTEGER AS quantity,
       getvariable('since') AS from_date, NULL::TIMESTAMPTZ AS to_date
FROM metering_points JOIN charges ON area = grid_area_code OR charge_code = 'tax'
UNION ALL
SELECT 'fee-' || number // 20 % 20, 'fee', '5790000000100', metering_point_id, 1::INTEGER,
       getvariable('month_start') + number % 28 * INTERVAL 1 DAY, getvariable('month_start') + (number % 28 + 1) * INTERVAL 1 DAY
FROM metering_points WHERE number % 20 = 0;

CREATE TEMP VIEW charge_price_points AS
SELECT charge_code, charge_type, charge_owner_id, (0.1 + hour(t) * 0.0123)::DECIMAL(18, 6) AS charge_price, t AS charge_time
FROM charges, (SELECT unnest(generate_series(getvariable('month_start'), getvariable('last_hour'), INTERVAL 1 HOUR)) AS t)
WHERE resolution = 'PT1H' OR (resolution = 'P1D' AND hour(t) = 23)
UNION ALL
SELECT charge_code, charge_type, charge_owner_id, 31::DECIMAL(18, 6), getvariable('since') FROM charges WHERE resolution = 'P1M';
