// The whole product in one subscription: `azd up` deploys this file (azure.yaml), then the code, then the events.
targetScope = 'subscription'

@minLength(1)
@maxLength(12)
@description('Name of the environment, such as dev, test or prod; part of every name.')
param environmentName string

@minLength(1)
@description('Region of everything.')
param location string

@description('Reach the storage accounts, the hub and the app over private endpoints only; events then come through storage queues.')
param privateNetworking bool = false

@description('Address space of the virtual network, a /20 or larger; used with private networking.')
param addressSpace string = '10.60.0.0/20'

@minValue(40)
@maxValue(1000)
@description('Most instances of the function app.')
param maximumInstanceCount int = 40

@allowed([512, 2048, 4096])
@description('Memory of one instance in MB; splitting needs 512 MB beside the worker.')
param instanceMemoryMB int = 2048

@minValue(1)
@maxValue(32)
@description('Partitions of the post office; a receiver keeps to one of them, so its order holds.')
param postOfficePartitions int = 4

@minValue(1)
@maxValue(40)
@description('Throughput units of the Event Hubs namespace, and the most that it may inflate to.')
param throughputUnits int = 2

@minValue(1)
@maxValue(7)
@description('Days for which the post office keeps a message that nobody fetched.')
param postOfficeRetentionDays int = 7

@minValue(30)
@maxValue(730)
@description('Days for which logs are kept.')
param logRetentionDays int = 90

@minValue(90)
@description('Days for which sent documents and results are kept in the lake.')
param retentionDays int = 1830

@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
@description('Redundancy of the lake.')
param lakeRedundancy string = 'Standard_ZRS'

@description('Issuer of the access tokens of the callers; empty: this tenant.')
param entraIssuer string = ''

@description('Audience that a caller\'s token must name: the application id of the app registration of the interface.')
param entraAudience string

@description('Issuer\'s keys; empty: this tenant\'s.')
param entraJwksUrl string = ''

@description('GLN or EIC of the imbalance settlement responsible.')
param esettId string = '4260024590017'

@description('Whether eSett receives its series.')
param esettEnabled bool = true

@description('First instant with quarter-hourly results, a local midnight.')
param quarterlyTransition string = '2023-04-30T22:00:00Z'

@description('Time zone of the market.')
param timeZone string = 'Europe/Copenhagen'

@description('Name of the settlement job at Databricks, as the bundle (sparkjobs/databricks.yml) deploys it.')
param settlementJobName string = 'settlement'

@description('Who hears the alerts; empty: nobody, the alerts are seen in the portal only.')
param alertEmail string = ''

@minValue(0)
@description('Monthly budget of the resource group in the currency of the subscription; 0: none.')
param monthlyBudget int = 0

@description('First day of the budget; the first of a month.')
param budgetStart string = utcNow('yyyy-MM-01')

var tags = { 'azd-env-name': environmentName, product: 'aggregations' }
var token = take(uniqueString(subscription().id, environmentName, location), 8)
var names = {
  resourceGroup: 'rg-aggregations-${environmentName}'
  identity: 'id-aggregations-${environmentName}'
  hostStorage: 'sthost${token}'
  lake: 'stlake${token}'
  eventHubs: 'evhns-aggregations-${environmentName}-${token}'
  databricks: 'dbw-aggregations-${environmentName}'
  accessConnector: 'dbac-aggregations-${environmentName}'
  logs: 'log-aggregations-${environmentName}'
  insights: 'appi-aggregations-${environmentName}'
  plan: 'plan-aggregations-${environmentName}'
  functionApp: 'func-aggregations-${environmentName}-${token}'
  topic: 'evgt-aggregations-${environmentName}'
  network: 'vnet-aggregations-${environmentName}'
}
var postOfficeHub = 'post-office'
var fileSystem = 'aggregations'
var resultsQueue = 'results-received'
var outboxQueue = 'outbox-written'

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: names.resourceGroup
  location: location
  tags: tags
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    location: location
    tags: tags
    logsName: names.logs
    insightsName: names.insights
    retentionDays: logRetentionDays
  }
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    location: location
    tags: tags
    name: names.identity
  }
}

module network 'modules/network.bicep' = if (privateNetworking) {
  name: 'network'
  scope: group
  params: {
    location: location
    tags: tags
    name: names.network
    addressSpace: addressSpace
  }
}

module hostStorage 'modules/host-storage.bicep' = {
  name: 'host-storage'
  scope: group
  params: {
    location: location
    tags: tags
    name: names.hostStorage
    queueNames: [resultsQueue, outboxQueue]
    publicAccess: !privateNetworking
    logsId: monitoring.outputs.logsId
  }
}

module lake 'modules/lake.bicep' = {
  name: 'lake'
  scope: group
  params: {
    location: location
    tags: tags
    name: names.lake
    fileSystem: fileSystem
    redundancy: lakeRedundancy
    retentionDays: retentionDays
    publicAccess: !privateNetworking
    logsId: monitoring.outputs.logsId
  }
}

