/**
 * Java Flight Recorder's events. Loaded when a recording starts and never before: the runtime may
 * have no module {@code jdk.jfr}, and classes of events are no part of an AOT cache.
 */
@NullMarked
package rloop.flight;

import org.jspecify.annotations.NullMarked;
