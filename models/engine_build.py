"""From a bundle to a ready text model: the engine is built once and cached under what it is made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tokenizers import Tokenizer

from data.errors import BundleError, ConfigError, YujingError
from models.bundle import LEXICAL, TOKENIZER, Bundle, find_first_stage, text_part
from models.cache import FP32, INT8, INT8_ROWS, REMEDY, cache_root, clear_left, engine_path, one_builder
from models.cpu import has_vnni
from models.engine import Engine, OnnxEngine, TorchEngine
from models.engine_key import engine_key
from models.engine_name import DEFAULT
from models.lean import shown
from models.lexical import LexicalModel, load_lexical
from models.old_engines import make_room, mark_used
from models.openvino_engine import OpenVinoEngine
from models.sums import is_whole, remove, write_sum
from models.text import TextModel
from models.tokens import Tokens

STRANGE = "\ua66e"  # of no vocabulary


def onnx_path(bundle: Bundle) -> Path:
    """Where the bundle's fp32 graph lies, or will lie."""
    return engine_path(engine_key(bundle), FP32)


def int8_folder(bundle: Bundle) -> Path:
    """Where the bundle's int8 graph lies, or will lie."""
    return engine_path(engine_key(bundle), INT8)


def int8_rows_path(bundle: Bundle) -> Path:
    """Where the bundle's int8 graph for a CPU without VNNI lies, or will lie."""
    return engine_path(engine_key(bundle), INT8_ROWS)


def _build(bundle: Bundle, make: Callable[[], object], made: Path, *files: Path) -> None:
    """Make an engine's file or folder, unless it is there with all its files as they were written.

    What is left of a damaged one, what killed builds left there, and engines that are too many are removed first.
    """
    if all(is_whole(path) for path in files or (made,)):
        return
    with one_builder(folder := engine_path("", "").parent):
        if not all(is_whole(path) for path in files or (made,)):  # else another process has just made it
            remove(made)
            clear_left(folder)
            make_room(engine_key(bundle))
            with shown():  # transformers and NNCF ask for pandas
                make()


def build_onnx(bundle: Bundle) -> Path:
    """Build the graph unless it is cached (torch is imported only when it must be built)."""
    path = onnx_path(bundle)

    def make() -> None:
        from models.adapter import load_classifier
        from models.export import export_onnx

        write_sum(export_onnx(load_classifier(bundle), path))

    _build(bundle, make, path)
    return path


def build_int8(bundle: Bundle) -> Path:
    """Build the int8 graph unless it is cached."""
    folder = int8_folder(bundle)
    path = folder / "model.xml"

    def make() -> None:
        from models.quantise import quantise

        quantise(build_onnx(bundle), folder)

    _build(bundle, make, folder, path, path.with_suffix(".bin"))
    return path


def build_int8_rows(bundle: Bundle) -> Path:
    """Build the int8 graph for a CPU without VNNI unless it is cached."""
    path = int8_rows_path(bundle)

    def make() -> None:
        from models.quantise_rows import quantise_rows

        write_sum(quantise_rows(build_onnx(bundle), path))

    _build(bundle, make, path)
    return path


def _cached(
    bundle: Bundle, build: Callable[[Bundle], Path], opened: Callable[[Path], Engine], *parts: Callable[[Bundle], Path]
) -> Engine:
    """The engine of a cached graph; one that the disk has damaged, or that is gone once it is opened, is built anew.

    `parts`: what it may be damaged in, what is made of another before that.
    """
    engine = _opened(bundle, build, opened, *parts)
    mark_used(engine, engine_key(bundle))
    return engine


def _opened(
    bundle: Bundle, build: Callable[[Bundle], Path], opened: Callable[[Path], Engine], *parts: Callable[[Bundle], Path]
) -> Engine:
    for damaged in (part(bundle) for part in parts):
        try:
            return opened(build(bundle))
        except FileNotFoundError:
            continue
        except (YujingError, OSError):
            raise
        except Exception:  # each runtime has errors of its own
            remove(damaged)
    return opened(build(bundle))


def _int8(bundle: Bundle, pad: int, threads: int) -> Engine:
    if not has_vnni():
        return _cached(bundle, build_int8_rows, lambda path: OnnxEngine(path, pad, threads), int8_rows_path, onnx_path)
    return _cached(bundle, build_int8, lambda path: OpenVinoEngine(path, pad, threads), int8_folder, onnx_path)


def _bf16(bundle: Bundle, pad: int, threads: int) -> Engine:
    return _cached(bundle, build_onnx, lambda path: OpenVinoEngine(path, pad, threads), onnx_path)


def _onnx(bundle: Bundle, pad: int, threads: int) -> Engine:
    return _cached(bundle, build_onnx, lambda path: OnnxEngine(path, pad, threads), onnx_path)


def _torch(bundle: Bundle, pad: int, threads: int) -> Engine:
    import torch

    if threads:
        torch.set_num_threads(threads)
    with shown():
        from models.adapter import load_classifier

        return TorchEngine(load_classifier(bundle), pad)


ENGINES: dict[str, Callable[[Bundle, int, int], Engine]] = {
    "int8": _int8,
    "bf16": _bf16,
    "onnx": _onnx,
    "torch": _torch,
}


def load_tokens(bundle: Bundle) -> Tokens:
    """The bundle's own tokenizer, checked by hash; BundleError when it is none, or breaks on the unknown."""
    blob = bundle.read(TOKENIZER)
    try:
        tokenizer = Tokenizer.from_str(blob.decode())
        tokenizer.encode(STRANGE)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # tokenizers raises Exception itself, and its panics are not even that
        raise BundleError(
            f"{bundle.folder}: {TOKENIZER} is no tokenizer: {error}: train the text model again"
        ) from None
    return Tokens(tokenizer, text_part(bundle).max_tokens)


def _lexical(bundle: Bundle) -> LexicalModel | None:
    if LEXICAL not in bundle.manifest.files:
        return None
    return load_lexical(bundle.read(LEXICAL), len(bundle.manifest.categories))


def load_text_model(bundle: Bundle, engine: str = DEFAULT, threads: int = 0, first_stage: bool = False) -> TextModel:
    """The text model of a bundle; `engine` is int8 (serving), bf16, onnx (fp32) or torch (the reference).

    int8 and bf16 run on OpenVINO: int8 keeps its weights in 8 bits and quantises activations as it runs; the rest of
    it, and all of bf16, is computed in bfloat16, or in fp32 on a CPU without it. On a CPU without VNNI, where OpenVINO
    would compute all of int8 in fp32, ONNX Runtime runs it, with other scales (`models.quantise_rows`).
    ConfigError for an unknown engine, or a cache folder that cannot be used.
    """
    if engine not in ENGINES:
        raise ConfigError(f"unknown engine {engine!r}: use one of {', '.join(ENGINES)}")
    tokens = load_tokens(bundle)
    stage = find_first_stage(bundle) if first_stage else None
    try:
        made = ENGINES[engine](bundle, tokens.pad, threads)
    except OSError as error:
        where = f"engines cannot be kept in {cache_root()}"
        raise ConfigError(f"{where}: {error}: {REMEDY}") from None
    return TextModel(tokens, made, text_part(bundle).calibration, _lexical(bundle), stage)
