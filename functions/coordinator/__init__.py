"""The use cases: start a job, watch runs, receive a result, dispatch."""
