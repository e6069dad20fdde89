"""Whether a request or socket comes from a page of ours."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from app.container import Container


def is_own_origin(connection: HTTPConnection, container: Container) -> bool:
    """Tell whether the origin is ours; programs send none at all."""
    origin = connection.headers.get("origin")
    if origin is None:
        return True
    found, own = urlsplit(origin), urlsplit(container.settings.public_url)
    if own.netloc and found.netloc == own.netloc:
        # The same host in clear text may be anybody on the way.
        return found.scheme == own.scheme
    return bool(found.netloc) and found.netloc == connection.headers.get("host")
