"""The Azure Functions app: creates the FunctionApp and registers the blueprints; nothing else."""

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
