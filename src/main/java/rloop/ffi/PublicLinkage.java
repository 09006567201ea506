package rloop.ffi;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/** By {@code java.lang.foreign}, on every Java. */
@SuppressWarnings("restricted")
final class PublicLinkage implements Linkage {
  private static final FunctionDescriptor DOWNCALL =
      FunctionDescriptor.of(
          JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

  private static final FunctionDescriptor UPCALL =
      FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

  private static final MethodHandle SEGMENT = own("segment");

  private static MethodHandle own(String method) {
    try {
      return MethodHandles.lookup()
          .findStatic(
              PublicLinkage.class, method, MethodType.methodType(MemorySegment.class, long.class));
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  @SuppressWarnings("unused") // reached through SEGMENT
  private static MemorySegment segment(long address) {
    return MemorySegment.ofAddress(address).reinterpret(Integer.BYTES);
  }

  @Override
  public MethodHandle downcall(boolean critical) {
    return withAddresses(
        critical
            ? Linker.nativeLinker().downcallHandle(DOWNCALL, Linker.Option.critical(false))
            : Linker.nativeLinker().downcallHandle(DOWNCALL),
        SEGMENT);
  }

  @Override
  public MethodHandle downcallWithErrno() {
    return withAddresses(
        Linker.nativeLinker().downcallHandle(DOWNCALL, Linker.Option.captureCallState("errno")),
        SEGMENT,
        SEGMENT);
  }

  private static MethodHandle withAddresses(MethodHandle handle, MethodHandle... segments) {
    MethodHandle byAddress = MethodHandles.filterArguments(handle, 0, segments);
    return MethodHandles.dropArguments(byAddress, byAddress.type().parameterCount(), long.class);
  }

  @Override
  public long upcall(MethodHandle target) {
    return Linker.nativeLinker().upcallStub(target, UPCALL, Arena.global()).address();
  }
}
