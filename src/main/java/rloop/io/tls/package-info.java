/** TLS between memory and memory: what becomes of bytes; sockets and Python are not known here. */
@NullMarked
package rloop.io.tls;

import org.jspecify.annotations.NullMarked;
