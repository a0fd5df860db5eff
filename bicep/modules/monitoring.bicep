// Log Analytics and Application Insights: where logs, traces and metrics of app and platform meet.

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Name of the workspace.')
param logsName string

@description('Name of the Application Insights resource.')
param insightsName string

@description('Days for which logs are kept.')
param retentionDays int

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: logsName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    features: { enableLogAccessUsingOnlyResourcePermissions: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: logs.id
    DisableLocalAuth: true
  }
}

output logsId string = logs.id
output insightsName string = insights.name
