"""What Prometheus is told about the memory; in BentoML's processes the client writes to files that /metrics merges."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

ROWS = Counter("yujing_store_rows", "Predictions by what became of them.", ["outcome"])
CORRECTIONS = Counter("yujing_feedback", "Corrections by people that were stored.")
UP = Gauge("yujing_store_up", "1 when the database was there at the last look, else 0.", multiprocess_mode="livemin")
QUEUE = Gauge("yujing_store_queue_rows", "Rows that wait in memory.", multiprocess_mode="livesum")
SPOOL = Gauge("yujing_store_spool_rows", "Rows that wait on disk.", multiprocess_mode="livesum")
