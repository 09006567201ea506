/**
 * What the kernel is asked: descriptors and their poller. Knows nothing of Python.
 *
 * <p>Thread rule: a poller and all that it watches belong to one thread at a time.
 */
@NullMarked
package rloop.io;

import org.jspecify.annotations.NullMarked;
