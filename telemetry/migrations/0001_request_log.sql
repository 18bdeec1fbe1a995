-- The request log, its roll-up by minute, and the loss markers. Every statement may be run again: ClickHouse has no
-- transactional DDL, so a migration that was cut short is simply repeated.
--
-- `non_replicated_deduplication_window` is what makes a repeated insert with the same token invisible; the default, 0, is off.
-- The roll-up has a window of its own, because a retry after a crash between the two writes must reach it and it alone.

CREATE TABLE IF NOT EXISTS request_log
(
    time            DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    request_id      UUID CODEC(ZSTD(1)),
    organization_id UUID CODEC(ZSTD(1)),
    project_id      UUID CODEC(ZSTD(1)),
    deployment_id   UUID CODEC(ZSTD(1)),
    revision_id     UUID CODEC(ZSTD(1)),
    version_id      UUID CODEC(ZSTD(1)),
    key_id          UUID CODEC(ZSTD(1)),
    status          UInt16 CODEC(ZSTD(1)),
    error_code      LowCardinality(String),
    rows            UInt32 CODEC(T64, ZSTD(1)),
    queue_us        UInt32 CODEC(T64, ZSTD(1)),
    decode_us       UInt32 CODEC(T64, ZSTD(1)),
    infer_us        UInt32 CODEC(T64, ZSTD(1)),
    encode_us       UInt32 CODEC(T64, ZSTD(1)),
    total_us        UInt32 CODEC(T64, ZSTD(1)),
    batch_rows      UInt32 CODEC(T64, ZSTD(1)),
    cache_hit       Bool CODEC(ZSTD(1)),
    input_numbers   Array(Float64) CODEC(ZSTD(1)),
    input_texts     Array(LowCardinality(String)) CODEC(ZSTD(1)),
    output_numbers  Array(Float64) CODEC(ZSTD(1)),
    output_texts    Array(LowCardinality(String)) CODEC(ZSTD(1)),
    INDEX request_id_index request_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(time)
ORDER BY (organization_id, project_id, deployment_id, time)
TTL toDateTime(time) + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS request_1m
(
    organization_id UUID CODEC(ZSTD(1)),
    project_id      UUID CODEC(ZSTD(1)),
    deployment_id   UUID CODEC(ZSTD(1)),
    revision_id     UUID CODEC(ZSTD(1)),
    version_id      UUID CODEC(ZSTD(1)),
    minute          DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    requests        SimpleAggregateFunction(sum, UInt64),
    errors          SimpleAggregateFunction(sum, UInt64),
    server_errors   SimpleAggregateFunction(sum, UInt64),
    cache_hits      SimpleAggregateFunction(sum, UInt64),
    rows            SimpleAggregateFunction(sum, UInt64),
    queue_us        SimpleAggregateFunction(sum, UInt64),
    infer_us        SimpleAggregateFunction(sum, UInt64),
    total_us        SimpleAggregateFunction(sum, UInt64),
    max_total_us    SimpleAggregateFunction(max, UInt32),
    total_us_digest AggregateFunction(quantilesTDigest(0.5, 0.95, 0.99), UInt32)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (organization_id, project_id, deployment_id, minute, revision_id, version_id)
TTL minute + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS request_1m_view TO request_1m AS
SELECT
    organization_id,
    project_id,
    deployment_id,
    revision_id,
    version_id,
    toStartOfMinute(toDateTime(time, 'UTC')) AS minute,
    count() AS requests,
    countIf(status >= 400) AS errors,
    countIf(status >= 500) AS server_errors,
    countIf(cache_hit) AS cache_hits,
    sum(request_log.rows) AS rows,
    sum(request_log.queue_us) AS queue_us,
    sum(request_log.infer_us) AS infer_us,
    sum(request_log.total_us) AS total_us,
    max(request_log.total_us) AS max_total_us,
    quantilesTDigestState(0.5, 0.95, 0.99)(request_log.total_us) AS total_us_digest
FROM request_log
GROUP BY organization_id, project_id, deployment_id, revision_id, version_id, minute;

-- What gateways could not log: one row a batch that says so. A worker cannot tell whose calls they were.
CREATE TABLE IF NOT EXISTS lost_records
(
    time     DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    batch_id String CODEC(ZSTD(1)),
    lost     UInt64 CODEC(T64, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY time
TTL toDateTime(time) + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;
