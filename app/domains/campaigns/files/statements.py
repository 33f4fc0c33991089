"""The statements about files."""

from app.domains.campaigns.files.model import StoredFile
from app.kit.sql import Command, Query, Statements


class FileSql(Statements, file="files.sql"):
    """Files that tenants send and fetch, and their parts."""

    lock_files_of: Command
    count_uploads: Query[int]
    insert_file: Command
    append_chunk: Query[int]
    complete_file: Query[StoredFile]
    lock_upload: Query[StoredFile]
    file_by_id: Query[StoredFile]
    chunk_of_file: Query[bytes]
    keep_until: Command
    delete_file: Command
    delete_expired_files: Query[int]
