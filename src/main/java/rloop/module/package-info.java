/**
 * What Python sees: the types of {@code rloop._core} and their methods, each a few lines inward.
 */
@NullMarked
package rloop.module;

import org.jspecify.annotations.NullMarked;
