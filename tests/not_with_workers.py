"""Tests of what can't be so on a loop with several workers, by design, and why."""

NOT_WITH_WORKERS = {
    "test_pieces_of_a_server_are_gathered": (
        "until the worker that has accepted the connection runs again, a reference to the socket "
        "waits there to be given up: who has the socket as well may use it, so nothing is gathered"
    ),
}
