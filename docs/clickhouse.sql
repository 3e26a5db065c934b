-- Spans of llmtrace in ClickHouse: one table for what the OpenTelemetry Collector writes, and what is asked of it.
-- Run it once, before the Collector starts, and set `create_schema: false` in its `clickhouse` exporter
-- (docs/collector.yaml). Tried with ClickHouse 26.9.

-- The columns down to `Links` have the names and types that the exporter inserts into. It writes every attribute as text;
-- the columns after them are read from it once, when a row comes in, and cost nothing to query.
CREATE TABLE IF NOT EXISTS otel_traces
(
    Timestamp          DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    TraceId            String CODEC(ZSTD(1)),
    SpanId             String CODEC(ZSTD(1)),
    ParentSpanId       String CODEC(ZSTD(1)),
    TraceState         String CODEC(ZSTD(1)),
    SpanName           LowCardinality(String),
    SpanKind           LowCardinality(String),
    ServiceName        LowCardinality(String),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeName          String CODEC(ZSTD(1)),
    ScopeVersion       String CODEC(ZSTD(1)),
    SpanAttributes     Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    Duration           UInt64 CODEC(T64, ZSTD(1)),
    StatusCode         LowCardinality(String),
    StatusMessage      String CODEC(ZSTD(1)),
    Events Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes Map(LowCardinality(String), String)),
    Links Nested (TraceId String, SpanId String, TraceState String, Attributes Map(LowCardinality(String), String)),

    Operation       LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.operation.name'],
    Provider        LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.provider.name'],
    Model           LowCardinality(String) MATERIALIZED coalesce(nullIf(SpanAttributes['gen_ai.response.model'], ''),
                                                                 SpanAttributes['gen_ai.request.model']),
    InputTokens     Nullable(UInt64) MATERIALIZED toUInt64OrNull(SpanAttributes['gen_ai.usage.input_tokens']),
    OutputTokens    Nullable(UInt64) MATERIALIZED toUInt64OrNull(SpanAttributes['gen_ai.usage.output_tokens']),
    CacheReadTokens Nullable(UInt64) MATERIALIZED toUInt64OrNull(SpanAttributes['gen_ai.usage.cache_read.input_tokens']),
    CostUsd         Nullable(Float64) MATERIALIZED toFloat64OrNull(SpanAttributes['gen_ai.usage.cost']),
    SessionId       String MATERIALIZED SpanAttributes['gen_ai.conversation.id'],
    UserId          String MATERIALIZED SpanAttributes['user.id'],

    INDEX by_trace TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_session SessionId TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(Timestamp)
-- Delivery is at least once: of a span that came twice, one row stays. FINAL sees it so before the parts are merged.
ORDER BY (ServiceName, toStartOfHour(Timestamp), TraceId, SpanId)
TTL toDateTime(Timestamp) + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1;

-- Tokens and cost by model.
CREATE VIEW IF NOT EXISTS cost_by_model AS
SELECT
    toDate(Timestamp) AS day,
    ServiceName AS service,
    Model AS model,
    count() AS calls,
    countIf(StatusCode = 'Error') AS errors,
    sum(InputTokens) AS input_tokens,
    sum(OutputTokens) AS output_tokens,
    sum(CostUsd) AS cost_usd,
    countIf(InputTokens IS NOT NULL AND CostUsd IS NULL) AS calls_without_price,
    quantile(0.95)(Duration) / 1e9 AS p95_seconds
FROM otel_traces FINAL
WHERE Model != ''
GROUP BY day, service, model;

-- Conversations, the dearest first.
CREATE VIEW IF NOT EXISTS cost_by_session AS
SELECT SessionId AS session, any(UserId) AS user, uniq(TraceId) AS traces, sum(CostUsd) AS cost_usd
FROM otel_traces FINAL
WHERE SessionId != ''
GROUP BY session
ORDER BY cost_usd DESC;
