"""Builds the adapters once, at their first use, from the settings. Tests replace any of them."""

import logging
import os
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from importlib import import_module
from pathlib import PurePosixPath
from threading import Lock
from typing import TYPE_CHECKING, Any

from functions import observability
from functions.adapters.clock import SystemClock
from functions.coordinator.dispatching import Dispatching, dispatch_file
from functions.coordinator.grid_areas import GridAreas
from functions.coordinator.job_index import JobIndex
from functions.coordinator.records import RecordStore
from functions.coordinator.results_received import Splitting, receive_result
from functions.coordinator.schedule import start_scheduled
from functions.coordinator.sweep import sweep
from functions.coordinator.watch_runs import watch_runs
from functions.ports import Clock, JobRunner, Lake, PostOffice, ResultTables, TokenVerifier
from shared.lake_layout import FILE_SYSTEM
from shared.settings import Settings

if TYPE_CHECKING:
    from functions.coordinator.archive import Archive

logger = logging.getLogger(__name__)
_IMPORTING = Lock()
_SPOKEN_WITH = ("azure.identity", "azure.storage.filedatalake", "azure.eventhub", "databricks.sdk.service.jobs")


class App:
    """Everything that the triggers need; each part is built when it is first asked for."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = environment

    def replace(self, **parts: Any) -> "App":
        """Put other parts in place, by name: fakes in tests."""
        self.__dict__.update(parts)
        return self

    @cached_property
    def settings(self) -> Settings:
        """The settings as they are now."""
        return Settings.from_environment(os.environ if self._environment is None else self._environment)

    @cached_property
    def clock(self) -> Clock:
        """The time."""
        return SystemClock()

    @cached_property
    def lake(self) -> Lake:
        """The data lake."""
        self.load()
        from functions.adapters.lake import DataLake

        return DataLake(self.settings["LAKE_URL"], self.settings["AZURE_CLIENT_ID"])

    @cached_property
    def runner(self) -> JobRunner:
        """The job platform."""
        self.load()
        from functions.adapters.databricks import DatabricksJobs

        return DatabricksJobs(
            self.settings["DATABRICKS_HOST"],
            token=self.settings["DATABRICKS_TOKEN"],
            client_id=self.settings["AZURE_CLIENT_ID"],
            job_id=self.settings["SETTLEMENT_JOB_ID"],
            job_name=self.settings["SETTLEMENT_JOB_NAME"],
        )

    @cached_property
    def tables(self) -> ResultTables:
        """The Delta tables of the lake."""
        self.load()
        from functions.adapters.result_tables import DeltaTables

        return DeltaTables(self.settings["LAKE_TABLES_URI"], self.settings["AZURE_CLIENT_ID"])

    @cached_property
    def post_office(self) -> PostOffice:
        """The Event Hub."""
        self.load()
        from functions.adapters.event_hub import EventHubPostOffice

        return EventHubPostOffice(self.settings)

    @cached_property
    def tokens(self) -> TokenVerifier:
        """Who checks access tokens."""
        from functions.adapters.entra import EntraTokens

        return EntraTokens(*(self.settings[name] for name in ("ENTRA_ISSUER", "ENTRA_AUDIENCE", "ENTRA_JWKS_URL")))

    @cached_property
    def records(self) -> RecordStore:
        """The job records."""
        return RecordStore(self.lake, self.clock, self.index.note)

    @cached_property
    def index(self) -> JobIndex:
        """The records of all jobs, newest first, kept warm."""
        return JobIndex(self.lake)

    @cached_property
    def areas(self) -> GridAreas:
        """The known grid areas."""
        return GridAreas(self.tables, self.clock)

    @cached_property
    def splitting(self) -> Splitting:
        """What receiving a result needs."""
        from functions.coordinator.receive_result import split

        return Splitting(
            split=lambda record, until: split(
                record, lake=self.lake, tables=self.tables, clock=self.clock, until=until
            ),
            tables=self.tables,
            runner=self.runner,
            index=self.index,
            esett_id=self.settings.esett_id,
        )

    @cached_property
    def archive(self) -> "Archive":
        """What finding messages needs."""
        self.load()
        from functions.adapters.message_index import DeltaMessageIndex
        from functions.coordinator.archive import Archive

        index = DeltaMessageIndex(self.settings["LAKE_TABLES_URI"], self.settings["AZURE_CLIENT_ID"])
        return Archive(lake=self.lake, index=index)

    @cached_property
    def dispatching(self) -> Dispatching:
        """What sends the outbox."""
        from functions.coordinator.dispatch import dispatch_batch

        return Dispatching(
            lambda path, until: dispatch_batch(
                path,
                lake=self.lake,
                post_office=self.post_office,
                public_base_url=self.settings.public_base_url or None,
                clock=self.clock,
                deadline=until,
            )
        )

    def load(self) -> None:
        """Import what the adapters speak with: seconds in a fresh process, which are no dependency's fault.

        One thread at a time: modules of the SDKs import one another, and Python ends an import with an error where two
        threads wait for each other's.
        """
        with _IMPORTING:
            for name in _SPOKEN_WITH:
                import_module(name)

    def watch(self) -> None:
        """What Databricks says about the runs."""
        if self._works():
            watch_runs(records=self.records, runner=self.runner, tables_uri=self.settings["LAKE_TABLES_URI"])

    def start_due(self) -> None:
        """Start what has come due."""
        if self._works():
            start_scheduled(records=self.records, runner=self.runner, tables_uri=self.settings["LAKE_TABLES_URI"])

    def sweep(self) -> None:
        """Whatever an event was missed for."""
        if self._works():
            # Imported here, as are the adapters: packing and documents would be a third of the app's start.
            from functions.coordinator.archive_index import keep_index

            until = self._until()
            sweep(records=self.records, splitting=self.splitting, dispatching=self.dispatching, until=until)
            keep_index(
                lake=self.lake,
                index=self.archive.index,
                clock=self.clock,
                until=until,
                retention_days=int(self.settings["RETENTION_DAYS"]),
            )

    def manifest_appeared(self, blob_name: str) -> None:
        """A run has finished: go on with its job."""
        name = PurePosixPath(blob_name).name
        if self._works() and name.endswith(".json") and name.count(".") == 2:
            receive_result(name.split(".")[0], records=self.records, splitting=self.splitting, until=self._until())

    def batch_appeared(self, blob_name: str) -> None:
        """A batch waits to be sent."""
        path = blob_name.removeprefix(f"{FILE_SYSTEM}/")
        if self._works() and path.endswith(".jsonl.gz"):
            dispatch_file(path, records=self.records, dispatching=self.dispatching, until=self._until())

    def _works(self) -> bool:
        if self.settings.problems:
            logger.error("the app lacks settings: %s", ", ".join(self.settings.problems))
        observability.configure(self.settings["TELEMETRY_FILE"])
        return not self.settings.problems

    def _until(self) -> datetime:
        return self.clock.now() + self.settings.work_time


app = App()
