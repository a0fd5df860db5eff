// The virtual network of a deployment with private networking: functions, endpoints and Databricks clusters apart.

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Name of the network.')
param name string

@description('Its address space, a /20 or larger.')
param addressSpace string

resource databricksRules 'Microsoft.Network/networkSecurityGroups@2024-01-01' = {
  name: '${name}-databricks'
  location: location
  tags: tags
  properties: {}
}

// Clusters have no public address: what they fetch from outside (packages) leaves by this gateway.
resource outgoingAddress 'Microsoft.Network/publicIPAddresses@2024-01-01' = {
  name: '${name}-outgoing'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

resource outgoing 'Microsoft.Network/natGateways@2024-01-01' = {
  name: '${name}-nat'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIpAddresses: [{ id: outgoingAddress.id }] }
}

resource network 'Microsoft.Network/virtualNetworks@2024-01-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressSpace] }
    subnets: [
      {
        name: 'functions'
        properties: {
          addressPrefix: cidrSubnet(addressSpace, 24, 0)
          delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'endpoints'
        properties: { addressPrefix: cidrSubnet(addressSpace, 24, 1), privateEndpointNetworkPolicies: 'Disabled' }
      }
      {
        name: 'databricks-public'
        properties: {
          addressPrefix: cidrSubnet(addressSpace, 22, 1)
          networkSecurityGroup: { id: databricksRules.id }
          natGateway: { id: outgoing.id }
          delegations: [{ name: 'databricks', properties: { serviceName: 'Microsoft.Databricks/workspaces' } }]
        }
      }
      {
        name: 'databricks-private'
        properties: {
          addressPrefix: cidrSubnet(addressSpace, 22, 2)
          networkSecurityGroup: { id: databricksRules.id }
          natGateway: { id: outgoing.id }
          delegations: [{ name: 'databricks', properties: { serviceName: 'Microsoft.Databricks/workspaces' } }]
        }
      }
    ]
  }
}

output networkId string = network.id
output functionsSubnetId string = '${network.id}/subnets/functions'
output endpointsSubnetId string = '${network.id}/subnets/endpoints'
output databricksPublicSubnetName string = 'databricks-public'
output databricksPrivateSubnetName string = 'databricks-private'
