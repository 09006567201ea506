/** Where the fields of CPython's objects stand: read from the running Python, or from one table. */
@NullMarked
package rloop.cpython.abi;

import org.jspecify.annotations.NullMarked;
