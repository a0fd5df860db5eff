"""The only place with sessions, reading, writing, paths and Delta."""
