/** Streams of bytes: what is queued, and the system calls that move it. */
@NullMarked
package rloop.io.stream;

import org.jspecify.annotations.NullMarked;
