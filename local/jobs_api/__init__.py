"""The Databricks Jobs API 2.2 for one job, over the stock databricks-sdk (spec: coordinator 7, platform 2).

Every run is the settlement console script in a process of its own, with the non-empty job parameters as `--name=value`;
its output and state are kept in the state folder. Own faults for the fault tests, with `"on": "run"`, `path` = begin of
the job-id parameter: `kill` (the step's process, after `seconds`), `forget` (the platform no longer knows the run),
`end` (the run ends at once with the result state `code`, nothing is started).
"""
