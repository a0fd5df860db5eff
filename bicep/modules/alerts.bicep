// What wakes an operator. What each alert means and what to do: docs/operations.md.

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Log Analytics workspace.')
param logsId string

@description('Name of the environment, for the names of the alerts.')
param environmentName string

@description('Who hears the alerts; empty: nobody.')
param email string

// The metrics are those of functions/observability.py; a test holds the two together.
var alerts = [
  {
    name: 'failed-job'
    severity: 1
    description: 'A job ended Failed.'
    query: 'AppMetrics | where Name == "aggregations.jobs.failed" | summarize Value = sum(Sum)'
    threshold: 0
  }
  {
    name: 'outbox-age'
    severity: 1
    description: 'A message has been waiting in the outbox for more than 15 minutes.'
    query: 'AppMetrics | where Name == "aggregations.outbox.age" | summarize Value = max(Max)'
    threshold: 900
  }
  {
    name: 'rejected-messages'
    severity: 2
    description: 'A series or message was rejected and will never be sent.'
    query: 'AppMetrics | where Name == "aggregations.messages.rejected" | summarize Value = sum(Sum)'
    threshold: 0
  }
  {
    name: 'poison-queue'
    severity: 2
    description: 'An event was given up after five tries; the sweep does its work all the same.'
    query: 'AppTraces | where Message has "MaxDequeueCount" | summarize Value = count()'
    threshold: 0
  }
]

resource operators 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'ag-aggregations-${environmentName}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'settlement'
    enabled: true
    emailReceivers: [{ name: 'operators', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource rules 'Microsoft.Insights/scheduledQueryRules@2023-03-15-preview' = [for alert in alerts: {
  name: 'alert-${alert.name}-${environmentName}'
  location: location
  tags: tags
  properties: {
    displayName: '${alert.name} (${environmentName})'
    description: alert.description
    severity: alert.severity
    enabled: true
    scopes: [logsId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: alert.query
          metricMeasureColumn: 'Value'
          timeAggregation: 'Maximum'
          operator: 'GreaterThan'
          threshold: alert.threshold
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: empty(email) ? [] : [operators.id] }
  }
}]
