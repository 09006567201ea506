package rloop.module;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyErrors;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyRuntime;
import rloop.cpython.api.PyScalars;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.cpython.object.Tuples;
import rloop.ffi.Memory;

/** Arguments of a method of flags {@code METH_FASTCALL | METH_KEYWORDS}. */
final class Arguments {
  private static final long CONTEXT =
      PyException.check(PyScalars.PyUnicode_InternFromString("context"));

  private static final long CONTEXT_TEXT = Memory.cString("context");

  private Arguments() {}

  /** A borrowed reference to a positional argument. */
  static long get(long arguments, long index) {
    return Memory.getLong(arguments + index * Long.BYTES);
  }

  /** Checks the count of positional arguments of a method that takes no more than those. */
  static void expect(String method, long count, long expected) {
    if (count != expected) {
      throw PyException.typeError(
          method + "() takes " + expected + " arguments (" + count + " given)");
    }
  }

  /**
   * Whether a scheduling method was called in the usual way: what it needs by position, and by name
   * nothing but {@code context}.
   *
   * @param required how many arguments it needs
   */
  static boolean areUsual(long count, long names, long required) {
    return count >= required && (names == 0 || isContextAlone(names));
  }

  private static boolean isContextAlone(long names) {
    if (Tuples.size(names) != 1) {
      return false;
    }
    long name = Tuples.get(names, 0);
    return name == CONTEXT || PyScalars.PyUnicode_CompareWithASCIIString(name, CONTEXT_TEXT) == 0;
  }

  /**
   * The call {@code (context, callback, *arguments)} of a scheduling method called in the usual
   * way.
   *
   * @param from the index of the callback among the positional arguments
   */
  @Owned
  static long call(long arguments, long from, long count, long names) {
    long context = context(names == 0 ? PyObjects.Py_None : get(arguments, count));
    long call = Tuples.create(1 + count - from);
    Tuples.setFirst(call, 0, context);
    for (long i = from; i < count; i++) {
      Tuples.setFirst(call, 1 + i - from, Ref.take(get(arguments, i)));
    }
    return call;
  }

  /** The context given, or a copy of the current one for {@code None}. */
  @Owned
  static long context(long given) {
    return given == PyObjects.Py_None
        ? PyException.check(PyRuntime.PyContext_CopyCurrent())
        : Ref.take(given);
  }

  /** Whether {@link #toDouble} takes it. float() takes strings as well. */
  static boolean isNumber(long object) {
    return Ref.type(object) == PyScalars.PyFloat_Type || PyScalars.PyNumber_Check(object);
  }

  /** The value of a Python number as a double. */
  static double toDouble(long number) {
    if (Ref.type(number) == PyScalars.PyFloat_Type) {
      return Memory.getDouble(number + Layout.FLOAT_VALUE);
    }
    if (!isNumber(number)) {
      throw PyException.typeError("a number of seconds is required");
    }
    long converted = PyException.check(PyScalars.PyNumber_Float(number));
    double value = Memory.getDouble(converted + Layout.FLOAT_VALUE);
    Ref.drop(converted);
    return value;
  }

  /** The value of a Python integer. */
  static long toLong(long number) {
    long value = PyScalars.PyLong_AsLongLong(number);
    if (value == -1 && PyErrors.PyErr_Occurred() != 0) {
      throw PyException.isSet();
    }
    return value;
  }

  /** The value of an {@code int} that may be a size, or -1 for what is none: Python says why. */
  static long toSize(long object) {
    if (Ref.type(object) != PyScalars.PyLong_Type) {
      return -1;
    }
    long value = PyScalars.PyLong_AsLongLong(object);
    if (value < 0) {
      PyErrors.PyErr_Clear(); // too great a number; for a negative one nothing is set
      return -1;
    }
    return value;
  }

  /** The value of a Python integer that C has as an {@code int}: a descriptor most of all. */
  static int toInt(long number) {
    int value = toIntOr(number, Integer.MIN_VALUE);
    if (value == Integer.MIN_VALUE) {
      throw PyException.overflowError("Python int too large to convert to C int");
    }
    return value;
  }

  /** As {@link #toInt}, or {@code otherwise} for what is too large. */
  static int toIntOr(long number, int otherwise) {
    long value = PyScalars.PyLong_AsLongLong(number);
    if (value == -1 && PyErrors.PyErr_Occurred() != 0) {
      PyErrors.PyErr_Clear();
      return otherwise;
    }
    return value == (int) value ? (int) value : otherwise;
  }

  @Owned
  static long none() {
    return Ref.take(PyObjects.Py_None);
  }

  @Owned
  static long bool(boolean value) {
    return Ref.take(value ? PyObjects.Py_True : PyObjects.Py_False);
  }
}
