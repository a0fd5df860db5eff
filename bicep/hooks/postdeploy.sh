#!/bin/sh
# After the code is there: let the workspace reach the lake, deploy the bundle with the jobs, subscribe the app to the lake's events.
# Every step may run again.
set -eu
cd "$(dirname "$0")/../.."
export DATABRICKS_HOST DATABRICKS_AUTH_TYPE=azure-cli
target="${BUNDLE_TARGET:-dev}"
lake_uri="$LAKE_TABLES_URI"

databricks storage-credentials get "$LAKE_NAME" >/dev/null 2>&1 ||
  databricks storage-credentials create --json "{\"name\": \"$LAKE_NAME\", \"azure_managed_identity\": {\"access_connector_id\": \"$ACCESS_CONNECTOR_ID\"}}"
databricks external-locations get "$LAKE_NAME" >/dev/null 2>&1 ||
  databricks external-locations create "$LAKE_NAME" "$lake_uri" "$LAKE_NAME"
databricks service-principals list --filter "applicationId eq '$FUNCTION_APP_CLIENT_ID'" --output json | grep -q "$FUNCTION_APP_CLIENT_ID" ||
  databricks service-principals create --json "{\"applicationId\": \"$FUNCTION_APP_CLIENT_ID\", \"displayName\": \"$FUNCTION_APP_NAME\"}"

make wheel
(cd sparkjobs && databricks bundle deploy --target "$target" \
  --var "lake_uri=$lake_uri" --var "function_app_client_id=$FUNCTION_APP_CLIENT_ID")

# The webhook's key exists once the host has started with the code: a new app needs a minute.
tries=0
until az deployment group create --only-show-errors --output none --resource-group "$AZURE_RESOURCE_GROUP" \
  --name event-subscriptions --template-file bicep/event-subscriptions.bicep \
  --parameters topicName="$EVENT_TOPIC_NAME" functionAppName="$FUNCTION_APP_NAME" \
  hostStorageName="$HOST_STORAGE_NAME" eventDelivery="$EVENT_DELIVERY"; do
  tries=$((tries + 1))
  [ "$tries" -lt 5 ] || { echo "the event subscriptions could not be made; run 'azd hooks run postdeploy' again" >&2; exit 1; }
  sleep 30
done
echo "The interface: $FUNCTION_APP_URL/api/openapi.json"
