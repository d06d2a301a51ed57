"""What a directory may ask before anything else: what is served, and in which form."""

from __future__ import annotations

from typing import Any, Final

from service.identity.scim.schemas import GROUP, USER

MOST_LISTED: Final = 200
"""Resources in one answer."""

_SCHEMA: Final = "urn:ietf:params:scim:schemas:core:2.0:Schema"
_TYPE: Final = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
_CONFIG: Final = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"


def config(base: str) -> dict[str, Any]:
    return {
        "schemas": [_CONFIG],
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": MOST_LISTED},
        "changePassword": {"supported": False},
        "sort": {"supported": False},
        "etag": {"supported": True},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Key",
                "description": "A key of the role provisioner, as Authorization: Bearer.",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            }
        ],
        "meta": _meta("ServiceProviderConfig", f"{base}/ServiceProviderConfig"),
    }


def types(base: str) -> dict[str, dict[str, Any]]:
    """Return kinds of resources by name."""
    return {
        name: {
            "schemas": [_TYPE],
            "id": name,
            "name": name,
            "endpoint": f"/{name}s",
            "description": said,
            "schema": schema,
            "schemaExtensions": [],
            "meta": _meta("ResourceType", f"{base}/ResourceTypes/{name}"),
        }
        for name, schema, said in (
            ("User", USER, "Somebody who may sign in at the identity provider"),
            ("Group", GROUP, "People who have the roles that settings say of its name"),
        )
    }


def schemas(base: str) -> dict[str, dict[str, Any]]:
    """Return what is kept of each kind of resource, by the schema's name."""
    sent = {"value": _one("value"), "display": _one("display", "readOnly"), "$ref": _ref()}
    members = [sent["value"] | {"mutability": "immutable"}, sent["display"], sent["$ref"]]
    user = [
        _one("userName", required=True, uniqueness="server"),
        _one("externalId", "immutable", required=True, exact=True, uniqueness="server"),
        _many("name", [_one("formatted"), _one("givenName"), _one("familyName")], multiple=False),
        _one("displayName"),
        _many(
            "emails",
            [_one("value"), _one("type"), {**_one("primary"), "type": "boolean"}],
        ),
        {**_one("active"), "type": "boolean"},
        _many(
            "groups",
            [one | {"mutability": "readOnly"} for one in sent.values()],
            mutability="readOnly",
        ),
    ]
    group = [
        _one("displayName", required=True, uniqueness="server"),
        _one("externalId", exact=True),
        _many("members", members),
    ]
    return {
        schema: {
            "schemas": [_SCHEMA],
            "id": schema,
            "name": name,
            "description": name,
            "attributes": attributes,
            "meta": _meta("Schema", f"{base}/Schemas/{schema}"),
        }
        for schema, name, attributes in ((USER, "User", user), (GROUP, "Group", group))
    }


def _one(
    name: str,
    mutability: str = "readWrite",
    *,
    required: bool = False,
    exact: bool = False,
    uniqueness: str = "none",
) -> dict[str, Any]:
    return {
        "name": name,
        "type": "string",
        "multiValued": False,
        "description": name,
        "required": required,
        "caseExact": exact,
        "mutability": mutability,
        "returned": "default",
        "uniqueness": uniqueness,
    }


def _many(
    name: str,
    inside: list[dict[str, Any]],
    *,
    multiple: bool = True,
    mutability: str = "readWrite",
) -> dict[str, Any]:
    told = {**_one(name, mutability), "type": "complex", "multiValued": multiple}
    return {**told, "subAttributes": inside}


def _ref() -> dict[str, Any]:
    return {**_one("$ref", "readOnly", exact=True), "type": "reference", "referenceTypes": ["User"]}


def _meta(kind: str, location: str) -> dict[str, str]:
    return {"resourceType": kind, "location": location}
