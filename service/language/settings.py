"""Setting of the zone that times are told in."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from service.types import SettingsGroup


class ZoneSettings(SettingsGroup):
    """Where the people are who read the pages."""

    time_zone: str = Field(
        "UTC",
        description="Zone that pages and reports tell times in, and that their days begin in, as "
        "Europe/Berlin; the API's times are UTC.",
    )

    @field_validator("time_zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(
                "no zone of the IANA time zone database, as UTC or Europe/Berlin"
            ) from None
        return value

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)
