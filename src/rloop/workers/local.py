"""``rloop.WorkerLocal``: what each worker has an instance of its own of."""

from __future__ import annotations

import threading
from asyncio import events
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from . import crew as crews

T = TypeVar("T")


class WorkerLocal(Generic[T]):
    """Something that can't be shared by the workers of a ``TokioLoop``, once for each of them.

    ``factory`` makes it, without arguments, when a worker first asks; ``get()`` or a call of the
    object returns it. So a client whose pool of connections isn't made for several threads is there
    once a worker::

        client = rloop.WorkerLocal(httpx.AsyncClient)


        async def handler(request):
            return await client().get("http://backend/")

    A loop with one worker, of whatever class, has one instance as well, and a thread on which no
    loop runs one of its own. Instances are freed with their loop or their thread, or with this
    object; who has to close them does so himself, on their worker.
    """

    def __init__(self, factory: Callable[[], T]) -> None:
        """Makes nothing yet."""
        self._factory = factory
        self._of_threads = threading.local()

    def get(self) -> T:
        """The instance of the worker that this runs on."""
        here: Any = crews.current_worker() or events._get_running_loop() or self._of_threads
        try:
            instances = here._rloop_locals
        except AttributeError:
            instances = here._rloop_locals = WeakKeyDictionary()
        try:
            return instances[self]  # type: ignore[no-any-return]
        except KeyError:
            instance = instances[self] = self._factory()
            return instance

    __call__ = get

    def __repr__(self) -> str:
        return f"<WorkerLocal of {self._factory!r}>"
