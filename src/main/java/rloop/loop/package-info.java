/**
 * The loop: an iterator of calls, and where they come from.
 *
 * <p>Thread rule: everything here is called with the loop's lock held (the GIL; ARCHITECTURE.md
 * says what it is on free-threaded builds). A loop's poller alone waits without it. Nothing here
 * calls user code: calls go into a batch, and Python runs the batch when no Java frame is on its
 * stack.
 */
@NullMarked
package rloop.loop;

import org.jspecify.annotations.NullMarked;
