//! Every attribute key and well-known value, written once.
//!
//! Names follow the OpenTelemetry GenAI semantic conventions wherever one exists
//! (<https://opentelemetry.io/docs/specs/semconv/gen-ai/>); what has no such name is under `llmtrace.`.

/// `gen_ai.operation.name`: `chat`, `embeddings`, `execute_tool`, ...
pub const OPERATION_NAME: &str = "gen_ai.operation.name";
/// `gen_ai.provider.name`: `openai`, `anthropic`, `aws.bedrock`, ...
pub const PROVIDER_NAME: &str = "gen_ai.provider.name";
/// The name of [`PROVIDER_NAME`] before it was renamed; read, never written.
pub const SYSTEM: &str = "gen_ai.system";
/// The model that was asked for.
pub const REQUEST_MODEL: &str = "gen_ai.request.model";
/// The model that answered.
pub const RESPONSE_MODEL: &str = "gen_ai.response.model";
/// The provider's id of the response.
pub const RESPONSE_ID: &str = "gen_ai.response.id";
/// Why generation stopped, one entry per choice.
pub const RESPONSE_FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
/// Seconds from the start of the call to the first content of a stream.
pub const RESPONSE_TIME_TO_FIRST_CHUNK: &str = "gen_ai.response.time_to_first_chunk";
/// Upper bound on output tokens.
pub const REQUEST_MAX_TOKENS: &str = "gen_ai.request.max_tokens";
/// Sampling temperature.
pub const REQUEST_TEMPERATURE: &str = "gen_ai.request.temperature";
/// Nucleus sampling threshold.
pub const REQUEST_TOP_P: &str = "gen_ai.request.top_p";
/// Top-k sampling.
pub const REQUEST_TOP_K: &str = "gen_ai.request.top_k";
/// Frequency penalty.
pub const REQUEST_FREQUENCY_PENALTY: &str = "gen_ai.request.frequency_penalty";
/// Presence penalty.
pub const REQUEST_PRESENCE_PENALTY: &str = "gen_ai.request.presence_penalty";
/// Sequences that stop generation.
pub const REQUEST_STOP_SEQUENCES: &str = "gen_ai.request.stop_sequences";
/// Sampling seed.
pub const REQUEST_SEED: &str = "gen_ai.request.seed";
/// How many choices were asked for.
pub const REQUEST_CHOICE_COUNT: &str = "gen_ai.request.choice.count";
/// `true` when the answer was asked for as a stream.
pub const REQUEST_STREAM: &str = "gen_ai.request.stream";
/// The reasoning effort that was asked for.
pub const REQUEST_REASONING_LEVEL: &str = "gen_ai.request.reasoning.level";
/// The response that the request continues.
pub const REQUEST_PREVIOUS_RESPONSE_ID: &str = "gen_ai.request.previous_response.id";
/// Encodings asked for an embedding.
pub const REQUEST_ENCODING_FORMATS: &str = "gen_ai.request.encoding_formats";
/// Dimensions asked for, or returned, of an embedding.
pub const EMBEDDINGS_DIMENSION_COUNT: &str = "gen_ai.embeddings.dimension.count";
/// `text`, `json`, `image`, `speech`.
pub const OUTPUT_TYPE: &str = "gen_ai.output.type";
/// All input tokens, cache reads and writes included.
pub const USAGE_INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
/// All output tokens, reasoning included.
pub const USAGE_OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
/// The total that the provider stated.
pub const USAGE_TOTAL_TOKENS: &str = "gen_ai.usage.total_tokens";
/// The part of the input that was read from a cache.
pub const USAGE_CACHE_READ_TOKENS: &str = "gen_ai.usage.cache_read.input_tokens";
/// The part of the input that was written to a cache.
pub const USAGE_CACHE_WRITE_TOKENS: &str = "gen_ai.usage.cache_write.input_tokens";
/// The older name of [`USAGE_CACHE_WRITE_TOKENS`]; read, never written.
pub const USAGE_CACHE_CREATION_TOKENS: &str = "gen_ai.usage.cache_creation.input_tokens";
/// The part of the output that was reasoning.
pub const USAGE_REASONING_TOKENS: &str = "gen_ai.usage.reasoning.output_tokens";
/// Audio tokens in the input.
pub const USAGE_INPUT_AUDIO_TOKENS: &str = "gen_ai.usage.audio.input_tokens";
/// Image tokens in the input.
pub const USAGE_INPUT_IMAGE_TOKENS: &str = "gen_ai.usage.image.input_tokens";
/// Video tokens in the input.
pub const USAGE_INPUT_VIDEO_TOKENS: &str = "gen_ai.usage.video.input_tokens";
/// Text tokens in the input.
pub const USAGE_INPUT_TEXT_TOKENS: &str = "gen_ai.usage.text.input_tokens";
/// Audio tokens in the output.
pub const USAGE_OUTPUT_AUDIO_TOKENS: &str = "gen_ai.usage.audio.output_tokens";
/// Image tokens in the output.
pub const USAGE_OUTPUT_IMAGE_TOKENS: &str = "gen_ai.usage.image.output_tokens";
/// Text tokens in the output.
pub const USAGE_OUTPUT_TEXT_TOKENS: &str = "gen_ai.usage.text.output_tokens";
/// The cost of the call in US dollars.
pub const USAGE_COST: &str = "gen_ai.usage.cost";
/// One conversation.
pub const CONVERSATION_ID: &str = "gen_ai.conversation.id";
/// `true` where the conversation was compacted for the call.
pub const CONVERSATION_COMPACTED: &str = "gen_ai.conversation.compacted";
/// Messages sent (JSON).
pub const INPUT_MESSAGES: &str = "gen_ai.input.messages";
/// Messages received (JSON).
pub const OUTPUT_MESSAGES: &str = "gen_ai.output.messages";
/// Instructions given beside the messages (JSON parts).
pub const SYSTEM_INSTRUCTIONS: &str = "gen_ai.system_instructions";
/// Tools offered to the model (JSON).
pub const TOOL_DEFINITIONS: &str = "gen_ai.tool.definitions";
/// A tool's name.
pub const TOOL_NAME: &str = "gen_ai.tool.name";
/// The id of a tool call.
pub const TOOL_CALL_ID: &str = "gen_ai.tool.call.id";
/// `function`, `extension`, `datastore`.
pub const TOOL_TYPE: &str = "gen_ai.tool.type";
/// What the tool does, as the model is told.
pub const TOOL_DESCRIPTION: &str = "gen_ai.tool.description";
/// What a tool was called with (JSON).
pub const TOOL_CALL_ARGUMENTS: &str = "gen_ai.tool.call.arguments";
/// What a tool returned (JSON).
pub const TOOL_CALL_RESULT: &str = "gen_ai.tool.call.result";
/// An agent's name.
pub const AGENT_NAME: &str = "gen_ai.agent.name";
/// A workflow's name.
pub const WORKFLOW_NAME: &str = "gen_ai.workflow.name";
/// What a retriever was asked.
pub const RETRIEVAL_QUERY_TEXT: &str = "gen_ai.retrieval.query.text";
/// What a retriever found (JSON).
pub const RETRIEVAL_DOCUMENTS: &str = "gen_ai.retrieval.documents";
/// The store that a retriever searches.
pub const DATA_SOURCE_ID: &str = "gen_ai.data_source.id";
/// Span event: a judgement.
pub const EVALUATION_RESULT_EVENT: &str = "gen_ai.evaluation.result";
/// What was judged.
pub const EVALUATION_NAME: &str = "gen_ai.evaluation.name";
/// The judgement as a number.
pub const EVALUATION_SCORE_VALUE: &str = "gen_ai.evaluation.score.value";
/// A remark to a judgement.
pub const EVALUATION_EXPLANATION: &str = "gen_ai.evaluation.explanation";
/// A prompt template's name.
pub const PROMPT_NAME: &str = "gen_ai.prompt.name";
/// A prompt template's version.
pub const PROMPT_VERSION: &str = "gen_ai.prompt.version";
/// The service tier asked of an `OpenAI` API.
pub const OPENAI_REQUEST_SERVICE_TIER: &str = "openai.request.service_tier";
/// The service tier that an `OpenAI` API served.
pub const OPENAI_RESPONSE_SERVICE_TIER: &str = "openai.response.service_tier";
/// The backend configuration that served the call.
pub const OPENAI_RESPONSE_SYSTEM_FINGERPRINT: &str = "openai.response.system_fingerprint";
/// `chat_completions` or `responses`.
pub const OPENAI_API_TYPE: &str = "openai.api.type";
/// The HTTP status of the answer.
pub const HTTP_RESPONSE_STATUS_CODE: &str = "http.response.status_code";
/// What kind of failure: a type name, an API's error type, or an HTTP status.
pub const ERROR_TYPE: &str = "error.type";
/// One end user.
pub const USER_ID: &str = "user.id";
/// The name that `OpenTelemetry` bridges give a span.
pub const OTEL_NAME: &str = "otel.name";
/// The `OpenTelemetry` span kind.
pub const OTEL_KIND: &str = "otel.kind";
/// The `OpenTelemetry` status code: `OK` or `ERROR`.
pub const OTEL_STATUS_CODE: &str = "otel.status_code";
/// The `OpenTelemetry` status description.
pub const OTEL_STATUS_DESCRIPTION: &str = "otel.status_description";
/// Span event: something failed.
pub const EXCEPTION_EVENT: &str = "exception";
/// Type of an exception event.
pub const EXCEPTION_TYPE: &str = "exception.type";
/// Message of an exception event.
pub const EXCEPTION_MESSAGE: &str = "exception.message";
/// Host of the server that was called.
pub const SERVER_ADDRESS: &str = "server.address";
/// Port of the server that was called.
pub const SERVER_PORT: &str = "server.port";
/// Bytes of an answer whose body is not kept.
pub const HTTP_RESPONSE_BODY_SIZE: &str = "http.response.body.size";
/// The service that a trace comes from (resource).
pub const SERVICE_NAME: &str = "service.name";
/// Which SDK made the spans (resource).
pub const TELEMETRY_SDK_NAME: &str = "telemetry.sdk.name";
/// The SDK's language (resource).
pub const TELEMETRY_SDK_LANGUAGE: &str = "telemetry.sdk.language";
/// The SDK's version (resource).
pub const TELEMETRY_SDK_VERSION: &str = "telemetry.sdk.version";
/// `production`, `staging`, ... (resource).
pub const DEPLOYMENT_ENVIRONMENT_NAME: &str = "deployment.environment.name";

