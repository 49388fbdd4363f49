"""Which files the branches and tags of a lake need."""

from etl.iceberg_catalog import LakeCatalog


def referenced_files(catalog: LakeCatalog) -> dict[str, dict[str, int | None]]:
    """Return, for each branch and tag, the files its tables need and their recorded sizes.

    A size is None where Iceberg records none (metadata files and manifest lists).
    """
    found: dict[str, dict[str, int | None]] = {}
    for name in catalog.references():
        found[name] = {}
        for table in catalog.pin(name).tables.values():
            found[name].update(table.files())
    return found
