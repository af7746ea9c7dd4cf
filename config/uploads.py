"""What may be sent as a file: no more than fits into memory. The one field that takes files is for a browser's cookies."""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler


class SmallUploadHandler(MemoryFileUploadHandler):
    """Django bounds the fields of a form, not its files: it writes those to the disk, from anybody, before a page sees the
    request. Here a form with files is bounded as every other is."""

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: Any, encoding: str | None = None
    ) -> None:
        if content_length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig("The files of the request are too large.")
        super().handle_raw_input(input_data, META, content_length, boundary, encoding)
