"""What the server counts and measures of itself. `docs/operate.md` lists it; a test compares."""

from __future__ import annotations

from entrepot.counters import Counter, Gauge, Histogram

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
LAGS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

REQUESTS = Counter(
    "entrepot_requests", "Requests, by what was asked for and the status of the answer; `none` where there was none.", ("kind", "status")
)
REQUEST_SECONDS = Histogram("entrepot_request_seconds", "How long requests took, until the last byte was handed on.", ("kind",), SECONDS)
SENT = Counter("entrepot_sent_bytes", "Bytes of bodies that were sent.", ("kind",))
RECEIVED = Counter("entrepot_received_bytes", "Bytes of bodies that were received.", ("kind",))
UPLOADS = Counter("entrepot_uploads", "Uploads, by package type and result: created, unchanged, refused, failed, broken off.", ("type", "result"))
RENDERS = Counter("entrepot_renders", "Renderings, by package type and what was made: parts, document, part, encoding.", ("type", "what"))
CACHE_READS = Counter("entrepot_cache_reads", "Reads of the caches, by whether it was there: hit, miss.", ("cache", "result"))
CACHE_BYTES = Gauge("entrepot_cache_bytes", "What the caches hold.", ("cache",))
LOOKUPS = Counter(
    "entrepot_lookups", "Look-ups of requests, by whether the database was asked or it was still known: asked, remembered.", ("result",)
)
UNAVAILABLE = Counter("entrepot_unavailable", "Times that a part was away, full or busy: database, storage.", ("part",))
QUEUE = Gauge("entrepot_queue_length", "What is under way or waits in a worker: writes for the database, renderings.", ("queue",))
LAG = Histogram("entrepot_event_loop_lag_seconds", "How late the event loop came back to work that was due, looked at twice a second.", (), LAGS)
STARTS = Counter("entrepot_worker_starts", "Workers that were started; more than there are workers means that some have died.")
