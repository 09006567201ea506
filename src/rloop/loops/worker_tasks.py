"""The tasks of a loop with several workers: each is cancelled on its own.

CPython's tasks and futures have critical sections, and so may be asked, set and waited for from any
thread. ``Task.cancel`` may not: it cancels the future that the task waits for, and code that sets
that one's result asks ``done()`` first, and then nobody must come in between; and CPython holds no
reference to it meanwhile, so that the task's worker may free it. So whoever cancels a task of
another worker has it done there.

What then becomes of the answer: True says that the task will be cancelled, which is not known
yet. Who cancels a task *because it waits for this one* would trust it, and the cancellation would
be lost if this one ended before. There it is False, which has that task cancel itself as well.
"""

from __future__ import annotations

import threading
from asyncio import tasks
from typing import TYPE_CHECKING, Any

from . import workers as crews
from .workers import AFFINITY

if TYPE_CHECKING:
    from .workers import Worker

_cancelling = threading.local()


class Task(tasks.Task[Any]):
    """A task of a loop with several workers."""

    __slots__ = ()

    def cancel(self, msg: Any | None = None) -> bool:
        """As asyncio's; a task of another worker is cancelled when that one comes to it."""
        home = home_elsewhere(self)
        outer = getattr(_cancelling, "task", None)
        if home is None:
            _cancelling.task = self
            try:
                return super().cancel(msg)
            finally:
                _cancelling.task = outer
        if self.done():
            return False
        home.call_soon(self.cancel, msg)
        return outer is None

    def get_coro(self) -> Any:
        """The coroutine that was given."""
        coro = super().get_coro()
        return getattr(coro, "coro", coro) if type(coro).__name__ == "Placed" else coro


def home_elsewhere(task: Any) -> Worker | None:
    """The worker whose task it is, if that is another thread, and may run now."""
    affinity = task.get_context().get(AFFINITY)
    here = crews.current_worker()
    if affinity is None or (here is not None and here.affinity is affinity):
        return None
    loop: Any = task.get_loop()
    if not loop.is_running():
        return None
    for worker in getattr(loop, "workers", ()):
        if worker.affinity is affinity or (worker.index == 0 and affinity is loop._main_flow):
            return None if worker is here else worker
    return None
