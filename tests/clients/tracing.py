"""Sends the spans of a program to the OTLP endpoint that its first argument names."""

import sys

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

ENDPOINT = sys.argv[1]


def provider(service: str) -> TracerProvider:
    """A provider of tracers whose spans are sent."""
    resource = Resource.create({"service.name": service, "deployment.environment.name": "staging"})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{ENDPOINT}/v1/traces")))
    return provider
