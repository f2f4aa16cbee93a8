"""Serving: HTTP service, file scoring and the `yujing` command, all through one scorer."""
