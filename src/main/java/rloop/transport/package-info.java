/**
 * What moves bytes: connections and their write queues.
 *
 * <p>Thread rule: with the loop's lock, on the thread that runs the loop or while none does.
 * Nothing here calls a protocol; what a protocol is to be told becomes a call in the loop's pending
 * batch.
 */
@NullMarked
package rloop.transport;

import org.jspecify.annotations.NullMarked;
