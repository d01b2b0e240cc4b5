# Runs when Python starts, because `otel-genai run` put this folder in front of PYTHONPATH. It leaves no trace but the
# hooks: the folder goes out of sys.path, and the sitecustomize that Python would have found is run in its place.
# Written for every Python there is; the hooks themselves are for 3.8 and newer.
import sys


def _start():
    import os

    here = os.path.dirname(os.path.abspath(__file__))
    try:
        if sys.version_info >= (3, 8):
            import _otel_genai_shim

            _otel_genai_shim.install()
    except Exception:
        pass
    sys.path[:] = [path for path in sys.path if not path or os.path.abspath(path) != here]
    sys.path_importer_cache.pop(here, None)


def _next():
    ours = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # noqa: F401
    except ImportError as error:
        # There is no other. What else it fails with is told as it would have been.
        if getattr(error, "name", "sitecustomize") != "sitecustomize":
            raise
    finally:
        sys.modules.setdefault("sitecustomize", ours)


_start()
_next()
