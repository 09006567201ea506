/**
 * OpenSSL, function by function: a class for each header, a method for each function, named as its
 * manual names it. Only what the data of an established connection needs; handshakes are Python's.
 *
 * <p>Nothing here is loaded before the first TLS connection.
 */
@NullMarked
package rloop.openssl;

import org.jspecify.annotations.NullMarked;
