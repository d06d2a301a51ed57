"""The PACS: Orthanc, which sends on to the gateway what it stores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from hospital.unpacked import plugin

AET: Final = "ORTHANC"
GATEWAY: Final = "OSTEOSERVE"
RULE: Final = Path(__file__).with_name("forward.lua")


def configuration(
    folder: Path, dicom: int, http: int, gateway: int, users: Mapping[str, str]
) -> dict[str, Any]:
    """Return Orthanc's configuration: all it keeps is in ``folder``, the ports are of loopback."""
    web = plugin("libOrthancDicomWeb.so")
    return {
        "Name": "osteoserve",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "DicomAet": AET,
        "DicomPort": dicom,
        "HttpPort": http,
        "HttpBindAddresses": ["127.0.0.1"],
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": dict(users),
        "DicomModalities": {"gateway": [GATEWAY, "127.0.0.1", gateway]},
        "LuaScripts": [str(RULE)],
        "Plugins": [] if web is None else [str(web)],
        "DicomWeb": {"Enable": web is not None, "Root": "/dicom-web/"},
    }


def write(path: Path, found: Mapping[str, Any]) -> Path:
    """Write a configuration, which holds a password; return where it is."""
    path.touch(mode=0o600)
    path.write_text(json.dumps(found, indent=1))
    return path
