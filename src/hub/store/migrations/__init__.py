"""Migrations of the hub's database, run by itself when it opens an older one."""
