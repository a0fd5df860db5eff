// A monthly budget of the resource group: a mail at 80 % spent and when the forecast goes over it.

@description('Name of the budget.')
param name string

@description('Amount in the currency of the subscription.')
param amount int

@description('First day, the first of a month.')
param start string

@description('Who hears of it.')
param email string

resource budget 'Microsoft.Consumption/budgets@2023-11-01' = {
  name: name
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: start }
    notifications: {
      spent: { enabled: true, operator: 'GreaterThan', threshold: 80, thresholdType: 'Actual', contactEmails: [email] }
      forecast: { enabled: true, operator: 'GreaterThan', threshold: 100, thresholdType: 'Forecasted', contactEmails: [email] }
    }
  }
}
