"""Register a bundle in the BentoML model store, so that it has a version beside the ones before it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from data.errors import ConfigError
from models.bundle import Bundle

STORE_NAME = "yujing-risk"


def register(bundle: Bundle) -> str:
    """Copy the bundle into the store; the tag's version is the bundle's digest, so the same bundle is stored once.

    ConfigError for a store that cannot be written: the training is over, so the reason tells that nothing is lost.
    """
    try:
        return _stored(bundle)
    except OSError as error:
        raise ConfigError(
            f"{bundle.folder} is complete, only not registered in the BentoML model store: {error}: serve it by "
            "--bundle, or set BENTOML_HOME to a folder that can be written and repeat"
        ) from None


def _stored(bundle: Bundle) -> str:
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "true")  # "1" does not opt out
    import bentoml

    tag = f"{STORE_NAME}:{bundle.manifest.digest[:12]}"
    try:
        return str(bentoml.models.get(tag).tag)
    except bentoml.exceptions.NotFound:
        pass
    with bentoml.models.create(tag, labels={"format": str(bundle.manifest.format)}) as stored:
        shutil.copytree(bundle.folder, Path(stored.path), dirs_exist_ok=True)
    return tag
