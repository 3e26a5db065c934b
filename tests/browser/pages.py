"""The addresses of the pages, for tests that look at all of them."""

from types import SimpleNamespace

from trace_page import path, support


def usual(world) -> dict[str, str]:
    """Each kind of page with something on it."""
    at = SimpleNamespace(world=world)
    good, failed = support(at, lambda trace: trace.status == "ok"), support(at, lambda trace: trace.status == "error")
    tabs = {f"trace-{tab}": path(failed, 4, tab=tab) for tab in ("attributes", "events", "scores", "raw")}
    return {
        "list": "/traces", "list-filtered": "/traces?service=support-bot&status=error&min_ms=500", "list-nothing": "/traces?model=none&tag=none",
        "trace": path(good, 5), "trace-failed": path(failed), "trace-long": path(world.looping, 4), "trace-media": path(world.media), **tabs,
        "sessions": "/sessions", "session": "/sessions/session-02", "dashboard": "/dashboard?range=24h", "dashboard-user": "/dashboard?range=6h&by=user",
        "compare": "/compare", "compare-traces": f"/compare?a={good.id}&b={failed.id}", "compare-tags": "/compare?a_tag=v1&b_tag=v2",
        "findings": "/findings?range=all", "scores": "/scores", "score": "/scores?name=helpful", "dataset": "/dataset"}