module eventHubs 'modules/event-hubs.bicep' = {
  name: 'event-hubs'
  scope: group
  params: {
    location: location
    tags: tags
    name: names.eventHubs
    hubName: postOfficeHub
    partitions: postOfficePartitions
    throughputUnits: throughputUnits
    retentionDays: postOfficeRetentionDays
    publicAccess: !privateNetworking
    logsId: monitoring.outputs.logsId
  }
}

module databricks 'modules/databricks.bicep' = {
  name: 'databricks'
  scope: group
  params: {
    location: location
    tags: tags
    name: names.databricks
    accessConnectorName: names.accessConnector
    networkId: privateNetworking ? network!.outputs.networkId : ''
    publicSubnetName: privateNetworking ? network!.outputs.databricksPublicSubnetName : ''
    privateSubnetName: privateNetworking ? network!.outputs.databricksPrivateSubnetName : ''
    logsId: monitoring.outputs.logsId
  }
}

module functionApp 'modules/function-app.bicep' = {
  name: 'function-app'
  scope: group
  params: {
    location: location
    tags: tags
    name: names.functionApp
    planName: names.plan
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostStorageName: hostStorage.outputs.name
    deploymentContainer: hostStorage.outputs.deploymentContainer
    lakeName: lake.outputs.name
    fileSystem: fileSystem
    eventHubsNamespace: eventHubs.outputs.endpoint
    postOfficeHub: postOfficeHub
    databricksHost: databricks.outputs.host
    settlementJobName: settlementJobName
    insightsName: monitoring.outputs.insightsName
    eventDelivery: privateNetworking ? 'queue' : 'eventgrid'
    subnetId: privateNetworking ? network!.outputs.functionsSubnetId : ''
    entraIssuer: empty(entraIssuer) ? '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0' : entraIssuer
    entraAudience: entraAudience
    entraJwksUrl: empty(entraJwksUrl) ? '${environment().authentication.loginEndpoint}${tenant().tenantId}/discovery/v2.0/keys' : entraJwksUrl
    esettId: esettId
    esettEnabled: esettEnabled
    quarterlyTransition: quarterlyTransition
    timeZone: timeZone
    retentionDays: retentionDays
    maximumInstanceCount: maximumInstanceCount
    instanceMemoryMB: instanceMemoryMB
    logsId: monitoring.outputs.logsId
  }
}

module events 'modules/events.bicep' = {
  name: 'events'
  scope: group
  params: {
    location: location
    tags: tags
    topicName: names.topic
    lakeName: lake.outputs.name
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  scope: group
  params: {
    hostStorageName: hostStorage.outputs.name
    lakeName: lake.outputs.name
    eventHubsName: eventHubs.outputs.name
    insightsName: monitoring.outputs.insightsName
    appPrincipalId: identity.outputs.principalId
    accessConnectorPrincipalId: databricks.outputs.accessConnectorPrincipalId
    topicPrincipalId: events.outputs.topicPrincipalId
  }
}

module endpoints 'modules/private-endpoints.bicep' = if (privateNetworking) {
  name: 'private-endpoints'
  scope: group
  params: {
    location: location
    tags: tags
    networkId: network!.outputs.networkId
    subnetId: network!.outputs.endpointsSubnetId
    hostStorageName: hostStorage.outputs.name
    lakeName: lake.outputs.name
    eventHubsName: eventHubs.outputs.name
    functionAppName: functionApp.outputs.name
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    logsId: monitoring.outputs.logsId
    environmentName: environmentName
    email: alertEmail
  }
}

module budget 'modules/budget.bicep' = if (monthlyBudget > 0) {
  name: 'budget'
  scope: group
  params: {
    name: 'budget-aggregations-${environmentName}'
    amount: monthlyBudget
    start: budgetStart
    email: alertEmail
  }
}

// Names, never secrets: azd keeps them in its environment and the hooks read them there.
output AZURE_RESOURCE_GROUP string = group.name
output FUNCTION_APP_NAME string = functionApp.outputs.name
output FUNCTION_APP_URL string = functionApp.outputs.url
output FUNCTION_APP_CLIENT_ID string = identity.outputs.clientId
output LAKE_NAME string = lake.outputs.name
output LAKE_TABLES_URI string = lake.outputs.tablesUri
output POST_OFFICE_NAMESPACE string = eventHubs.outputs.endpoint
output DATABRICKS_HOST string = databricks.outputs.host
output ACCESS_CONNECTOR_ID string = databricks.outputs.accessConnectorId
output EVENT_TOPIC_NAME string = events.outputs.topicName
output EVENT_DELIVERY string = privateNetworking ? 'queue' : 'eventgrid'
output HOST_STORAGE_NAME string = hostStorage.outputs.name
