/** Datagrams: what is queued, and the system calls that move several at a time. */
@NullMarked
package rloop.io.datagram;

import org.jspecify.annotations.NullMarked;
