package rloop.cpython.abi;

/**
 * Is told what Java takes for granted of CPython's headers. A test has a C compiler say the same of
 * the headers that are installed.
 */
public interface Assumptions {
  /** That an expression of C, such as {@code sizeof(Py_buffer)}, has this value. */
  void add(String expression, long value);
}
