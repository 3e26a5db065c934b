//! The OpenAI chat API on 127.0.0.1, as far as the examples need it: no network, no key, the same answers always.
//!
//! A request with tools is answered with a call of each, whose arguments are the last word of the question. One
//! with tool results is answered with these; if it asks for the service tier `flex`, it is refused once before,
//! as the real API does when it is busy. `"stream": true` is honoured. One that asks for `logprobs` is answered with
//! yes or no, and with the log-probabilities of both.

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

const THINKING: Duration = Duration::from_millis(60);
const BETWEEN_WORDS: Duration = Duration::from_millis(15);
const TEXT: &str = "Air scatters blue light far more than red, so blue reaches us from all over the sky.";

static URL: OnceLock<String> = OnceLock::new();
static REFUSED: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// The server's address; the first call starts it.
pub(crate) fn url() -> io::Result<&'static str> {
    if let Some(url) = URL.get() {
        return Ok(url);
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/v1", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || talk(stream));
        }
    });
    Ok(URL.get_or_init(|| url))
}

/// Answers the requests of one connection, one after the other.
fn talk(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = read(&mut reader)? {
        thread::sleep(THINKING);
        if is_refused(&request) {
            let error = json!({"message": "Resource unavailable, try again", "type": "rate_limit_error"});
            write(&mut stream, "429 Too Many Requests", &json!({"error": error}))?;
        } else if request["stream"] == true {
            write_events(&mut stream, &request)?;
        } else {
            let mut response = head("chat.completion", &request);
            let (message, reason) = message(&request);
            response["usage"] = usage(&request, &message);
            let logprobs = logprobs(&request);
            response["choices"] =
                json!([{"index": 0, "message": message, "finish_reason": reason, "logprobs": logprobs}]);
            write(&mut stream, "200 OK", &response)?;
        }
    }
    Ok(())
}

fn read(reader: &mut impl BufRead) -> io::Result<Option<Value>> {
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line)? > 0 {
        let header = line.trim().to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        } else if header.is_empty() {
            let mut body = Vec::new();
            reader.take(length).read_to_end(&mut body)?;
            return Ok(Some(serde_json::from_slice(&body)?));
        }
        line.clear();
    }
    Ok(None)
}

fn write(stream: &mut TcpStream, status: &str, body: &Value) -> io::Result<()> {
    let body = body.to_string();
    let head = "content-type: application/json\r\ncontent-length";
    stream.write_all(format!("HTTP/1.1 {status}\r\n{head}: {}\r\n\r\n{body}", body.len()).as_bytes())
}

fn write_events(stream: &mut TcpStream, request: &Value) -> io::Result<()> {
    stream.write_all(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
    )?;
    let mut send = |event: &str| {
        let data = format!("data: {event}\n\n");
        stream.write_all(format!("{:x}\r\n{data}\r\n", data.len()).as_bytes())
    };
    let chunk = |delta: Value, reason: Option<&str>| {
        let mut chunk = head("chat.completion.chunk", request);
        chunk["choices"] = json!([{"index": 0, "delta": delta, "finish_reason": reason}]);
        chunk.to_string()
    };
    send(&chunk(json!({"role": "assistant", "content": ""}), None))?;
    let (message, reason) = message(request);
    for word in message["content"].as_str().unwrap_or_default().split_inclusive(' ') {
        thread::sleep(BETWEEN_WORDS);
        send(&chunk(json!({"content": word}), None))?;
    }
    send(&chunk(json!({}), Some(reason)))?;
    if request["stream_options"]["include_usage"] == true {
        let mut last = head("chat.completion.chunk", request);
        last["usage"] = usage(request, &message);
        last["choices"] = json!([]);
        send(&last.to_string())?;
    }
    send("[DONE]")?;
    stream.write_all(b"0\r\n\r\n")
}

fn head(object: &str, request: &Value) -> Value {
    let tier = request["service_tier"].as_str().unwrap_or("default");
    json!({"id": "chatcmpl-loopback", "object": object, "created": 1_767_225_600, "model": request["model"],
        "service_tier": tier})
}

fn message(request: &Value) -> (Value, &'static str) {
    if request["logprobs"] == true {
        let answer = if log_odds(request) > 0.0 { "yes" } else { "no" };
        return (json!({"role": "assistant", "content": answer}), "stop");
    }
    let results = results(request);
    if !results.is_empty() {
        return (json!({"role": "assistant", "content": results.join(" ")}), "stop");
    }
    let Some(tools) = request["tools"].as_array() else {
        return (json!({"role": "assistant", "content": TEXT}), "stop");
    };
    let question = request["messages"][0]["content"].as_str().unwrap_or_default();
    let word = question.split(' ').next_back().unwrap_or_default();
    let call = |(index, tool): (usize, &Value)| {
        let parameters = tool["function"]["parameters"]["properties"].as_object();
        let arguments: Value =
            parameters.into_iter().flatten().map(|(name, _)| (name.clone(), Value::from(word))).collect();
        let function = json!({"name": tool["function"]["name"], "arguments": arguments.to_string()});
        json!({"id": format!("call_{index}"), "type": "function", "function": function})
    };
    let calls: Vec<_> = tools.iter().enumerate().map(call).collect();
    (json!({"role": "assistant", "content": null, "tool_calls": calls}), "tool_calls")
}

/// How far this model would rather say yes than no: what it knows of refunds.
fn log_odds(request: &Value) -> f64 {
    let text = request["messages"].to_string().to_lowercase();
    let has = |words: &[&str]| f64::from(u8::from(words.iter().all(|word| text.contains(word))));
    let in_time = has(&["refund", "30 days", "12 days"]);
    let sealed = has(&["refund", "sealed"]);
    3.0 * in_time + 1.5 * sealed + 0.5 * has(&["please"]) - 1.0 * has(&["strict"]) - 2.0
}

/// What the answer's only token could have been, as the API states it.
fn logprobs(request: &Value) -> Value {
    if request["logprobs"] != true {
        return Value::Null;
    }
    let odds = log_odds(request);
    let token = |token: &str, odds: f64| json!({"token": token, "logprob": -(-odds).exp().ln_1p()});
    let (yes, no) = (token("yes", odds), token("no", -odds));
    let mut chosen = if odds > 0.0 { yes.clone() } else { no.clone() };
    chosen["top_logprobs"] = json!([yes, no]);
    json!({"content": [chosen]})
}

/// The texts of the tool results in the request.
fn results(request: &Value) -> Vec<&str> {
    let messages = request["messages"].as_array().into_iter().flatten();
    messages
        .filter(|message| message["role"] == "tool")
        .filter_map(|message| message["content"].as_str())
        .collect()
}

fn is_refused(request: &Value) -> bool {
    let is_flex = request["service_tier"] == "flex" && !results(request).is_empty();
    let mut refused = REFUSED.lock().unwrap_or_else(PoisonError::into_inner);
    is_flex && refused.get_or_insert_default().insert(request["messages"].to_string())
}

/// A token is four bytes here.
fn usage(request: &Value, answer: &Value) -> Value {
    let tokens = |value: &Value| value.to_string().len().div_ceil(4);
    let (input, output) = (tokens(&request["messages"]), tokens(answer));
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
}
