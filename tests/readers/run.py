#!/usr/bin/env python3
"""Loads our JSON lines into DuckDB, Polars and ClickHouse with the very snippets of docs/scale.md.

    python3 tests/readers/run.py [FILE.jsonl ..]

Reads tests/readers/odd.jsonl, files made of it, and the files named. What each reader says of each model is compared
with what Python's own JSON reader finds. Installs the readers (1.2 GB in target/venv) at the first run.
"""

import json
import re
import sys
import tempfile
from math import isclose
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import python_venv  # noqa: E402

python_venv.enter(HERE / "requirements.txt")
import chdb  # noqa: E402
import duckdb  # noqa: E402
import polars  # noqa: E402

SNIPPETS = re.findall(r"^```(\w+)\n(.*?)^```$", (python_venv.ROOT / "docs/scale.md").read_text(), re.M | re.S)
PLAIN_LINES = 25_000  # more than DuckDB and Polars look at before they decide on a type


def snippet(language: str, word: str) -> str:
    """The one snippet in that language that holds the word."""
    [text] = [text for other, text in SNIPPETS if other == language and word in text]
    return text


def with_duckdb(path: Path) -> tuple[int, list]:
    connection = duckdb.connect()
    rows = connection.execute(snippet("sql", "read_json").replace("traces.jsonl", str(path))).fetchall()
    [(count,)] = connection.execute("SELECT count(*) FROM spans").fetchall()
    return count, rows


def with_polars(path: Path) -> tuple[int, list]:
    names = {}
    exec(snippet("python", "read_ndjson").replace("traces.jsonl", str(path)), names)  # noqa: S102  (our own document)
    return names["spans"].height, names["by_model"].rows()


def with_polars_lines(path: Path) -> tuple[int, list]:
    """The way for files with an unfinished line."""
    lines = polars.read_lines(str(path)).filter(polars.col("line").str.ends_with("}"))
    field = polars.col("line").str.json_path_match
    calls = lines.filter(field("$.kind") == "generation").group_by(
        field("$.attributes['gen_ai.response.model']").alias("model")).agg(
        polars.len(), field("$.attributes['gen_ai.usage.input_tokens']").cast(polars.Int64).sum().alias("tokens"),
        field("$.attributes['gen_ai.usage.cost']").cast(polars.Float64).sum().alias("cost"),
        field("$.input[0].parts[0].content").max().alias("question")).sort("model")
    return lines.height, calls.rows()


def with_clickhouse(path: Path) -> tuple[int, list]:
    query = snippet("sql", "LineAsString").replace("traces.jsonl", str(path))
    rows = [json.loads(line) for line in str(chdb.query(query.rstrip().rstrip(";"), "JSONCompactEachRow")).splitlines()]
    # It has no empty value here: a text that is absent is "".
    rows = [(model or None, int(calls), int(tokens), cost, text or None) for model, calls, tokens, cost, text in rows]
    count = f"SELECT count() FROM file('{path}', LineAsString, 'line String') WHERE isValidJSON(line)"
    return int(str(chdb.query(count, "TSV"))), rows


READERS = {"DuckDB": with_duckdb, "Polars": with_polars, "Polars, by lines": with_polars_lines,
           "ClickHouse": with_clickhouse}


def expected(path: Path) -> tuple[int, list]:
    """The same by Python's own reader, which takes each line for itself."""
    spans, models = 0, {}
    for line in path.read_bytes().splitlines():
        try:
            span = json.loads(line)
        except ValueError:
            continue
        spans += 1
        if span["kind"] != "generation":
            continue
        attributes = span["attributes"]
        texts = [message["parts"][0].get("content") for message in span.get("input", [])[:1]]
        calls = models.setdefault(attributes.get("gen_ai.response.model"), [])
        calls.append((attributes.get("gen_ai.usage.input_tokens") or 0, attributes.get("gen_ai.usage.cost") or 0, texts))
    rows = []
    for model, calls in models.items():
        texts = [text for _, _, [*texts] in calls for text in texts if text is not None]
        tokens, cost = sum(tokens for tokens, _, _ in calls), sum(cost for _, cost, _ in calls)
        rows.append((model, len(calls), tokens, cost, max(texts, key=str.encode, default=None)))
    return spans, rows


def short(found: tuple[int, list]) -> str:
    """Without most of the long texts."""
    return re.sub(r"(\w{20})\w{60,}", r"\1..", repr(found))


def by_model(rows: list) -> list:
    return sorted(rows, key=lambda row: row[0] or "")


def agrees(found: tuple[int, list], wanted: tuple[int, list]) -> bool:
    if found[0] != wanted[0] or len(found[1]) != len(wanted[1]):
        return False
    pairs = zip(by_model(found[1]), by_model(wanted[1]))
    # A sum of nothing is empty in DuckDB, and 0 elsewhere.
    return all(f[:2] == w[:2] and (f[2] or 0) == w[2] and isclose(f[3] or 0, w[3], rel_tol=1e-9) and f[4] == w[4]
               for f, w in pairs)


def files(folder: Path) -> dict[str, Path]:
    """What is read, and what is special about it."""
    odd = (HERE / "odd.jsonl").read_bytes()
    plain = odd.splitlines(keepends=True)[0]
    (folder / "late.jsonl").write_bytes(plain * PLAIN_LINES + odd)
    (folder / "torn.jsonl").write_bytes(odd + plain[:100])
    named = {path: Path(path) for path in sys.argv[1:]}
    return {"odd values": HERE / "odd.jsonl", "types that change late": folder / "late.jsonl", "unfinished": folder / "torn.jsonl"} | named


def main() -> int:
    passed, failed = 0, 0
    with tempfile.TemporaryDirectory(prefix="llmtrace-readers-") as folder:
        for what, path in files(Path(folder)).items():
            wanted = expected(path)
            assert wanted[0] > 0, f"{path} holds no span"
            for reader, read in READERS.items():
                if (what, reader) == ("unfinished", "Polars"):
                    continue  # it refuses such a file: docs/scale.md
                try:
                    found = read(path)
                except Exception as error:  # whatever a reader raises is a failure of the file
                    found = (0, [repr(error)])
                if agrees(found, wanted):
                    passed += 1
                else:
                    failed += 1
                    print(f"{reader}, {what}: expected {short(wanted)}, found {short(found)}")
            print(f"{what}: {wanted[0]} spans, {len(wanted[1])} models")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
