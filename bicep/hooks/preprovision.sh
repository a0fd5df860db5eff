#!/bin/sh
# What must be known before anything is made: said in one line each, before half of it is there.
set -eu
missing=""
for tool in az databricks; do
  command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
[ -z "$missing" ] || { echo "azd up needs these command line tools beside azd:$missing" >&2; exit 1; }
[ -n "${ENTRA_AUDIENCE:-}" ] || {
  echo "ENTRA_AUDIENCE is not set: register the interface in Entra ID and run 'azd env set ENTRA_AUDIENCE <application id>' (docs/operations.md, 'Callers')" >&2
  exit 1
}
