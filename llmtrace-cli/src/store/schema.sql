CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- Strings that repeat; 0 in other tables stands for none.
CREATE TABLE names (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);

-- Times are nanoseconds since 1970, durations nanoseconds, money millionths of a millionth of a US dollar.
CREATE TABLE traces (
  id INTEGER PRIMARY KEY,
  trace_id BLOB NOT NULL UNIQUE,
  name INTEGER NOT NULL,
  service INTEGER NOT NULL,
  environment INTEGER NOT NULL,
  session INTEGER NOT NULL,
  user INTEGER NOT NULL,
  start INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  duration INTEGER NOT NULL,
  spans INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  status INTEGER NOT NULL,          -- 0 ok, 1 error, 2 not finished
  root INTEGER NOT NULL,            -- whether the root is there
  received INTEGER NOT NULL,        -- when it last changed
  change INTEGER NOT NULL,          -- the commit that last changed it
  calls INTEGER NOT NULL,
  input_tokens INTEGER,
  output_tokens INTEGER,
  cache_read_tokens INTEGER,
  cache_write_tokens INTEGER,
  reasoning_tokens INTEGER,
  cost INTEGER,
  unpriced INTEGER NOT NULL,
  lower_bound INTEGER NOT NULL,     -- whether the cost is known to be too small
  uncounted INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  first_chunk INTEGER,
  token_rank INTEGER NOT NULL,      -- input and output tokens, or -1
  cost_rank INTEGER NOT NULL,       -- the cost, or -1
  input TEXT,
  input_at INTEGER,                 -- the start of the span that `input` is of; the least number for the root
  output TEXT,
  output_at INTEGER,                -- the end of the span that `output` is of; the greatest number for the root
  facets BLOB NOT NULL
);
CREATE INDEX traces_by_start ON traces (start, id, duration, cost_rank, token_rank);
CREATE INDEX traces_by_duration ON traces (duration, id, start, cost_rank, token_rank);
CREATE INDEX traces_by_cost ON traces (cost_rank, id, start, duration, token_rank);
CREATE INDEX traces_by_tokens ON traces (token_rank, id, start, duration, cost_rank);
CREATE INDEX traces_by_session ON traces (session, start, id) WHERE session <> 0;

CREATE TABLE spans (
  trace INTEGER NOT NULL,
  span_id BLOB NOT NULL,
  parent BLOB,
  start INTEGER NOT NULL,
  "end" INTEGER NOT NULL,           -- 0 while it runs
  kind INTEGER NOT NULL,
  status INTEGER NOT NULL,          -- 0 unset, 1 ok, 2 error, 3 cancelled, 4 running
  flags INTEGER NOT NULL,
  name INTEGER NOT NULL,
  service INTEGER NOT NULL,
  environment INTEGER NOT NULL,
  model INTEGER NOT NULL,
  provider INTEGER NOT NULL,
  session INTEGER NOT NULL,
  user INTEGER NOT NULL,
  input_tokens INTEGER,
  output_tokens INTEGER,
  cache_read_tokens INTEGER,
  cache_write_tokens INTEGER,
  reasoning_tokens INTEGER,
  cost INTEGER,
  first_chunk INTEGER,
  error TEXT,
  chunk INTEGER NOT NULL,           -- where its line stands
  position INTEGER NOT NULL,        -- bytes before it in the chunk
  PRIMARY KEY (trace, span_id)
) WITHOUT ROWID;

-- Lines of spans, compressed; the id is that of the trace times 2^20, and a number.
CREATE TABLE chunks (id INTEGER PRIMARY KEY, data BLOB NOT NULL);

-- Words of spans; the rowid is that of the trace times 2^20, and a number.
CREATE VIRTUAL TABLE search USING fts5 (
  text, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2"
);
-- How many rows of `search` a trace has, and the hashes of the texts in them.
CREATE TABLE texts (trace INTEGER PRIMARY KEY, rows INTEGER NOT NULL, hashes BLOB NOT NULL);

CREATE TABLE facets (
  facet INTEGER NOT NULL, value INTEGER NOT NULL, start INTEGER NOT NULL, trace INTEGER NOT NULL,
  PRIMARY KEY (facet, value, start, trace)
) WITHOUT ROWID;
CREATE TABLE facet_counts (
  facet INTEGER NOT NULL, value INTEGER NOT NULL, traces INTEGER NOT NULL,
  PRIMARY KEY (facet, value)
) WITHOUT ROWID;
CREATE INDEX facet_counts_by_traces ON facet_counts (facet, traces);

-- What calls add up to by the time at which they started; a bucket is a multiple of the level, both in seconds.
CREATE TABLE rollups (
  level INTEGER NOT NULL, bucket INTEGER NOT NULL,
  service INTEGER NOT NULL, provider INTEGER NOT NULL, model INTEGER NOT NULL,
  sums BLOB NOT NULL,
  PRIMARY KEY (level, bucket, service, provider, model)
) WITHOUT ROWID;
CREATE TABLE user_rollups (
  level INTEGER NOT NULL, bucket INTEGER NOT NULL, user INTEGER NOT NULL, sums BLOB NOT NULL,
  PRIMARY KEY (level, bucket, user)
) WITHOUT ROWID;
CREATE TABLE sessions (
  session INTEGER PRIMARY KEY,
  first INTEGER NOT NULL, last INTEGER NOT NULL, traces INTEGER NOT NULL, errors INTEGER NOT NULL,
  sums BLOB NOT NULL
);
CREATE INDEX sessions_by_last ON sessions (last, session);

CREATE TABLE scores (
  id INTEGER PRIMARY KEY,
  trace INTEGER NOT NULL, span_id BLOB NOT NULL,
  name INTEGER NOT NULL, value REAL NOT NULL, comment TEXT,
  source INTEGER NOT NULL,          -- 0 came with the span, 1 was added
  time INTEGER NOT NULL
);
CREATE INDEX scores_by_trace ON scores (trace, name, value);
