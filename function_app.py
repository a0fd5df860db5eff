"""The Azure Functions app: creates the FunctionApp and registers the blueprints; nothing else."""

import azure.functions as func

from functions.triggers import calls, events, timers
from functions.triggers.application import SettlementApp

app = SettlementApp(http_auth_level=func.AuthLevel.ANONYMOUS)
app.register_functions(calls.blueprint)
app.register_functions(events.blueprint)
app.register_functions(timers.blueprint)
