/**
 * The C library: one class for each header, methods named as in the manual, structures as named
 * offsets into raw memory. No Python here.
 *
 * <p>Every method that can fail returns the result or {@code -errno}. Numbers that differ between
 * systems stand in {@link rloop.posix.Constants}.
 */
@NullMarked
package rloop.posix;

import org.jspecify.annotations.NullMarked;
