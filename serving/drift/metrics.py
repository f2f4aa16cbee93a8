"""What Prometheus is told about drift."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

VALUE = Gauge(
    "yujing_drift_value",
    "Difference of the window from the reference (PSI, or shift of a mean in standard deviations); NaN: not known.",
    ["statistic"],
    multiprocess_mode="mostrecent",
)
STATE = Gauge(
    "yujing_drift_state",
    "0 ok, 1 warning, 2 alarm, -1 too few posts to say, or no reference.",
    ["statistic"],
    multiprocess_mode="mostrecent",
)
POSTS = Gauge("yujing_drift_window_posts", "Posts in the sliding window.", multiprocess_mode="mostrecent")
SKIPPED = Counter("yujing_drift_skipped_posts", "Posts that were not compared because the monitor was behind.")
STATES = {"too_few": -1, "ok": 0, "warning": 1, "alarm": 2}
