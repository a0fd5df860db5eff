// The post office: the Event Hub that the market actors' messages go to. Identities only (local auth off).

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Name of the namespace.')
param name string

@description('Name of the hub.')
param hubName string

@description('Partitions of the hub.')
param partitions int

@description('Throughput units, and the most that the namespace may inflate to is ten times as many.')
param throughputUnits int

@description('Days for which a message is kept.')
param retentionDays int

@description('Whether the namespace can be reached over public addresses (with an identity all the same).')
param publicAccess bool

@description('Log Analytics workspace.')
param logsId string

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: 'Standard', tier: 'Standard', capacity: throughputUnits }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    isAutoInflateEnabled: true
    maximumThroughputUnits: min(throughputUnits * 10, 40)
  }
}

resource hub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = {
  parent: namespace
  name: hubName
  properties: {
    partitionCount: partitions
    retentionDescription: { cleanupPolicy: 'Delete', retentionTimeInHours: retentionDays * 24 }
  }
}

resource readers 'Microsoft.EventHub/namespaces/eventhubs/consumergroups@2024-01-01' = {
  parent: hub
  name: 'post-office'
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-logs'
  scope: namespace
  properties: {
    workspaceId: logsId
    logs: [{ categoryGroup: 'audit', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output name string = namespace.name
output endpoint string = '${namespace.name}.servicebus.windows.net'
