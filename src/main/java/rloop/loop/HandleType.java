package rloop.loop;

import rloop.cpython.abi.Layout;
import rloop.cpython.api.Owned;
import rloop.cpython.api.PyObjects;
import rloop.cpython.api.PyTypes;
import rloop.cpython.object.Floats;
import rloop.cpython.object.Modules;
import rloop.cpython.object.PyException;
import rloop.cpython.object.Ref;
import rloop.cpython.type.TypeSpec;
import rloop.ffi.Memory;

/**
 * A type of handles: derived from {@code asyncio.Handle} or {@code asyncio.TimerHandle}, with the
 * fields by which Java finds the call again.
 *
 * <p>The stdlib's slots for callback, arguments and context stay empty: the call's tuple has them
 * all, in one reference, and Python sees them through properties of the final class.
 */
public final class HandleType {
  /** No sequence number, no index. */
  static final long NONE = -1;

  /** The type to derive the final class from. */
  public final @Owned long base;

  /** {@code _call}: the tuple; empty while the queue has it ({@link Scheduler} says when). */
  private final int call;

  private final int sequence;
  private final int worker;
  private final int timerIndex;
  private final int deadline;

  // Slots of asyncio.Handle, asyncio.TimerHandle
  private final int cancelled;
  private final int loop;
  private final int sourceTraceback;
  private final int repr;
  private final int scheduled;
  private final int when;

  /** The list of weak references, which keep a handle from being used again. */
  private final int weakReferences;

  /** The class whose instances are made; the final one once Python has defined it. */
  private @Owned long type;

  private HandleType(String name, long stdlib, boolean timer) {
    TypeSpec spec = new TypeSpec(name, stdlib).subclassable();
    call = spec.reference("_call");
    sequence = spec.hiddenLong();
    worker = spec.hiddenLong();
    timerIndex = spec.hiddenLong();
    deadline = timer ? spec.hiddenLong() : 0;
    base = spec.create();
    type = Ref.take(base);
    weakReferences = Layout.weakReferencesOffset(stdlib);
    cancelled = Layout.slotOffset(stdlib, "_cancelled");
    loop = Layout.slotOffset(stdlib, "_loop");
    sourceTraceback = Layout.slotOffset(stdlib, "_source_traceback");
    repr = Layout.slotOffset(stdlib, "_repr");
    scheduled = timer ? Layout.slotOffset(stdlib, "_scheduled") : 0;
    when = timer ? Layout.slotOffset(stdlib, "_when") : 0;
  }

  /** The type for {@code call_soon} and readers. */
  public static HandleType handle() {
    return create("Handle", false);
  }

  /** The type for {@code call_at}. */
  public static HandleType timerHandle() {
    return create("TimerHandle", true);
  }

  private static HandleType create(String name, boolean timer) {
    long stdlib = Modules.attribute("asyncio.events", name);
    HandleType created = new HandleType("rloop._core." + name, stdlib, timer);
    Ref.drop(stdlib);
    return created;
  }

  /** Sets the class whose instances are made, which adds no fields. */
  public void setType(@Owned long type) {
    long old = this.type;
    this.type = type;
    Ref.drop(old);
  }

  /** A handle of a loop's worker, without a call. */
  @Owned
  long create(long pythonLoop, int ofWorker) {
    long handle = PyException.check(PyTypes.PyType_GenericAlloc(type));
    Memory.putLong(handle + cancelled, Ref.take(PyObjects.Py_False));
    Memory.putLong(handle + loop, Ref.take(pythonLoop));
    Memory.putLong(handle + sourceTraceback, Ref.take(PyObjects.Py_None));
    Memory.putLong(handle + repr, Ref.take(PyObjects.Py_None));
    Memory.putLong(handle + worker, ofWorker);
    Memory.putLong(handle + sequence, NONE);
    Memory.putLong(handle + timerIndex, NONE);
    return handle;
  }

  boolean isOf(long handle) {
    return Memory.getLong(handle + Layout.TYPE) == type;
  }

  /** Whether nobody but the caller has this handle. */
  boolean isUnused(long handle) {
    return Ref.isOnlyOne(handle) && Memory.getLong(handle + weakReferences) == 0;
  }

  /** The Python loop that the handle belongs to, borrowed. */
  public long loop(long handle) {
    return Memory.getLong(handle + loop);
  }

  /** Which of its loop's workers it belongs to. */
  public int worker(long handle) {
    return (int) Memory.getLong(handle + worker);
  }

  /** The call, borrowed; 0 if the handle does not hold it. */
  public long call(long handle) {
    return Memory.getLong(handle + call);
  }

  /** Takes the call out of the handle. */
  @Owned
  long takeCall(long handle) {
    @Owned long tuple = call(handle);
    Memory.putLong(handle + call, 0);
    return tuple;
  }

  void setCall(long handle, @Owned long tuple) {
    @Owned long old = call(handle);
    Memory.putLong(handle + call, tuple);
    Ref.dropIfAny(old);
  }

  boolean isCancelled(long handle) {
    return Memory.getLong(handle + cancelled) != PyObjects.Py_False;
  }

  void setCancelled(long handle) {
    replace(handle + cancelled, PyObjects.Py_True);
  }

  long sequence(long handle) {
    return Memory.getLong(handle + sequence);
  }

  void setSequence(long handle, long value) {
    Memory.putLong(handle + sequence, value);
  }

  int timerIndex(long handle) {
    return (int) Memory.getLong(handle + timerIndex);
  }

  void setTimerIndex(long handle, long value) {
    Memory.putLong(handle + timerIndex, value);
  }

  /** For {@code call_later}; few ask for what {@link #when} makes of it. */
  void setDeadline(long handle, double seconds) {
    Memory.putDouble(handle + deadline, seconds);
  }

  /** For {@code call_at}: {@code TimerHandle._when} is the very object given. */
  void setWhen(long handle, long object) {
    Memory.putLong(handle + when, Ref.take(object));
  }

  /** {@code TimerHandle._when}, borrowed. */
  public long when(long handle) {
    if (Memory.getLong(handle + when) == 0) {
      Memory.putLong(handle + when, Floats.of(Memory.getDouble(handle + deadline)));
    }
    return Memory.getLong(handle + when);
  }

  /** {@code TimerHandle._scheduled}; it has no value before the first call. */
  void setScheduled(long handle, boolean value) {
    replace(handle + scheduled, value ? PyObjects.Py_True : PyObjects.Py_False);
  }

  private static void replace(long slot, long object) {
    @Owned long old = Memory.getLong(slot);
    Memory.putLong(slot, Ref.take(object));
    Ref.dropIfAny(old);
  }
}
