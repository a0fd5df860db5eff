// The lake's system topic. Its subscriptions come after the code (bicep/event-subscriptions.bicep): the webhook needs a key that exists only then.

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Name of the topic.')
param topicName string

@description('The lake.')
param lakeName string

resource lake 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: lakeName
}

resource topic 'Microsoft.EventGrid/systemTopics@2022-06-15' = {
  name: topicName
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    source: lake.id
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

output topicName string = topic.name
output topicPrincipalId string = topic.identity.principalId
