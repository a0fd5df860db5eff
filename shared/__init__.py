"""What the function app and the Spark jobs agree on: codes, time, names, arguments, manifest, errors. Plain Python."""
