//! Macros that open a span by hand, with every field declared.

/// Opens a span of one kind: options, a name, and fields in the syntax of `tracing::span!`.
#[doc(hidden)]
#[macro_export]
macro_rules! __llmtrace_open {
    (@ $kind:tt { $($target:tt)* } $parent:tt $level:tt; target: $new:expr, $($rest:tt)*) => {
        $crate::__llmtrace_open!(@ $kind { $new } $parent $level; $($rest)*)
    };
    (@ $kind:tt $target:tt { $($parent:tt)* } $level:tt; parent: $new:expr, $($rest:tt)*) => {
        $crate::__llmtrace_open!(@ $kind $target { parent: $new, } $level; $($rest)*)
    };
    (@ $kind:tt $target:tt $parent:tt { $($level:tt)* }; level: $new:expr, $($rest:tt)*) => {
        $crate::__llmtrace_open!(@ $kind $target $parent { $new }; $($rest)*)
    };
    (
        @ { $kind:ident $($own:ident)* } { $($target:tt)* } { $($parent:tt)* } { $($level:tt)* };
        $name:expr $(, $($fields:tt)*)?
    ) => {
        $crate::__private::tracing::span!(
            target: $($target)*,
            $($parent)*
            $($level)*,
            $name,
            { $crate::semconv::KIND } = $crate::ObservationKind::$kind.as_str(),
            { $crate::semconv::OPERATION_NAME } = $crate::ObservationKind::$kind.operation_name(),
            $({ $crate::semconv::$own } = $crate::__private::tracing::field::Empty,)*
            { $crate::semconv::PROVIDER_NAME } = $crate::__private::tracing::field::Empty,
            { $crate::semconv::REQUEST_MODEL } = $crate::__private::tracing::field::Empty,
            { $crate::semconv::CONVERSATION_ID } = $crate::__private::tracing::field::Empty,
            { $crate::semconv::ERROR_TYPE } = $crate::__private::tracing::field::Empty,
            $($($fields)*)?
        )
    };
    ($kind:tt; $($rest:tt)*) => {
        $crate::__llmtrace_open!(
            @ $kind { ::core::module_path!() } {} { $crate::__private::tracing::Level::INFO };
            $($rest)*
        )
    };
}

macro_rules! span_macros {
    ($dollar:tt $($(#[doc = $doc:expr])* $name:ident opens $kind:tt;)*) => {$(
        $(#[doc = $doc])*
        ///
        /// `target:`, `parent:` and `level:` may stand before the name, in this order or any other; fields
        /// follow it as in `tracing::span!`, of which `provider`, `model`, `session` and `user` mean what they mean to
        /// `#[llm_trace]`. All fields that such a span usually has are declared, so that
        /// `span.record` can fill them.
        ///
        /// ```
        #[doc = concat!("let span = llmtrace::", stringify!($name), "!(\"a name\", session = \"session-1\", my.field = 1);")]
        /// span.record("gen_ai.request.model", "my-model");
        /// span.in_scope(|| { /* the work */ });
        /// ```
        #[macro_export]
        macro_rules! $name {
            ($dollar($dollar rest:tt)+) => {
                $dollar crate::__llmtrace_open!($kind; $dollar($dollar rest)+)
            };
        }
    )*};
}

span_macros! { $
    /// Opens a span for one model call that answers with text, tool calls or media.
    generation opens {
        Generation RESPONSE_ID RESPONSE_MODEL RESPONSE_FINISH_REASONS USAGE_INPUT_TOKENS USAGE_OUTPUT_TOKENS
        USAGE_TOTAL_TOKENS USAGE_CACHE_READ_TOKENS USAGE_CACHE_WRITE_TOKENS USAGE_REASONING_TOKENS USAGE_COST
        INPUT_MESSAGES OUTPUT_MESSAGES
    };
    /// Opens a span for one model call that answers with vectors.
    embedding opens {
        Embedding RESPONSE_ID RESPONSE_MODEL USAGE_INPUT_TOKENS USAGE_TOTAL_TOKENS USAGE_COST
        EMBEDDINGS_DIMENSION_COUNT
    };
    /// Opens a span for a loop in which a model decides what to do next.
    agent opens { Agent AGENT_NAME INPUT_MESSAGES OUTPUT_MESSAGES };
    /// Opens a span for one run of a tool.
    tool opens { Tool TOOL_NAME TOOL_CALL_ID TOOL_TYPE TOOL_CALL_ARGUMENTS TOOL_CALL_RESULT };
    /// Opens a span for a fixed sequence of steps.
    workflow opens { Workflow WORKFLOW_NAME INPUT_MESSAGES OUTPUT_MESSAGES };
    /// Opens a span for a search for documents.
    retriever opens { Retriever RETRIEVAL_QUERY_TEXT RETRIEVAL_DOCUMENTS };
    /// Opens a span for a reordering of documents.
    reranker opens {
        Reranker RESPONSE_ID RESPONSE_MODEL USAGE_INPUT_TOKENS USAGE_OUTPUT_TOKENS USAGE_COST
        RETRIEVAL_QUERY_TEXT RETRIEVAL_DOCUMENTS
    };
    /// Opens a span for a judgement of an output.
    evaluator opens { Evaluator INPUT_MESSAGES OUTPUT_MESSAGES };
    /// Opens a span for a check that may stop an input or an output.
    guardrail opens { Guardrail INPUT_MESSAGES OUTPUT_MESSAGES };
    /// Opens a span for anything else.
    llm_span opens { Span INPUT_MESSAGES OUTPUT_MESSAGES };
}
