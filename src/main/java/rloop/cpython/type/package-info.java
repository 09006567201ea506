/** Python types and functions made of Java methods. */
@NullMarked
package rloop.cpython.type;

import org.jspecify.annotations.NullMarked;
