#!/usr/bin/env bash
# Writes the words that the readers look for, one a line, to words.txt.
set -euo pipefail
cd "$(dirname "$0")"
grep -rohE --include=*.rs '"[A-Za-z_][A-Za-z0-9_.:/-]{1,39}"' ../llmtrace/src/provider | tr -d '"' | sort -u >words.txt
