"""Event Hub stand-in (coordinator 7): one hub over AMQP 1.0 on loopback, kept in append-only files.

`python -m local.event_hub --state <folder> --port N --hub post-office`; docs/local-stack.md describes it.
"""
