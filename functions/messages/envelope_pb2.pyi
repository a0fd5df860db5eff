import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Document(_message.Message):
    __slots__ = ("type", "effectuationDate", "recipient", "content", "version")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    EFFECTUATIONDATE_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    type: str
    effectuationDate: _timestamp_pb2.Timestamp
    recipient: str
    content: str
    version: str
    def __init__(self, type: _Optional[str] = ..., effectuationDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recipient: _Optional[str] = ..., content: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...
