//! The attributes that encoding knows by name, found by a hash that is made at compile time.

use llmtrace::semconv;

/// How an attribute is sent under its own name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::otlp) enum Sent {
    /// As it is.
    Plain,
    /// As it is, but not on a span that only sums up others.
    Once,
    /// Only when `true`.
    IfTrue,
    /// Only when it is not 1.
    IfMany,
    /// Only where the record has no messages of that side.
    IfNoInput,
    IfNoOutput,
    /// Not at all: something else is made of it.
    Never,
}

macro_rules! slots {
    ($($slot:ident $key:ident $sent:ident;)*) => {
        /// An attribute that encoding knows by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(in crate::otlp) enum Slot { $($slot,)* }

        const ALL: &[(Slot, &str, Sent)] = &[$((Slot::$slot, semconv::$key, Sent::$sent),)*];
    };
}

slots! {
    Operation OPERATION_NAME Plain;
    Provider PROVIDER_NAME Plain;
    System SYSTEM Never;
    RequestModel REQUEST_MODEL Plain;
    ResponseModel RESPONSE_MODEL Plain;
    ResponseId RESPONSE_ID Plain;
    FinishReasons RESPONSE_FINISH_REASONS Plain;
    FirstChunk RESPONSE_TIME_TO_FIRST_CHUNK Plain;
    MaxTokens REQUEST_MAX_TOKENS Plain;
    Temperature REQUEST_TEMPERATURE Plain;
    TopP REQUEST_TOP_P Plain;
    TopK REQUEST_TOP_K Plain;
    FrequencyPenalty REQUEST_FREQUENCY_PENALTY Plain;
    PresencePenalty REQUEST_PRESENCE_PENALTY Plain;
    StopSequences REQUEST_STOP_SEQUENCES Plain;
    Seed REQUEST_SEED Plain;
    ChoiceCount REQUEST_CHOICE_COUNT IfMany;
    Stream REQUEST_STREAM IfTrue;
    ReasoningLevel REQUEST_REASONING_LEVEL Plain;
    OutputType OUTPUT_TYPE Plain;
    InputTokens USAGE_INPUT_TOKENS Once;
    OutputTokens USAGE_OUTPUT_TOKENS Once;
    TotalTokens USAGE_TOTAL_TOKENS Never;
    CacheRead USAGE_CACHE_READ_TOKENS Once;
    CacheWrite USAGE_CACHE_WRITE_TOKENS Never;
    CacheCreation USAGE_CACHE_CREATION_TOKENS Never;
    CacheWrite5m USAGE_CACHE_WRITE_5M_TOKENS Once;
    CacheWrite1h USAGE_CACHE_WRITE_1H_TOKENS Once;
    Reasoning USAGE_REASONING_TOKENS Once;
    InputText USAGE_INPUT_TEXT_TOKENS Once;
    InputAudio USAGE_INPUT_AUDIO_TOKENS Once;
    InputImage USAGE_INPUT_IMAGE_TOKENS Once;
    InputVideo USAGE_INPUT_VIDEO_TOKENS Once;
    CacheReadText USAGE_CACHE_READ_TEXT_TOKENS Once;
    CacheReadAudio USAGE_CACHE_READ_AUDIO_TOKENS Once;
    CacheReadImage USAGE_CACHE_READ_IMAGE_TOKENS Once;
    CacheReadVideo USAGE_CACHE_READ_VIDEO_TOKENS Once;
    OutputText USAGE_OUTPUT_TEXT_TOKENS Once;
    OutputAudio USAGE_OUTPUT_AUDIO_TOKENS Once;
    OutputImage USAGE_OUTPUT_IMAGE_TOKENS Once;
    UsageStatus USAGE_STATUS Once;
    UsageSource USAGE_SOURCE Once;
    Cost USAGE_COST Once;
    CostPico COST_PICO_USD Once;
    CostSource COST_SOURCE Once;
    CostStatus COST_STATUS Once;
    CostInput COST_INPUT Once;
    CostOutput COST_OUTPUT Once;
    CostModel COST_MATCHED_MODEL Once;
    CostMatch COST_MATCH Once;
    CostAsOf COST_AS_OF Once;
    CostIncomplete COST_INCOMPLETE Once;
    Session CONVERSATION_ID Plain;
    User USER_ID Plain;
    Tags TAGS Plain;
    Compacted CONVERSATION_COMPACTED IfTrue;
    InputMessages INPUT_MESSAGES IfNoInput;
    OutputMessages OUTPUT_MESSAGES IfNoOutput;
    Instructions SYSTEM_INSTRUCTIONS Plain;
    Tools TOOL_DEFINITIONS Plain;
    ToolName TOOL_NAME Plain;
    ToolCallId TOOL_CALL_ID Plain;
    ToolType TOOL_TYPE Plain;
    ToolDescription TOOL_DESCRIPTION Plain;
    ToolArguments TOOL_CALL_ARGUMENTS Plain;
    ToolResult TOOL_CALL_RESULT Plain;
    AgentName AGENT_NAME Plain;
    WorkflowName WORKFLOW_NAME Plain;
    DataSource DATA_SOURCE_ID Plain;
    Query RETRIEVAL_QUERY_TEXT Plain;
    Documents RETRIEVAL_DOCUMENTS Plain;
    PromptName PROMPT_NAME Plain;
    PromptVersion PROMPT_VERSION Plain;
    OpenAiRequestTier OPENAI_REQUEST_SERVICE_TIER Plain;
    OpenAiServiceTier OPENAI_RESPONSE_SERVICE_TIER Plain;
    RequestTier REQUEST_SERVICE_TIER Plain;
    ServiceTier SERVICE_TIER Plain;
    Speed SPEED Plain;
    Thinking REQUEST_THINKING Plain;
    ThinkingTokens REQUEST_THINKING_TOKENS Plain;
    Api API Plain;
    ErrorType ERROR_TYPE Plain;
    OtelKind OTEL_KIND Never;
    OtelName OTEL_NAME Never;
    OtelStatusCode OTEL_STATUS_CODE Never;
    OtelStatusDescription OTEL_STATUS_DESCRIPTION Never;
    Kind KIND Never;
    Status STATUS Never;
    StreamChunks STREAM_CHUNKS Plain;
    ServerAddress SERVER_ADDRESS Plain;
    ServerPort SERVER_PORT Plain;
    HttpStatus HTTP_RESPONSE_STATUS_CODE Plain;
}

