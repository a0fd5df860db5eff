// Private endpoints of storage, hub and app, and the names by which the network finds them.

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('The network.')
param networkId string

@description('Subnet of the endpoints.')
param subnetId string

@description('Storage of the Functions host.')
param hostStorageName string

@description('The lake.')
param lakeName string

@description('The Event Hubs namespace.')
param eventHubsName string

@description('The function app.')
param functionAppName string

var suffix = environment().suffixes.storage
var hostStorageId = resourceId('Microsoft.Storage/storageAccounts', hostStorageName)
var lakeId = resourceId('Microsoft.Storage/storageAccounts', lakeName)
var eventHubsId = resourceId('Microsoft.EventHub/namespaces', eventHubsName)
var functionAppId = resourceId('Microsoft.Web/sites', functionAppName)

var zoneNames = [
  'privatelink.blob.${suffix}'
  'privatelink.dfs.${suffix}'
  'privatelink.queue.${suffix}'
  'privatelink.table.${suffix}'
  'privatelink.servicebus.windows.net'
  'privatelink.azurewebsites.net'
]
// zone: index into zoneNames
var endpoints = [
  { name: 'host-blob', target: hostStorageId, group: 'blob', zone: 0 }
  { name: 'host-queue', target: hostStorageId, group: 'queue', zone: 2 }
  { name: 'host-table', target: hostStorageId, group: 'table', zone: 3 }
  { name: 'lake-blob', target: lakeId, group: 'blob', zone: 0 }
  { name: 'lake-dfs', target: lakeId, group: 'dfs', zone: 1 }
  { name: 'lake-queue', target: lakeId, group: 'queue', zone: 2 }
  { name: 'post-office', target: eventHubsId, group: 'namespace', zone: 4 }
  { name: 'app', target: functionAppId, group: 'sites', zone: 5 }
]

resource zones 'Microsoft.Network/privateDnsZones@2020-06-01' = [for zoneName in zoneNames: {
  name: zoneName
  location: 'global'
  tags: tags
}]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = [for (zoneName, index) in zoneNames: {
  parent: zones[index]
  name: 'aggregations'
  location: 'global'
  tags: tags
  properties: { registrationEnabled: false, virtualNetwork: { id: networkId } }
}]

resource privateEndpoints 'Microsoft.Network/privateEndpoints@2024-01-01' = [for endpoint in endpoints: {
  name: 'pe-${endpoint.name}'
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      { name: endpoint.name, properties: { privateLinkServiceId: endpoint.target, groupIds: [endpoint.group] } }
    ]
  }
}]

resource zoneGroups 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-01-01' = [for (endpoint, index) in endpoints: {
  parent: privateEndpoints[index]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [{ name: endpoint.name, properties: { privateDnsZoneId: zones[endpoint.zone].id } }]
  }
}]
