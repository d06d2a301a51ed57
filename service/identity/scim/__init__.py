"""SCIM 2.0 (RFC 7643, 7644): the hospital's directory adds people, groups them and ends them."""
