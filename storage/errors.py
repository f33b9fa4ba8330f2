"""What can go wrong with stored things: a class for each thing a caller can act on, its message a Chinese sentence."""

from __future__ import annotations


class StorageError(Exception):
    """Storage failed; the message says what to mend. Ends a command with exit code 5."""


class DatabaseError(StorageError):
    """The database refused a statement for a reason not listed here: look at the message of the database itself."""


class DatabaseUrlInvalid(StorageError):
    """The address of the database cannot be used: set INSPECT_DATABASE_URL to sqlite:///… or postgresql+psycopg://…."""


class DatabaseUnreachable(StorageError):
    """The database does not answer: start the server, or mend the address or the permissions of the file."""


class DatabaseLocked(StorageError):
    """Another process held the database too long: wait for it to end, or move to PostgreSQL."""


class DatabaseDiskFull(StorageError):
    """The disk under the database is full: free space, then resume the run."""


class DatabaseDamaged(StorageError):
    """The file is no sound SQLite database: restore it from the backup."""


class SchemaError(StorageError):
    """The tables are not those that this version of the program works with."""


class SchemaTooOld(SchemaError):
    """The tables are older than the program: run `inspect db upgrade`."""


class SchemaTooNew(SchemaError):
    """The tables are newer than the program: install the newer program; `inspect db upgrade` never goes back."""


class RunNotFound(StorageError):
    """No run has that number: `inspect findings --run` takes one that `inspect run` printed."""


class FindingNotFound(StorageError):
    """No finding has that number: list them with `inspect findings`."""


class IllegalTransition(StorageError):
    """A run or a site was to skip a step of its ledger: a fault of the caller, which must take the steps in order."""


class EvidenceError(StorageError):
    """The evidence store cannot do what was asked."""


class EvidenceDiskFull(EvidenceError):
    """The disk under the evidence folder is full: free space, then resume the run; what was written before is whole."""


class EvidenceUnwritable(EvidenceError):
    """The evidence folder cannot be written: mend its path or permissions."""


class MissingRecord(EvidenceError):
    """No record lies where the reference points: the evidence file was moved, or belongs to another folder."""


class DamagedRecord(EvidenceError):
    """The record is there but its bytes are not those once written: restore the evidence file from the backup."""


class VersionTaken(StorageError):
    """Somebody else published that version of the year at the same time: look at it, then correct it if need be."""


class AlreadySealed(EvidenceError):
    """The run was sealed with another content: find out with `inspect evidence check` what was changed since."""


class ManifestUnreadable(EvidenceError):
    """A manifest is damaged, or of a newer program: restore it from the backup, or install the newer program."""


class IndexUnreadable(EvidenceError):
    """The sealed index of a run's records is damaged: restore it from the backup."""


class SigningKeyRefused(EvidenceError):
    """The signing key cannot be used: the message says how to mend its file, its permissions or its place."""


class SignatureWrong(EvidenceError):
    """The signature is not one of these bytes by that key: the bytes, the signature or the key were exchanged."""
