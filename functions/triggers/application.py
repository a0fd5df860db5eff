"""The FunctionApp: the worker asks it for its functions at the start, and then it looks where it runs."""

import os

import azure.functions as func

from shared.settings import Settings


class SettlementApp(func.FunctionApp):
    """Refuses to start inside Azure when callers without a token would be let in (coordinator 3)."""

    def get_functions(self) -> list[func.Function]:
        """The functions of all blueprints. Raises RuntimeError where the app must not start."""
        settings = Settings.from_environment(os.environ)
        if settings.anonymous and settings["WEBSITE_INSTANCE_ID"]:
            raise RuntimeError("AUTH_ANONYMOUS=allow must never be set inside Azure")
        return list(super().get_functions())
