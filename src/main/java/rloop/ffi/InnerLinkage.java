package rloop.ffi;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import jdk.internal.access.SharedSecrets;
import jdk.internal.foreign.abi.ABIDescriptor;
import jdk.internal.foreign.abi.NativeEntryPoint;
import jdk.internal.foreign.abi.UpcallLinker;
import jdk.internal.foreign.abi.VMStorage;

/**
 * By what {@code java.lang.foreign} itself is made of: the stubs of the virtual machine, told which
 * registers they use.
 *
 * <p>The public linker puts adapters around them, which check and convert what here is {@code long}
 * anyway, and which it makes as bytecode when the process starts: forty classes, half of the time
 * that our start took. Each is a frame more on the way of every call, to be interpreted first,
 * compiled twice later. So this is for the Java whose insides are known, and others get the public
 * one.
 */
final class InnerLinkage implements Linkage {
  /** Whose insides these are. */
  private static final int KNOWN_VERSION = 25;

  /** As the virtual machine numbers what it can capture. */
  private static final int ERRNO = 1 << 2;

  private static final int UPCALL_ARGUMENTS = 4;

  private final Registers registers = Registers.ofMachine();
  private final ABIDescriptor abi = registers.abi;
  private final Method makeUpcallStub;
  private final Object upcallRegisters;

  /**
   * What a stub calls a target through. It has Java make code for a target that is called often
   * with the target as a constant, in which all that it calls can be inlined; that of the stubs
   * themselves is one for all of them.
   */
  private final MethodHandle invoker =
      MethodHandles.exactInvoker(
          MethodType.methodType(long.class, long.class, long.class, long.class, long.class));

  InnerLinkage() {
    try {
      Class<?> convention = Class.forName("jdk.internal.foreign.abi.UpcallLinker$CallRegs");
      Constructor<?> constructor =
          convention.getDeclaredConstructor(VMStorage[].class, VMStorage[].class);
      constructor.setAccessible(true);
      upcallRegisters =
          constructor.newInstance(
              Arrays.copyOf(registers.arguments, UPCALL_ARGUMENTS), registers.results);
      makeUpcallStub =
          UpcallLinker.class.getDeclaredMethod(
              "makeUpcallStub",
              MethodHandle.class,
              ABIDescriptor.class,
              convention,
              boolean.class,
              long.class);
      makeUpcallStub.setAccessible(true);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("Java's linker is not as expected", e);
    }
  }

  /** Whether this Java and this machine are those that it is for. */
  static boolean isKnown() {
    return Runtime.version().feature() == KNOWN_VERSION && Registers.areKnown();
  }

  @Override
  public MethodHandle downcall(boolean critical) {
    return handle(0, !critical, abi.targetAddrStorage());
  }

  @Override
  public MethodHandle downcallWithErrno() {
    return handle(ERRNO, true, abi.targetAddrStorage(), abi.capturedStateStorage());
  }

  private MethodHandle handle(int captured, boolean tellsTheJvm, VMStorage... first) {
    VMStorage[] arguments = registers.arguments;
    VMStorage[] all = Arrays.copyOf(first, first.length + arguments.length);
    System.arraycopy(arguments, 0, all, first.length, arguments.length);
    Class<?>[] types = new Class<?>[all.length];
    Arrays.fill(types, long.class);
    NativeEntryPoint entry =
        NativeEntryPoint.make(
            abi,
            all,
            registers.results,
            MethodType.methodType(long.class, types),
            false,
            captured,
            tellsTheJvm,
            false);
    return SharedSecrets.getJavaLangInvokeAccess().nativeMethodHandle(entry);
  }

  @Override
  public long upcall(MethodHandle target) {
    try {
      MethodHandle called = MethodHandles.insertArguments(invoker, 0, target);
      long stub = (long) makeUpcallStub.invoke(null, called, abi, upcallRegisters, false, 0L);
      if (stub == 0) {
        throw new OutOfMemoryError("no room for code");
      }
      return stub;
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new LinkageError("Java's linker makes no stub", e);
    }
  }
}
