#!/usr/bin/env bash
# Writes the words that the readers look for, one a line: those of APIs to words.txt, those of OTLP to otlp_words.txt.
set -euo pipefail
cd "$(dirname "$0")"
grep -rohE --include=*.rs '"[A-Za-z_][A-Za-z0-9_.:/-]{1,39}"' ../llmtrace/src/provider | tr -d '"' | sort -u >words.txt
grep -rohE --include=*.rs '"[A-Za-z_][A-Za-z0-9_.:/-]{1,59}"' ../llmtrace/src/semconv.rs ../llmtrace/src/kind.rs \
    ../llmtrace-exporters/src/otlp/{read/conventions,read/json.rs,profile} | tr -d '"' | sort -u >otlp_words.txt
