"""What may be called: a table, so that anything else is a 404 before any router sees it.

A router's pattern may match more than its author thinks (`^/score$` matches "/score\\n", which would reach
BentoML without our validation), and paths that a stranger chooses must not become log lines or metric labels.
"""

from __future__ import annotations

from dataclasses import dataclass

from serving.settings import Group


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`path` (and what lies `below` it), the group that may be public, the scope needed (None = any key will do).

    With a slash at its end a path is none: BentoML's router would redirect it, which looks like a deletion done.
    """

    path: str
    group: Group | None = None
    scope: str | None = None
    below: bool = False

    def serves(self, path: str) -> bool:
        below = self.below and path.startswith(f"{self.path}/") and path.isprintable() and not path.endswith("/")
        return path == self.path or below


ENDPOINTS = (
    Endpoint("/livez", "probes"),
    Endpoint("/readyz", "probes"),
    Endpoint("/healthz", "probes"),
    Endpoint("/metrics", "metrics"),
    Endpoint("/", "docs"),
    Endpoint("/docs.json", "docs"),
    Endpoint("/schema.json", "docs"),
    Endpoint("/static_content", "docs", below=True),
    Endpoint("/score", scope="score"),
    Endpoint("/taxonomy"),
    Endpoint("/model"),
    Endpoint("/policy"),
    Endpoint("/drift"),
    Endpoint("/feedback", scope="feedback"),
    Endpoint("/predictions", scope="feedback", below=True),
    Endpoint("/admin/reload", scope="admin"),
)


def find(path: str) -> Endpoint | None:
    """The endpoint that serves a path, if any."""
    return next((endpoint for endpoint in ENDPOINTS if endpoint.serves(path)), None)
