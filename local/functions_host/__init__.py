"""An emulation of the Azure Functions host around Microsoft's own Python worker library (spec: platform 8).

The worker indexes, loads and invokes function_app.py exactly as in Azure; what is emulated here is the .NET host around
it: HTTP routes, the blob webhook of Event Grid, queues with five tries and a poison queue, and timers.
"""