/// Spans that were lost before a `llmtrace.dropped` record and after the one before it, in all.
pub const DROPPED_SPANS: &str = "llmtrace.dropped.spans";
/// Those that were lost because the queue was full.
pub const DROPPED_QUEUE_FULL: &str = "llmtrace.dropped.queue_full";
/// Those that ended after the shutdown.
pub const DROPPED_SHUTDOWN: &str = "llmtrace.dropped.shutdown";
/// Those that the time given to the shutdown was too short for.
pub const DROPPED_SHUTDOWN_TIMEOUT: &str = "llmtrace.dropped.shutdown_timeout";
/// Those that the exporter failed to ship.
pub const DROPPED_EXPORT_FAILED: &str = "llmtrace.dropped.export_failed";
/// Those that the exporter panicked on.
pub const DROPPED_EXPORTER_PANICKED: &str = "llmtrace.dropped.exporter_panicked";

/// An [`ObservationKind`](crate::ObservationKind) as its lower-case name.
pub const KIND: &str = "llmtrace.kind";
/// `cancelled` on a span that was given up before its end, for which `OpenTelemetry` has no status.
pub const STATUS: &str = "llmtrace.status";
/// Labels of a span.
pub const TAGS: &str = "llmtrace.tags";
/// How far the token counts may be trusted: `complete`, `partial`, `missing`, `interrupted`, `invalid`.
pub const USAGE_STATUS: &str = "llmtrace.usage.status";
/// Who counted: `provider` or `estimated`.
pub const USAGE_SOURCE: &str = "llmtrace.usage.source";
/// The counts that were estimated, by their attribute names, where the provider stated others.
pub const USAGE_ESTIMATED: &str = "llmtrace.usage.estimated";
/// Cache writes that live five minutes.
pub const USAGE_CACHE_WRITE_5M_TOKENS: &str = "llmtrace.usage.cache_write_5m.input_tokens";
/// Cache writes that live one hour.
pub const USAGE_CACHE_WRITE_1H_TOKENS: &str = "llmtrace.usage.cache_write_1h.input_tokens";
/// Text tokens read from a cache.
pub const USAGE_CACHE_READ_TEXT_TOKENS: &str = "gen_ai.usage.text.cache_read.input_tokens";
/// Audio tokens read from a cache.
pub const USAGE_CACHE_READ_AUDIO_TOKENS: &str = "gen_ai.usage.audio.cache_read.input_tokens";
/// Image tokens read from a cache.
pub const USAGE_CACHE_READ_IMAGE_TOKENS: &str = "gen_ai.usage.image.cache_read.input_tokens";
/// Video tokens read from a cache.
pub const USAGE_CACHE_READ_VIDEO_TOKENS: &str = "gen_ai.usage.video.cache_read.input_tokens";
/// Predicted tokens in the output that were right.
pub const USAGE_ACCEPTED_PREDICTION_TOKENS: &str = "llmtrace.usage.accepted_prediction.output_tokens";
/// Predicted tokens in the output that were wrong, and are billed all the same.
pub const USAGE_REJECTED_PREDICTION_TOKENS: &str = "llmtrace.usage.rejected_prediction.output_tokens";
/// Tokens of tool results that the provider counts beside the prompt; part of the input.
pub const USAGE_TOOL_USE_TOKENS: &str = "llmtrace.usage.tool_use.input_tokens";
/// Models besides the answering one whose tokens are in the counts (Anthropic advisors): one price fits not all.
pub const USAGE_OTHER_MODELS: &str = "llmtrace.usage.other_models";
/// Web searches billed beside the tokens.
pub const USAGE_WEB_SEARCHES: &str = "llmtrace.usage.web_searches";
/// File searches billed beside the tokens.
pub const USAGE_FILE_SEARCHES: &str = "llmtrace.usage.file_searches";
/// Searches of a reranker.
pub const USAGE_RERANK_SEARCHES: &str = "llmtrace.usage.rerank_searches";
/// Audio that was transcribed or read, in seconds.
pub const USAGE_AUDIO_SECONDS: &str = "llmtrace.usage.audio_seconds";
/// Pages of documents that were read.
pub const USAGE_DOCUMENT_PAGES: &str = "llmtrace.usage.document_pages";
/// Tokens of pages that an answer cites, billed beside the others (Perplexity `citation_tokens`).
pub const USAGE_CITATION_TOKENS: &str = "llmtrace.usage.citation_tokens";
/// Sources that a search used (xAI `num_sources_used`).
pub const USAGE_SOURCES: &str = "llmtrace.usage.sources";
/// How often the provider ran code for the model.
pub const USAGE_CODE_RUNS: &str = "llmtrace.usage.code_runs";
/// Where a cost comes from: `provider`, `override`, `bundled`.
pub const COST_SOURCE: &str = "llmtrace.cost.source";
/// Why there is a cost or none: `priced`, `provider_cost`, `unknown_model`, `no_usage`, `invalid_usage`.
pub const COST_STATUS: &str = "llmtrace.cost.status";
/// The entry of the price table that was used.
pub const COST_MATCHED_MODEL: &str = "llmtrace.cost.matched_model";
/// How closely the model matched that entry: `exact`, `dated`, `family`.
pub const COST_MATCH: &str = "llmtrace.cost.match";
/// The day the price table was made (ISO 8601 date).
pub const COST_AS_OF: &str = "llmtrace.cost.as_of";
/// The input's share of the cost in US dollars.
pub const COST_INPUT: &str = "llmtrace.cost.input";
/// The output's share of the cost in US dollars.
pub const COST_OUTPUT: &str = "llmtrace.cost.output";
/// The cost in whole pico-dollars (1e-12 USD), exact.
pub const COST_PICO_USD: &str = "llmtrace.cost.pico_usd";
/// Set to `true` where fees that the response implies are not in the cost.
pub const COST_INCOMPLETE: &str = "llmtrace.cost.incomplete";
/// Service tier that was asked for, where it is not an `OpenAI` API.
pub const REQUEST_SERVICE_TIER: &str = "llmtrace.request.service_tier";
/// Service tier that was served, where it is not an `OpenAI` API.
pub const SERVICE_TIER: &str = "llmtrace.service_tier";
/// How citations were asked for (Cohere `citation_options.mode`).
pub const REQUEST_CITATION_MODE: &str = "llmtrace.request.citation_mode";
/// How long a local server keeps the model in memory after the call (Ollama `keep_alive`).
pub const REQUEST_KEEP_ALIVE: &str = "llmtrace.request.keep_alive";
/// Seconds that a local server took to load the model.
pub const SERVER_LOAD_SECONDS: &str = "llmtrace.server.load_seconds";
/// Seconds that the server took to read the input.
pub const SERVER_INPUT_SECONDS: &str = "llmtrace.server.input_seconds";
/// Seconds that the server took to write the output.
pub const SERVER_OUTPUT_SECONDS: &str = "llmtrace.server.output_seconds";
/// Seconds that the server took for the whole call.
pub const SERVER_TOTAL_SECONDS: &str = "llmtrace.server.total_seconds";
/// Why a prompt was refused before the model saw it, in the provider's word (Google `promptFeedback.blockReason`).
pub const BLOCK_REASON: &str = "llmtrace.block_reason";
/// Inference speed that was served (Anthropic `usage.speed`).
pub const SPEED: &str = "llmtrace.speed";
/// Region in which inference ran (Anthropic `usage.inference_geo`).
pub const INFERENCE_GEO: &str = "llmtrace.inference_geo";
/// Of a local root: how many spans below it were dropped by sampling before it was known that the trace is kept.
pub const SAMPLED_OUT: &str = "llmtrace.sampled_out";
/// Whether thinking was asked for, in the request's own word: `enabled`, `disabled`, `adaptive`, ...
pub const REQUEST_THINKING: &str = "llmtrace.request.thinking";
/// Upper bound on the tokens of thinking.
pub const REQUEST_THINKING_TOKENS: &str = "llmtrace.request.thinking_tokens";
/// Who served a call that a gateway routed, in the gateway's own word.
pub const UPSTREAM_PROVIDER: &str = "llmtrace.upstream_provider";
/// The provider's id of the request, by which its support finds it.
pub const REQUEST_ID: &str = "llmtrace.request_id";
/// Seconds to wait before the next try, as the provider asks.
pub const RETRY_AFTER: &str = "llmtrace.retry_after";
/// What the names of rate limits begin with: `.requests`, `.tokens`, `.input_tokens` or `.output_tokens` follow, and
/// then `.limit`, `.remaining` or `.reset` (seconds, or a text where the provider names a time).
pub const RATE_LIMIT: &str = "llmtrace.rate_limit";
/// Seconds that the call waited on the server.
pub const SERVER_QUEUE_SECONDS: &str = "llmtrace.server.queue_seconds";
/// Seconds to the first token, as the server measured them.
pub const SERVER_FIRST_TOKEN_SECONDS: &str = "llmtrace.server.first_token_seconds";
/// The [`Api`](crate::provider::Api) whose shape was read.
pub const API: &str = "llmtrace.api";
/// `batch` where the call was made through a batch API.
pub const PROCESSING: &str = "llmtrace.processing";
/// `true` on a call whose content was left out by policy.
pub const CONTENT_OMITTED: &str = "llmtrace.content.omitted";
/// How many texts of the span were cut to the configured length.
pub const TRUNCATED: &str = "llmtrace.truncated";
/// How many secrets and the like were masked in the span.
pub const REDACTED: &str = "llmtrace.redacted";
/// Arguments of the traced function beside the request that one of them is (JSON).
pub const ARGUMENTS: &str = "llmtrace.arguments";
/// How many stream items were received.
pub const STREAM_CHUNKS: &str = "llmtrace.stream.chunks";
/// Why the body of an answer is not kept: its content type or its content encoding.
pub const RESPONSE_BODY_OMITTED: &str = "llmtrace.response.body_omitted";
/// The attribution graph of a local model's answer: Neuronpedia's JSON of what is kept of it. It is content.
pub const LENS_GRAPH: &str = "llmtrace.lens.graph";
/// Where the function is: `crate::module`.
pub const CODE_NAMESPACE: &str = "code.namespace";

