// Who hears of new files: deployed after the code, by the postdeploy hook. A manifest calls ResultReceived, an outbox file Dispatch.
targetScope = 'resourceGroup'

@description('The lake\'s system topic.')
param topicName string

@description('The function app.')
param functionAppName string

@description('Host storage, whose queues are used with delivery by queue.')
param hostStorageName string

@allowed(['eventgrid', 'queue'])
@description('How events reach the app: by its webhook, or through storage queues (private networking).')
param eventDelivery string = 'eventgrid'

var container = '/blobServices/default/containers/aggregations/blobs'
var routes = [
  { name: 'result-received', functionName: 'ResultReceived', queueName: 'results-received', prefix: '${container}/completed/' }
  { name: 'dispatch', functionName: 'Dispatch', queueName: 'outbox-written', prefix: '${container}/outbox/' }
]
var byWebhook = eventDelivery == 'eventgrid' ? routes : []
var byQueue = eventDelivery == 'queue' ? routes : []
// A file is whole when it was flushed with close, or put by the Blob API: CreateFile alone says nothing.
var wholeFiles = ['FlushWithClose', 'PutBlob', 'PutBlockList']

resource functionApp 'Microsoft.Web/sites@2023-12-01' existing = {
  name: functionAppName
}

resource hostStorage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: hostStorageName
}

resource topic 'Microsoft.EventGrid/systemTopics@2022-06-15' existing = {
  name: topicName
}

resource webhooks 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2022-06-15' = [for route in byWebhook: {
  parent: topic
  name: '${route.name}-webhook'
  properties: {
    destination: {
      endpointType: 'WebHook'
      properties: {
        endpointUrl: 'https://${functionApp.properties.defaultHostName}/runtime/webhooks/blobs?functionName=Host.Functions.${route.functionName}&code=${listKeys('${functionApp.id}/host/default', '2023-12-01').systemKeys.blobs_extension}'
        maxEventsPerBatch: 1
      }
    }
    filter: {
      includedEventTypes: ['Microsoft.Storage.BlobCreated']
      subjectBeginsWith: route.prefix
      enableAdvancedFilteringOnArrays: false
      advancedFilters: [{ operatorType: 'StringIn', key: 'data.api', values: wholeFiles }]
    }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
  }
}]

resource queues 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2022-06-15' = [for route in byQueue: {
  parent: topic
  name: '${route.name}-queue'
  properties: {
    deliveryWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      destination: {
        endpointType: 'StorageQueue'
        properties: { resourceId: hostStorage.id, queueName: route.queueName, queueMessageTimeToLiveInSeconds: 604800 }
      }
    }
    filter: {
      includedEventTypes: ['Microsoft.Storage.BlobCreated']
      subjectBeginsWith: route.prefix
      enableAdvancedFilteringOnArrays: false
      advancedFilters: [{ operatorType: 'StringIn', key: 'data.api', values: wholeFiles }]
    }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
  }
}]