/// How many slots there are.
pub(in crate::otlp) const SLOTS: usize = ALL.len();

/// Places of the hash table: a power of two, several for each slot.
const PLACES: usize = 512;

/// A place that holds none.
const FREE: u8 = u8::MAX;

/// The slots by hash; one whose place is taken stands in the next free one.
static TABLE: [u8; PLACES] = table();

impl Slot {
    /// How the slot at `index` is sent under its own name.
    #[inline]
    pub(in crate::otlp) fn sent(index: usize) -> Option<Sent> {
        ALL.get(index).map(|(_, _, sent)| *sent)
    }

    /// The key of the attribute.
    pub(in crate::otlp) fn key(self) -> &'static str {
        ALL.get(self as usize).map_or("", |(_, key, _)| *key)
    }

    /// The slot of an attribute's key.
    #[inline]
    pub(in crate::otlp) fn of(key: &str) -> Option<Self> {
        let mut place = hash(key.as_bytes());
        loop {
            let index = *TABLE.get(place)?;
            // A free place points beyond the last slot.
            let (slot, name, _) = ALL.get(usize::from(index))?;
            if *name == key {
                return Some(*slot);
            }
            place = (place + 1) % PLACES;
        }
    }
}

/// A place from a key's length and three of its bytes.
#[inline]
const fn hash(key: &[u8]) -> usize {
    let length = key.len();
    if length < 8 {
        return length;
    }
    let sum = length * 67 + key[length - 1] as usize * 13 + key[length / 2] as usize * 71;
    (sum + key[length - 6] as usize * 29 + key[7] as usize * 131) % PLACES
}

const fn table() -> [u8; PLACES] {
    let mut table = [FREE; PLACES];
    assert!(SLOTS < FREE as usize, "a slot fits a byte");
    let mut index = 0;
    while index < SLOTS {
        let mut place = hash(ALL[index].1.as_bytes());
        while table[place] != FREE {
            place = (place + 1) % PLACES;
        }
        #[expect(clippy::cast_possible_truncation, reason = "there are fewer slots than a byte counts")]
        let slot = index as u8;
        table[place] = slot;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_is_found_by_its_key_and_no_other_key_is() {
        for (index, (slot, key, sent)) in ALL.iter().enumerate() {
            assert_eq!(Slot::of(key), Some(*slot), "{key}");
            assert!(Slot::sent(*slot as usize) == Some(*sent), "{key}");
            assert_eq!(*slot as usize, index, "{key}");
            assert_eq!(Slot::of(&format!("{key}x")), None);
            assert_eq!(Slot::of(&key[1..]), None);
        }
        for other in ["", "a", "gen_ai.", "user", "gen_ai.usage.other_tokens"] {
            assert_eq!(Slot::of(other), None, "{other}");
        }
    }

    #[test]
    fn keys_are_found_within_a_few_places() {
        let steps = |key: &str| {
            let home = hash(key.as_bytes());
            let at = (0..PLACES).find(|step| {
                let index = TABLE[(home + step) % PLACES];
                ALL.get(usize::from(index)).is_some_and(|(_, name, _)| *name == key)
            });
            at.unwrap()
        };
        let all: Vec<usize> = ALL.iter().map(|(_, key, _)| steps(key)).collect();
        let (sum, most) = (all.iter().sum::<usize>(), all.iter().max().copied().unwrap());
        assert!(sum <= SLOTS / 4 && most <= 4, "{sum} steps for {SLOTS} keys, at most {most}");
    }
}