/// Other names of attributes, older ones and those of other crates, each with the name above that stands for it; read,
/// never written.
pub const ALIASES: &[(&str, &str)] = &[
    (SYSTEM, PROVIDER_NAME),
    (USAGE_CACHE_CREATION_TOKENS, USAGE_CACHE_WRITE_TOKENS),
    ("gen_ai.usage.prompt_tokens", USAGE_INPUT_TOKENS),
    ("gen_ai.usage.completion_tokens", USAGE_OUTPUT_TOKENS),
    ("gen_ai.usage.reasoning_tokens", USAGE_REASONING_TOKENS),
    ("gen_ai.usage.tool_use_prompt_tokens", USAGE_TOOL_USE_TOKENS),
    ("gen_ai.usage.cached_tokens", USAGE_CACHE_READ_TOKENS),
    ("gen_ai.usage.cache_creation_input_tokens", USAGE_CACHE_WRITE_TOKENS),
    ("gen_ai.usage.cache_read_input_tokens", USAGE_CACHE_READ_TOKENS),
    ("gen_ai.openai.request.seed", REQUEST_SEED),
    ("gen_ai.openai.request.service_tier", OPENAI_REQUEST_SERVICE_TIER),
    ("gen_ai.openai.response.service_tier", OPENAI_RESPONSE_SERVICE_TIER),
    ("gen_ai.prompt", INPUT_MESSAGES),
    ("gen_ai.completion", OUTPUT_MESSAGES),
    ("session.id", CONVERSATION_ID),
    ("langfuse.session.id", CONVERSATION_ID),
    ("langfuse.user.id", USER_ID),
];
