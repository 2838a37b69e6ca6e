"""The headers of every reply, whoever makes it: pages, files, errors, streams, and what the server itself refuses.

This module does not know what is served.
"""

from __future__ import annotations

from nes2mqtt.outputs.web.config import WebConfig

__all__ = ["security_headers"]


def security_headers(config: WebConfig) -> tuple[tuple[str, str], ...]:
    """Return names (lower case) and values; a reply that sets one of them itself keeps its own."""
    ancestors = " ".join(config.frame_ancestors) or "'none'"
    policy = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            f"frame-ancestors {ancestors}",
            "require-trusted-types-for 'script'",
        )
    )
    return (
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff"),
        # Not "no-referrer": browsers would then send "Origin: null" with our own login form.
        ("referrer-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()"),
        ("cache-control", "no-store"),
        *((("x-frame-options", "DENY"),) if ancestors == "'none'" else ()),
        *((("strict-transport-security", "max-age=31536000"),) if config.is_https else ()),
    )
