//! genai (feature `otel`): its own spans, with nothing written.

use futures::StreamExt as _;
use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest};
use genai::resolver::{AuthData, Endpoint, ServiceTargetResolver};
use genai::{Client, ModelIden, ServiceTarget};
use llmtrace::testing::Recording;
use llmtrace::{ObservationKind, llm_trace};
use llmtrace_integrations::Server;

use crate::middleware::run;
use crate::plain_reqwest::openai_server;

fn client(server: &Server) -> Client {
    let url = server.url("/v1/");
    let resolver = ServiceTargetResolver::from_resolver_fn(
        move |target: ServiceTarget| -> Result<ServiceTarget, genai::resolver::Error> {
            Ok(ServiceTarget {
                endpoint: Endpoint::from_owned(url.clone()),
                auth: AuthData::from_single("sk-SECRET"),
                model: ModelIden::new(AdapterKind::OpenAI, target.model.model_name),
            })
        },
    );
    Client::builder().with_service_target_resolver(resolver).build().unwrap()
}

async fn call(client: &Client) {
    let request = ChatRequest::new(vec![ChatMessage::user("hi")]);
    client.exec_chat("gpt-4o-mini", request, None).await.unwrap();
}

async fn stream(client: &Client) {
    let request = ChatRequest::new(vec![ChatMessage::user("hi")]);
    let options = ChatOptions::default().with_capture_usage(true);
    let answer = client.exec_chat_stream("gpt-4o-mini", request, Some(&options)).await.unwrap();
    answer.stream.for_each(|item| async { drop(item.unwrap()) }).await;
}

#[test]
fn its_own_spans_carry_model_tokens_cost_and_first_chunk() {
    let server = openai_server();
    let recording = Recording::start();
    run(&recording, async {
        call(&client(&server)).await;
        stream(&client(&server)).await;
    });
    let spans = recording.spans();
    assert_eq!(spans.len(), 2, "{}", recording.tree());
    for span in &spans {
        assert_eq!((&*span.name, span.kind), ("chat gpt-4o-mini", ObservationKind::Generation));
        let usage = span.usage();
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(1000), Some(100)));
        assert_eq!(span.cost().map(|cost| cost.to_string()).as_deref(), Some("0.000195"), "{span:?}");
        // On request of the environment's only.
        assert!(span.output.is_empty());
    }
    assert_eq!(
        spans.iter().map(|span| span.time_to_first_chunk().is_some()).collect::<Vec<_>>(),
        [false, true]
    );
}

#[test]
fn a_traced_function_around_it_counts_nothing_again() {
    #[llm_trace(kind = "workflow", skip(client))]
    async fn ask(client: &Client) -> String {
        call(client).await;
        "done".to_owned()
    }
    let server = openai_server();
    let recording = Recording::start();
    run(&recording, ask(&client(&server)));
    assert_eq!(recording.span("ask").usage().input_tokens, None);
    assert_eq!(recording.guard().usage().total().input_tokens, 1000);
}
