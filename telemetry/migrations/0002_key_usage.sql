-- What each API key did, by the hour, so that a key that nobody used for a month is found without reading a month of calls.
-- It begins with this migration: calls of before are not counted in it.

CREATE TABLE IF NOT EXISTS key_1h
(
    organization_id UUID CODEC(ZSTD(1)),
    project_id      UUID CODEC(ZSTD(1)),
    key_id          UUID CODEC(ZSTD(1)),
    hour            DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    requests        SimpleAggregateFunction(sum, UInt64),
    errors          SimpleAggregateFunction(sum, UInt64),
    refused         SimpleAggregateFunction(sum, UInt64),
    last_used       SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (organization_id, project_id, key_id, hour)
TTL hour + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS key_1h_view TO key_1h AS
SELECT
    organization_id,
    project_id,
    key_id,
    toStartOfHour(toDateTime(time, 'UTC')) AS hour,
    count() AS requests,
    countIf(status >= 400) AS errors,
    countIf(status = 429) AS refused,
    max(time) AS last_used
FROM request_log
GROUP BY organization_id, project_id, key_id, hour;
