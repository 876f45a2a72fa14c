"""The teacher's desk: endpoints by URL, or a vLLM server that is made ready while other stages work."""

from __future__ import annotations

import threading
from pathlib import Path
from urllib.parse import urlsplit

from corpus.errors import HornbookError, RecipeError, SetupError
from corpus.tokens import TokenCounter, load_counter
from generator.local import SERVED_NAME, embedded_folder, ensure_embedded_teacher
from generator.registry import Registry
from generator.server import VllmServer
from generator.teacher_config import EMBEDDED, TeacherConfig
from ray_jobs.cluster import cache_folder
from ray_jobs.talk import Talk

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Desk:
    """Starts the embedded or a named model in the background on `open`; stages block only when they need it."""

    def __init__(self, config: TeacherConfig, log: Path, talk: Talk) -> None:
        self._config, self._log, self._talk = config, log, talk
        self._server: VllmServer | None = None
        self._thread: threading.Thread | None = None
        self._folder_ready, self._failure = threading.Event(), None  # type: threading.Event, HornbookError | None
        self._closed = False
        check_terms(config)

    @property
    def served_name(self) -> str:
        """The name that the endpoint serves the model under."""
        if self._config.registry and not self._config.endpoints:
            return Registry(self._config.registry).read()[0]
        return SERVED_NAME if self._config.model == EMBEDDED else self._config.model

    def open(self) -> None:
        """Begin to make the teacher ready, unless it was begun."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._prepare, name="teacher", daemon=True)
            self._thread.start()

    def urls(self) -> tuple[str, ...]:
        """Base URLs, once the teacher answers. Raises what kept it from being ready."""
        if self._config.endpoints:
            return self._config.endpoints
        if self._config.registry:
            return Registry(self._config.registry).read()[1]
        self.open()
        assert self._thread is not None
        self._thread.join()
        if self._failure:
            raise self._failure
        assert self._server is not None
        return (self._server.url,)

    def counter(self) -> TokenCounter:
        """The recipe's one tokenizer: named, or the embedded teacher's."""
        if self._config.tokenizer:
            return load_counter(str(Path(self._config.tokenizer) / "tokenizer.json"))
        if self._config.model == EMBEDDED:
            folder = embedded_folder(cache_folder())
            if not (folder / "tokenizer.json").is_file():
                self.open()
                self._folder_ready.wait()
                if self._failure:
                    raise self._failure
            return load_counter(str(folder / "tokenizer.json"))
        if Path(self._config.model).is_dir():
            return load_counter(str(Path(self._config.model) / "tokenizer.json"))
        raise SetupError(
            "no tokenizer to count budgets with", hint="set teacher.tokenizer to a folder with a tokenizer.json"
        )

    def keep_alive(self) -> None:
        """Restart our own server when it died; requests in flight are sent again by the askers."""
        if self._server and not self._closed and not self._server.alive():
            self._talk.say("teacher    the server died; starting it again")
            self._server.restart()

    def stop(self) -> None:
        """End the server that was started for this run."""
        self._closed = True
        if self._server:
            self._server.stop()

    def _prepare(self) -> None:
        try:
            folder = self._folder()
            self._folder_ready.set()
            if self._config.endpoints or self._config.registry or self._closed:
                return
            server = VllmServer(
                folder, self.served_name, self._config.server, self._log, top_logprobs=self._config.top_logprobs
            )
            self._server = server.start()
            url = self._server.wait_ready()
            self._talk.say(f"teacher    {self.served_name} answers at {url}")
        except HornbookError as error:
            self._failure = error
        except Exception as error:  # a thread's exception would vanish: it is raised again where the teacher is needed
            self._failure = SetupError(f"the teacher could not be made ready: {error!r}", hint="hornbook doctor")
        finally:
            self._folder_ready.set()

    def _folder(self) -> str:
        if self._config.model != EMBEDDED:
            return self._config.model
        if not (embedded_folder(cache_folder()) / "config.json").is_file():
            self._talk.say(f"teacher    converting {SERVED_NAME} (once)")
        return str(ensure_embedded_teacher(cache_folder()))


def check_terms(config: TeacherConfig) -> None:
    """An endpoint that is not on this machine needs https and its terms. Raises `RecipeError`."""
    for url in config.endpoints:
        parts = urlsplit(url)
        if parts.hostname in LOOPBACK:
            continue
        if parts.scheme != "https":
            raise RecipeError(f"teacher.endpoints: {parts.hostname} is not on this machine and its URL is not https")
        if not config.terms:
            raise RecipeError(
                f"teacher.endpoints: {parts.hostname} is not on this machine, and teacher.terms is empty",
                hint="name the terms under which its output may be used for training",
            )
