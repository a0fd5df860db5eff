// The Databricks workspace that settles, and the access connector by which its catalog reaches the lake.

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Name of the workspace.')
param name string

@description('Name of the access connector.')
param accessConnectorName string

@description('Virtual network to put the clusters into; empty: a managed one.')
param networkId string

@description('Subnet of the cluster hosts in that network.')
param publicSubnetName string

@description('Subnet of the cluster containers in that network.')
param privateSubnetName string

@description('Log Analytics workspace.')
param logsId string

var managed = { enableNoPublicIp: { value: true } }
var injected = {
  enableNoPublicIp: { value: true }
  customVirtualNetworkId: { value: networkId }
  customPublicSubnetName: { value: publicSubnetName }
  customPrivateSubnetName: { value: privateSubnetName }
}

resource workspace 'Microsoft.Databricks/workspaces@2024-05-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: 'premium' }
  properties: {
    managedResourceGroupId: subscriptionResourceId('Microsoft.Resources/resourceGroups', '${resourceGroup().name}-databricks')
    parameters: empty(networkId) ? managed : injected
  }
}

resource accessConnector 'Microsoft.Databricks/accessConnectors@2024-05-01' = {
  name: accessConnectorName
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {}
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-logs'
  scope: workspace
  properties: {
    workspaceId: logsId
    logs: [
      { category: 'jobs', enabled: true }
      { category: 'clusters', enabled: true }
      { category: 'accounts', enabled: true }
    ]
  }
}

output host string = 'https://${workspace.properties.workspaceUrl}'
output accessConnectorId string = accessConnector.id
output accessConnectorPrincipalId string = accessConnector.identity.principalId
