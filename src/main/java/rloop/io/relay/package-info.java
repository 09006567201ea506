/**
 * I/O on another thread than the loop's: lending the driver, and telling afterwards what happened.
 *
 * <p>An I/O thread never touches Python. What endpoints have to tell meanwhile is noted, and told
 * on the loop's thread when that has the driver again.
 */
@NullMarked
package rloop.io.relay;

import org.jspecify.annotations.NullMarked;
