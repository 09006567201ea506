"""Programs whose tasks, on several workers, use one of asyncio's primitives as hard as they can."""

NAMES = (
    "lock",
    "event",
    "condition",
    "semaphore",
    "bounded_semaphore",
    "barrier",
    "queue",
    "priority_queue",
    "lifo_queue",
    "future",
    "await_task",
    "task_group",
    "timeout",
    "wait_for",
    "gather",
    "cancellation",
    "executor",
    "stream_reader",
    "drain",
    "echo",
)
