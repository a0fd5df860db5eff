"""The lake's endpoint: ADLS Gen2 over a folder (spec: coordinator 7, platform 4).

Serves the file system `aggregations` at `http://127.0.0.1:<port>` to the stock DataLake and Blob clients, which send
both kinds of requests to the same address here. The folder is used by others at the same time: whoever writes a file,
it has an ETag and raises its event. Own faults for the fault tests: `race` (another writer touches the file just
before), and for events `drop`, `delay`, `double`, `reorder` with `"on": "event"`.
"""
