// The function app on Flex Consumption: Python 3.13, one user-assigned identity, settings as in docs/settings.md.

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Name of the app.')
param name string

@description('Name of its plan.')
param planName string

@description('Resource id of the user-assigned identity.')
param identityId string

@description('Client id of the same identity.')
param identityClientId string

@description('Storage of the Functions host.')
param hostStorageName string

@description('Container that the packed code is deployed to.')
param deploymentContainer string

@description('The lake.')
param lakeName string

@description('The lake\'s file system.')
param fileSystem string

@description('Event Hubs namespace, fully qualified.')
param eventHubsNamespace string

@description('Hub of the post office.')
param postOfficeHub string

@description('Address of the Databricks workspace.')
param databricksHost string

@description('Name of the settlement job there.')
param settlementJobName string

@description('Application Insights.')
param insightsName string

@allowed(['eventgrid', 'queue'])
@description('How the events of the lake reach the app.')
param eventDelivery string

@description('Subnet for outgoing calls; empty: none.')
param subnetId string

@description('Issuer of the callers\' tokens.')
param entraIssuer string

@description('Audience of the callers\' tokens.')
param entraAudience string

@description('Keys of the issuer.')
param entraJwksUrl string

@description('GLN or EIC of the imbalance settlement responsible.')
param esettId string

@description('Whether eSett receives its series.')
param esettEnabled bool

@description('First instant with quarter-hourly results.')
param quarterlyTransition string

@description('Time zone of the market.')
param timeZone string

@description('Days for which sent documents are kept.')
param retentionDays int

@description('Most instances.')
param maximumInstanceCount int

@description('Memory of one instance in MB.')
param instanceMemoryMB int

@description('Log Analytics workspace.')
param logsId string

var storageSuffix = environment().suffixes.storage

resource hostStorage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: hostStorageName
}

resource lake 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: lakeName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource plan 'Microsoft.Web/serverfarms@2023-12-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2023-12-01' = {
  name: name
  location: location
  // azd finds the app that the service "app" of azure.yaml is deployed to by this tag.
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    publicNetworkAccess: empty(subnetId) ? 'Enabled' : 'Disabled'
    siteConfig: { minTlsVersion: '1.2', ftpsState: 'Disabled', http20Enabled: true }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostStorage.properties.primaryEndpoints.blob}${deploymentContainer}'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      scaleAndConcurrency: { maximumInstanceCount: maximumInstanceCount, instanceMemoryMB: instanceMemoryMB }
      runtime: { name: 'python', version: '3.13' }
    }
  }
}

resource settings 'Microsoft.Web/sites/config@2023-12-01' = {
  parent: app
  name: 'appsettings'
  properties: {
    // The host's own storage, by identity: all three kinds, since triggers keep queues, leases and tables there.
    AzureWebJobsStorage__blobServiceUri: hostStorage.properties.primaryEndpoints.blob
    AzureWebJobsStorage__queueServiceUri: hostStorage.properties.primaryEndpoints.queue
    AzureWebJobsStorage__tableServiceUri: hostStorage.properties.primaryEndpoints.table
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    // The connection LAKE of the blob triggers.
    LAKE__blobServiceUri: 'https://${lake.name}.blob.${storageSuffix}'
    LAKE__queueServiceUri: 'https://${lake.name}.queue.${storageSuffix}'
    LAKE__credential: 'managedidentity'
    LAKE__clientId: identityClientId
    LAKE_URL: 'https://${lake.name}.dfs.${storageSuffix}'
    LAKE_TABLES_URI: 'abfss://${fileSystem}@${lake.name}.dfs.${storageSuffix}'
    AZURE_CLIENT_ID: identityClientId
    DATABRICKS_HOST: databricksHost
    SETTLEMENT_JOB_NAME: settlementJobName
    POST_OFFICE__fullyQualifiedNamespace: eventHubsNamespace
    POST_OFFICE_HUB: postOfficeHub
    EVENT_DELIVERY: eventDelivery
    ENTRA_ISSUER: entraIssuer
    ENTRA_AUDIENCE: entraAudience
    ENTRA_JWKS_URL: entraJwksUrl
    ESETT_ID: esettId
    ESETT_ENABLED: toLower(string(esettEnabled))
    QUARTERLY_TRANSITION: quarterlyTransition
    TIME_ZONE: timeZone
    PUBLIC_BASE_URL: 'https://${app.properties.defaultHostName}'
    RETENTION_DAYS: string(retentionDays)
    APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
    PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY: 'true'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-logs'
  scope: app
  properties: {
    workspaceId: logsId
    logs: [{ category: 'FunctionAppLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
