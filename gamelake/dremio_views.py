"""After a publish: a Dremio that lacks views gets them, for they need published tables."""

import time

from gamelake.session import Session
from utils.config import Settings
from utils.errors import GamelakeError

_TIMEOUT_S = (2.0, 15.0)  # to connect, between bytes: somebody waits for the build's result
_LATER = "try gamelake dremio-setup"


def bring_views(session: Session) -> None:
    """Set up Dremio when it is configured, up, and lacks views of this version.

    Never fails the build, which is published by now: trouble and Ctrl-C end in a remark.
    """
    settings, note = session.settings, session.terminal.note
    if not _configured(settings):
        return
    try:
        brought = _bring(settings)
    except GamelakeError as error:
        note(f"Dremio did not get its views: {error.message}; {_LATER}")
    except KeyboardInterrupt:
        note(f"Dremio did not get all its views: stopped; {_LATER}")
    else:
        if brought:
            note(f"Dremio has the views now, {brought} of them new or changed")


def _configured(settings: Settings) -> bool:
    secrets = (settings.dremio_password, settings.minio_analyst_secret_key)
    named = settings.gamelake_profile == "stack" and bool(settings.dremio_user)
    return named and all(secret.get_secret_value() for secret in secrets)


def _bring(settings: Settings) -> int:
    """Return how many views came or changed."""
    # Imported here, so that a build without Dremio does not pay for it.
    from serving.dremio_client import DremioClient  # noqa: PLC0415
    from serving.dremio_login import credentials, log_in  # noqa: PLC0415
    from serving.dremio_report import SetupReport  # noqa: PLC0415
    from serving.dremio_setup import DremioSetup, has_views  # noqa: PLC0415

    user, password = credentials(settings)
    report = SetupReport()
    with DremioClient(settings.dremio_url, timeout_s=_TIMEOUT_S) as client:
        if not client.ready() or log_in(client, user, password, create=False):
            return 0  # not part of this stack, or `dremio-setup` did not run yet
        if not has_views(client):
            DremioSetup(client, report, pause=time.sleep).run(settings)
    return report.new_views
