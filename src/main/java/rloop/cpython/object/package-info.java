/** Python objects as Java uses them: reference counts, tuples, lists, exceptions. */
@NullMarked
package rloop.cpython.object;

import org.jspecify.annotations.NullMarked;
