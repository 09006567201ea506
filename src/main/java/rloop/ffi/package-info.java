/**
 * The one place that touches {@code java.lang.foreign}'s linker, and insides of the JDK.
 *
 * <p>Every C function that this project calls takes at most six integer or pointer arguments, and
 * on the supported ABIs (System V x86-64, AAPCS64) those travel in registers. So every call uses
 * one shape, six {@code long}s to a {@code long}; arguments that a function does not have are zeros
 * in registers that it does not read. That matters at start-up: each further shape costs the linker
 * some milliseconds, a further function of a known shape nothing. Upcalls have one shape as well.
 */
@NullMarked
package rloop.ffi;

import org.jspecify.annotations.NullMarked;
