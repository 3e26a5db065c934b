"""A stand-in for OpenAI's chat API on 127.0.0.1: one answer with a tool call, then one with text, plain or streamed."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODEL = "gpt-4o-mini-2024-07-18"
USAGE = {"prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150,
         "prompt_tokens_details": {"cached_tokens": 64}, "completion_tokens_details": {"reasoning_tokens": 10}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}


def answer(body: dict) -> tuple[dict, str]:
    """The message for a request, and why it stops."""
    is_answered = any(message["role"] == "tool" for message in body["messages"])
    if body.get("tools") and not is_answered:
        return {"role": "assistant", "content": None, "tool_calls": [CALL]}, "tool_calls"
    return {"role": "assistant", "content": "It rains in Paris."}, "stop"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        message, reason = answer(body)
        head = {"id": "chatcmpl-1", "created": 1, "model": MODEL}
        self.send_response(200)
        if body.get("stream"):
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            deltas = [{"delta": message, "index": 0, "finish_reason": None},
                      {"delta": {}, "index": 0, "finish_reason": reason}]
            chunks = [{**head, "object": "chat.completion.chunk", "choices": [delta]} for delta in deltas]
            chunks.append({**head, "object": "chat.completion.chunk", "choices": [], "usage": USAGE})
            for chunk in chunks:
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")
        else:
            text = json.dumps({**head, "object": "chat.completion", "usage": USAGE, "choices": [
                {"index": 0, "message": message, "finish_reason": reason}]}).encode()
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    def log_message(self, *_):
        pass


def start() -> str:
    """Its base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/v1"
