package rloop.cpython.object;

import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyErrors;
import rloop.cpython.api.PyScalars;
import rloop.ffi.CriticalCall;
import rloop.ffi.Memory;

/**
 * A Python exception on its way through Java.
 *
 * <p>Either one that Python has set already ({@link #isSet}), or one to be set with a class and a
 * message. Without a stack trace: it is an answer to Python, not a fault of ours.
 */
public final class PyException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  @SuppressWarnings("StaticAssignmentOfThrowable") // without a stack trace one serves all
  private static final PyException SET = new PyException(null, "set in Python");

  private static final CriticalCall STRERROR = CriticalCall.of("strerror");

  /** The C name of the exception's class; null if the exception is set already. */
  private final @Nullable String type;

  private final String message;

  /** The first argument of an {@code OSError}, or 0. */
  private final int errno;

  private PyException(@Nullable String type, String message) {
    this(type, message, 0);
  }

  private PyException(@Nullable String type, String message, int errno) {
    super(null, null, false, false);
    this.type = type;
    this.message = message;
    this.errno = errno;
  }

  /** The exception that a C function has set before it failed. */
  public static PyException isSet() {
    return SET;
  }

  public static PyException typeError(String message) {
    return new PyException("PyExc_TypeError", message);
  }

  public static PyException valueError(String message) {
    return new PyException("PyExc_ValueError", message);
  }

  public static PyException runtimeError(String message) {
    return new PyException("PyExc_RuntimeError", message);
  }

  public static PyException overflowError(String message) {
    return new PyException("PyExc_OverflowError", message);
  }

  public static PyException osError(String message) {
    return new PyException("PyExc_OSError", message);
  }

  /** An {@code OSError}, of the subclass that belongs to the number. */
  public static PyException osError(int errno) {
    return new PyException("PyExc_OSError", Memory.string(STRERROR.call(errno)), errno);
  }

  /** Returns the result of a system call unless it is {@code -errno}. */
  public static int checkErrno(int result) {
    if (result < 0) {
      throw osError(-result);
    }
    return result;
  }

  /** Returns the result of a C function unless it is {@code NULL}. */
  public static long check(long object) {
    if (object == 0) {
      throw SET;
    }
    return object;
  }

  /** Returns the result of a C function unless it is negative. */
  public static int checkStatus(int status) {
    if (status < 0) {
      throw SET;
    }
    return status;
  }

  @Override
  public String getMessage() {
    return message;
  }

  /** Makes Python see this exception. */
  public void set() {
    if (type == null) {
      return;
    }
    long exception = PyErrors.exception(type);
    if (errno == 0) {
      PyErrors.PyErr_SetString(exception, message);
    } else {
      long arguments =
          Tuples.of(PyScalars.PyLong_FromLongLong(errno), PyScalars.PyUnicode_FromString(message));
      PyErrors.PyErr_SetObject(exception, arguments);
      Ref.drop(arguments);
    }
  }

  /** This exception as a Python object. */
  @Owned
  public long toPython() {
    set();
    return PyErrors.takeRaised();
  }
}
