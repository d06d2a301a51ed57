"""Settings that do not go with an edge, which calls nobody outside of its machine."""

from __future__ import annotations

from typing import Final

from service.settings import PREFIX, Settings, SettingsError

CALLS: Final = (
    "oidc_issuer", "atna_collectors", "tracing_endpoint", "cds_clients", "smart_records",
)  # fmt: skip
"""Settings with addresses that a front calls."""


def check(settings: Settings) -> None:
    """Raise :class:`SettingsError` where a setting would have the process call somebody."""
    url = settings.database_url
    named = [name for name in CALLS if getattr(settings, name)]
    if url is not None and not url.get_secret_value().startswith("sqlite"):
        named.append("database_url")
    if named:
        variables = ", ".join(PREFIX + name.upper() for name in named)
        raise SettingsError(
            f"{variables}: the edge calls nobody outside of its machine; leave out what names an "
            "address, and have the database in a file"
        )
