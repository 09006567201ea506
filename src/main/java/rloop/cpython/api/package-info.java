/**
 * CPython's C API, a class for each header, functions under their own names.
 *
 * <p>Objects are addresses ({@code PyObject *}) in {@code long}s; 0 is {@code NULL}, which means
 * that an exception is set wherever the C API says so. {@link rloop.cpython.api.Owned} marks a
 * reference that changes hands; what is not marked is borrowed. Everything here needs the GIL (an
 * attached thread state on free-threaded builds).
 */
@NullMarked
package rloop.cpython.api;

import org.jspecify.annotations.NullMarked;
