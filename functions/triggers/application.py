"""The FunctionApp: the worker asks it for its functions at the start, and then it looks where it runs."""

import os

import azure.functions as func

from shared.settings import Settings

EVENT_TRIGGERS = {"eventgrid": "blobTrigger", "queue": "queueTrigger"}
"""Which triggers the lake's events arrive by, by the setting EVENT_DELIVERY."""


class SettlementApp(func.FunctionApp):
    """Refuses to start inside Azure when callers without a token would be let in (coordinator 3)."""

    def get_functions(self) -> list[func.Function]:
        """The functions of all blueprints, of the event triggers only those that events arrive by.

        Raises:
            RuntimeError: the app must not start.
        """
        settings = Settings.from_environment(os.environ)
        if settings.anonymous and settings["WEBSITE_INSTANCE_ID"]:
            raise RuntimeError("AUTH_ANONYMOUS=allow must never be set inside Azure")
        silent = [kind for delivery, kind in EVENT_TRIGGERS.items() if delivery != settings["EVENT_DELIVERY"]]
        return [function for function in super().get_functions() if _trigger_of(function) not in silent]


def _trigger_of(function: func.Function) -> str:
    trigger = function.get_trigger()
    return str(trigger.type) if trigger else ""
