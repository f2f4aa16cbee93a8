"""The errors that a user of Yujing can cause, and nothing else."""


class YujingError(Exception):
    """An expected failure: names the value, what was expected and what to do. The CLI prints it as one line."""

    code = "yujing_error"


class InputError(YujingError):
    """A post, a row or a series that cannot be read or scored."""

    code = "invalid_input"


class ConfigError(YujingError):
    """A setting that is unknown, of the wrong type or out of range."""

    code = "invalid_config"


class CorpusError(YujingError):
    """Training data that are absent, too few or one-sided."""

    code = "invalid_corpus"


class EncoderError(YujingError):
    """A base encoder that cannot be found, or whose file is not what it should be."""

    code = "invalid_encoder"


class BundleError(YujingError):
    """A bundle that is tampered with, foreign, incomplete or of another format."""

    code = "invalid_bundle"
