"""The documentation page at `/`: Swagger UI over `/docs.json`, from this service's own files alone.

BentoML's page for `/` loads Google Tag Manager into the very page where callers type their API keys; ours loads nothing
from elsewhere, and its policy has the browser refuse to (Swagger UI would also ask a validator of its makers).
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse

PAGE = """<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="UTF-8">
    <title>Yujing 预警</title>
    <link rel="stylesheet" href="./static_content/swagger-ui.css">
    <link rel="stylesheet" href="./static_content/index.css">
    <link rel="icon" href="./static_content/favicon-light-32x32.png">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="./static_content/swagger-ui-bundle.js" charset="UTF-8"></script>
    <script src="./static_content/swagger-ui-standalone-preset.js" charset="UTF-8"></script>
    <script src="./static_content/swagger-initializer.js" charset="UTF-8"></script>
  </body>
</html>
"""
HEADERS = {  # Swagger UI sets styles inline and draws pictures from data: addresses
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


async def documentation(_: Request) -> HTMLResponse:
    """The contract for people."""
    return HTMLResponse(PAGE, headers=HEADERS)
