"""After a publish: a Dremio that has no views yet gets them, for they need published tables."""

import time

from gamelake.session import Session
from utils.config import Settings
from utils.errors import GamelakeError


def bring_views(session: Session) -> None:
    """Set up Dremio when it is configured, up, and lacks the views; never fails the build."""
    settings, note = session.settings, session.terminal.note
    if not _configured(settings):
        return
    try:
        brought = _bring(settings)
    except GamelakeError as error:
        note(f"Dremio did not get its views: {error.message}; try gamelake dremio-setup")
    else:
        if brought:
            note("Dremio has the views now")


def _configured(settings: Settings) -> bool:
    secrets = (settings.dremio_password, settings.minio_analyst_secret_key)
    named = settings.gamelake_profile == "stack" and bool(settings.dremio_user)
    return named and all(secret.get_secret_value() for secret in secrets)


def _bring(settings: Settings) -> bool:
    # Imported here, so that a build without Dremio does not pay for it.
    from serving.dremio_client import DremioClient  # noqa: PLC0415
    from serving.dremio_login import credentials, log_in  # noqa: PLC0415
    from serving.dremio_report import SetupReport  # noqa: PLC0415
    from serving.dremio_setup import DremioSetup, wanted_views  # noqa: PLC0415

    user, password = credentials(settings)
    with DremioClient(settings.dremio_url) as client:
        if not client.ready() or log_in(client, user, password, create=False):
            return False  # not part of this stack, or `dremio-setup` did not run yet
        last = wanted_views()[-1].body["path"]
        if client.find(last) is not None:
            return False
        DremioSetup(client, SetupReport(), pause=time.sleep).run(settings)
    return True
