package rloop.io.tls;

import rloop.ffi.Memory;

/**
 * Looks at the headers of records as they come in: up to TLS 1.2 they tell in the clear what a
 * record carries (RFC 5246, 6.2.1).
 */
final class RecordHeaders {
  private static final int ALERT = 21;
  private static final int APPLICATION_DATA = 23;

  /** One byte of type, two of version, two of length. */
  private static final int HEADER_SIZE = 5;

  private static final int LENGTH_AT = 3;

  /** How much of a header has been seen, in bytes. */
  private int seen;

  private int length;

  /** What is still to come of the record whose header was seen last, in bytes. */
  private long body;

  /** Whether all records that begin in these bytes carry data or alerts; true up to the first. */
  boolean areOfDataOrAlerts(long address, long size) {
    for (long at = address, end = address + size; at < end; ) {
      if (body > 0) {
        long rest = Math.min(body, end - at);
        body -= rest;
        at += rest;
        continue;
      }
      int value = Memory.getByte(at++) & 0xFF;
      if (seen == 0 && value != APPLICATION_DATA && value != ALERT) {
        return false;
      }
      if (seen >= LENGTH_AT) {
        length = length << Byte.SIZE | value;
      }
      if (++seen == HEADER_SIZE) {
        body = length;
        length = 0;
        seen = 0;
      }
    }
    return true;
  }
}
