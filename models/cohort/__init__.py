"""Simulated patients over many visits, with known truth; and a site's own visits from a table."""
