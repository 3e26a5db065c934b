-- What went wrong in a trace that failed.
ALTER TABLE traces ADD COLUMN error TEXT;
UPDATE traces SET error = (
  SELECT s.error FROM spans AS s WHERE s.trace = traces.id AND s.status = 2 AND s.error IS NOT NULL
  ORDER BY CASE WHEN s.parent IS NULL THEN 0 WHEN s.flags & 1 THEN 1 ELSE 2 END, s.start, s.span_id LIMIT 1
) WHERE status = 1;

DROP VIEW trace;
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
  t.error,
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
