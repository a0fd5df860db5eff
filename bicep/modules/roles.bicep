// Every right that one part of the product has on another, in one table per resource. Nothing else grants anything.

@description('Storage of the Functions host.')
param hostStorageName string

@description('The lake.')
param lakeName string

@description('The Event Hubs namespace.')
param eventHubsName string

@description('Application Insights.')
param insightsName string

@description('Principal of the function app.')
param appPrincipalId string

@description('Principal of the Databricks access connector.')
param accessConnectorPrincipalId string

@description('Principal of the lake\'s system topic.')
param topicPrincipalId string

var roleIds = {
  StorageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  StorageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  StorageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  StorageQueueDataMessageSender: 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
  StorageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  EventHubsDataSender: '2b629674-e913-4c01-ae53-ef4638d8f975'
  MonitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}

// who | what | why
var onHostStorage = [
  { principal: appPrincipalId, role: 'StorageBlobDataOwner' } // the host's leases, and the packed code
  { principal: appPrincipalId, role: 'StorageQueueDataContributor' } // queue triggers and their poison queues
  { principal: appPrincipalId, role: 'StorageTableDataContributor' } // the host's diagnostic events
  { principal: topicPrincipalId, role: 'StorageQueueDataMessageSender' } // events of the lake with private networking
]
var onLake = [
  { principal: appPrincipalId, role: 'StorageBlobDataContributor' } // records, outbox, archive; reads results
  { principal: appPrincipalId, role: 'StorageQueueDataContributor' } // poison queue of the blob triggers
  { principal: accessConnectorPrincipalId, role: 'StorageBlobDataContributor' } // Spark reads input/, writes results/ and manifests
]
var onEventHubs = [
  { principal: appPrincipalId, role: 'EventHubsDataSender' } // sends to the post office; reading is granted to the post office itself
]
var onInsights = [
  { principal: appPrincipalId, role: 'MonitoringMetricsPublisher' } // telemetry without a key
]

resource hostStorage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: hostStorageName
}

resource lake 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: lakeName
}

resource eventHubs 'Microsoft.EventHub/namespaces@2024-01-01' existing = {
  name: eventHubsName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource hostStorageRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for assignment in onHostStorage: {
  name: guid(hostStorage.id, assignment.principal, roleIds[assignment.role])
  scope: hostStorage
  properties: {
    principalId: assignment.principal
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[assignment.role])
  }
}]

resource lakeRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for assignment in onLake: {
  name: guid(lake.id, assignment.principal, roleIds[assignment.role])
  scope: lake
  properties: {
    principalId: assignment.principal
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[assignment.role])
  }
}]

resource eventHubsRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for assignment in onEventHubs: {
  name: guid(eventHubs.id, assignment.principal, roleIds[assignment.role])
  scope: eventHubs
  properties: {
    principalId: assignment.principal
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[assignment.role])
  }
}]

resource insightsRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for assignment in onInsights: {
  name: guid(insights.id, assignment.principal, roleIds[assignment.role])
  scope: insights
  properties: {
    principalId: assignment.principal
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[assignment.role])
  }
}]
