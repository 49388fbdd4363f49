"""Folders that are still there after a power loss."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make the entries of `folder` (files created, linked, removed) survive a power loss."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Create `folder` and those above it; each new one is synced in the folder that holds it."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)
