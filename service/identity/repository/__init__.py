"""Accounts, roles, sign-ins, links, keys and failed tries in SQL, a module each."""
