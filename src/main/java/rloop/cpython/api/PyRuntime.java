package rloop.cpython.api;

import rloop.ffi.CFunction;
import rloop.ffi.CString;
import rloop.ffi.Downcall;
import rloop.ffi.Memory;

/** {@code ceval.h}, {@code context.h}, {@code import.h} and {@code moduleobject.h}. */
@SuppressWarnings("MemberName") // named as in the header
public final class PyRuntime {
  private static final Downcall SAVE_THREAD = Downcall.of("PyEval_SaveThread");
  private static final Downcall RESTORE_THREAD = Downcall.of("PyEval_RestoreThread");
  private static final CFunction COPY_CURRENT = ObjectAllocation.of("PyContext_CopyCurrent");
  private static final Downcall CONTEXT_NEW = Downcall.of("PyContext_New");
  private static final Downcall IMPORT = Downcall.of("PyImport_ImportModuleLevel");
  private static final Downcall MODULE_NEW = Downcall.of("PyModule_New");

  private PyRuntime() {}

  /** Releases the GIL; the result goes to {@link #PyEval_RestoreThread}. */
  public static long PyEval_SaveThread() {
    return SAVE_THREAD.call();
  }

  /** Takes the GIL again; does not return while the interpreter is being finalised. */
  public static void PyEval_RestoreThread(long threadState) {
    RESTORE_THREAD.call(threadState);
  }

  /** As {@code contextvars.copy_context()}. */
  @Owned
  public static long PyContext_CopyCurrent() {
    return COPY_CURRENT.call();
  }

  /** An empty context. */
  @Owned
  public static long PyContext_New() {
    return CONTEXT_NEW.call();
  }

  /**
   * As {@code from name import …}, of a module that isn't a package. {@code PyImport_ImportModule}
   * finds nothing where a program has put another dictionary in the place of {@code sys.modules}.
   */
  @Owned
  public static long PyImport_ImportModuleLevel(String name) {
    try (CString copy = new CString(name)) {
      long anyNames = PyObjects.Py_True; // asked for its truth alone
      return IMPORT.call(copy.address(), 0, 0, anyNames, 0);
    }
  }

  @Owned
  public static long PyModule_New(String name) {
    return MODULE_NEW.call(Memory.cString(name));
  }
}
