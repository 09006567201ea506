/**
 * Waiting for file descriptors: one {@link rloop.io.poll.Poller} interface, a sibling for each
 * kernel interface behind it, one waker that they share. Knows nothing of Python.
 */
@NullMarked
package rloop.io.poll;

import org.jspecify.annotations.NullMarked;
