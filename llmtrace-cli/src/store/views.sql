CREATE VIEW trace AS
SELECT lower(hex(t.trace_id)) AS trace_id,
  (SELECT text FROM names WHERE id = t.name) AS name,
  (SELECT text FROM names WHERE id = t.service) AS service,
  (SELECT text FROM names WHERE id = t.environment) AS environment,
  (SELECT text FROM names WHERE id = t.session) AS session,
  (SELECT text FROM names WHERE id = t.user) AS user,
  strftime('%Y-%m-%dT%H:%M:%S', t.start / 1000000000, 'unixepoch') || printf('.%09dZ', t.start % 1000000000) AS start,
  strftime('%Y-%m-%dT%H:%M:%S', t."end" / 1000000000, 'unixepoch') || printf('.%09dZ', t."end" % 1000000000) AS "end",
  t.duration / 1e6 AS duration_ms,
  CASE WHEN t.status = 0 THEN 'ok' WHEN t.status = 1 THEN 'error'
    WHEN t.received / 1000000000 > unixepoch() - 300 THEN 'running' ELSE 'incomplete' END AS status,
  t.spans, t.errors, t.calls,
  t.input_tokens, t.output_tokens, t.cache_read_tokens, t.cache_write_tokens, t.reasoning_tokens,
  t.cost / 1e12 AS cost_usd,
  t.lower_bound AS cost_is_lower_bound,
  t.unpriced,
  t.first_chunk / 1e6 AS first_chunk_ms,
  (SELECT group_concat(text, ', ') FROM (SELECT DISTINCT n.text FROM spans AS s JOIN names AS n ON n.id = s.model
    WHERE s.trace = t.id ORDER BY n.text)) AS models,
  t.input, t.output
FROM traces AS t;

CREATE VIEW span AS
SELECT lower(hex(t.trace_id)) AS trace_id, lower(hex(s.span_id)) AS span_id, nullif(lower(hex(s.parent)), '') AS parent_span_id,
  (SELECT text FROM names WHERE id = s.name) AS name,
  CASE s.kind WHEN 0 THEN 'generation' WHEN 1 THEN 'embedding' WHEN 2 THEN 'agent' WHEN 3 THEN 'tool'
    WHEN 4 THEN 'workflow' WHEN 5 THEN 'retriever' WHEN 6 THEN 'reranker' WHEN 7 THEN 'evaluator'
    WHEN 8 THEN 'guardrail' ELSE 'span' END AS kind,
  strftime('%Y-%m-%dT%H:%M:%S', s.start / 1000000000, 'unixepoch') || printf('.%09dZ', s.start % 1000000000) AS start,
  CASE WHEN s."end" > 0 THEN strftime('%Y-%m-%dT%H:%M:%S', s."end" / 1000000000, 'unixepoch')
    || printf('.%09dZ', s."end" % 1000000000) END AS "end",
  max(s."end" - s.start, 0) / 1e6 AS duration_ms,
  CASE s.status WHEN 1 THEN 'ok' WHEN 2 THEN 'error' WHEN 3 THEN 'cancelled' WHEN 4 THEN 'running' ELSE 'unset' END
    AS status,
  s.error,
  (SELECT text FROM names WHERE id = s.service) AS service,
  (SELECT text FROM names WHERE id = s.environment) AS environment,
  (SELECT text FROM names WHERE id = s.provider) AS provider,
  (SELECT text FROM names WHERE id = s.model) AS model,
  (SELECT text FROM names WHERE id = s.session) AS session,
  (SELECT text FROM names WHERE id = s.user) AS user,
  s.input_tokens, s.output_tokens, s.cache_read_tokens, s.cache_write_tokens, s.reasoning_tokens,
  s.cost / 1e12 AS cost_usd,
  s.first_chunk / 1e6 AS first_chunk_ms
FROM spans AS s JOIN traces AS t ON t.id = s.trace;

CREATE VIEW score AS
SELECT lower(hex(t.trace_id)) AS trace_id, lower(hex(s.span_id)) AS span_id,
  (SELECT text FROM names WHERE id = s.name) AS name, s.value, s.comment,
  CASE s.source WHEN 0 THEN 'span' ELSE 'added' END AS source,
  strftime('%Y-%m-%dT%H:%M:%S', s.time / 1000000000, 'unixepoch') || printf('.%09dZ', s.time % 1000000000) AS time
FROM scores AS s JOIN traces AS t ON t.id = s.trace;
