package rloop.ffi;

import jdk.internal.foreign.abi.ABIDescriptor;
import jdk.internal.foreign.abi.Architecture;
import jdk.internal.foreign.abi.StubLocations;
import jdk.internal.foreign.abi.VMStorage;
import jdk.internal.foreign.abi.aarch64.AArch64Architecture;
import jdk.internal.foreign.abi.x64.X86_64Architecture;

/**
 * A machine's calling convention as the JDK's linker wants to have it told: that of C on Linux and
 * macOS, System V's or ARM's.
 */
final class Registers {
  final ABIDescriptor abi;

  /**
   * Where a function's six arguments are, and one that is 0: of x86-64 the number of vector
   * registers with arguments, which functions with {@code ...} look at.
   */
  final VMStorage[] arguments;

  /** Where its result is. */
  final VMStorage[] results;

  private static final String MACHINE = System.getProperty("os.arch");
  private static final int STACK_ALIGNMENT = 16;

  private Registers(ABIDescriptor abi, VMStorage[] arguments, VMStorage[] results) {
    this.abi = abi;
    this.arguments = arguments;
    this.results = results;
  }

  static boolean areKnown() {
    return isX64() || isAarch64();
  }

  static Registers ofMachine() {
    return isX64() ? x64() : aarch64();
  }

  private static boolean isX64() {
    return "amd64".equals(MACHINE) || "x86_64".equals(MACHINE);
  }

  private static boolean isAarch64() {
    return "aarch64".equals(MACHINE);
  }

  private static Registers x64() {
    VMStorage r10 = X86_64Architecture.Regs.r10;
    VMStorage r11 = X86_64Architecture.Regs.r11;
    VMStorage xmm0 = X86_64Architecture.Regs.xmm0;
    VMStorage rdx = X86_64Architecture.Regs.rdx;
    VMStorage rax = X86_64Architecture.Regs.rax;
    VMStorage[] arguments = {
      X86_64Architecture.Regs.rdi,
      X86_64Architecture.Regs.rsi,
      rdx,
      X86_64Architecture.Regs.rcx,
      X86_64Architecture.Regs.r8,
      X86_64Architecture.Regs.r9,
      rax
    };
    VMStorage[] floats = {X86_64Architecture.x87Storage(0), X86_64Architecture.x87Storage(1)};
    ABIDescriptor abi =
        abi(
            X86_64Architecture.INSTANCE,
            X86_64Architecture.StorageType.PLACEHOLDER,
            new VMStorage[][] {arguments, from(xmm0, 0, 8)},
            new VMStorage[][] {{rax, rdx}, from(xmm0, 0, 2), floats},
            new VMStorage[][] {{r10, r11}, from(xmm0, 8, 32)},
            r10,
            r11);
    return new Registers(abi, arguments, new VMStorage[] {rax});
  }

  private static Registers aarch64() {
    VMStorage r0 = AArch64Architecture.Regs.r0;
    VMStorage v0 = AArch64Architecture.Regs.v0;
    ABIDescriptor abi =
        abi(
            AArch64Architecture.INSTANCE,
            AArch64Architecture.StorageType.PLACEHOLDER,
            new VMStorage[][] {from(r0, 0, 9), from(v0, 0, 8)},
            new VMStorage[][] {from(r0, 0, 2), from(v0, 0, 4)},
            new VMStorage[][] {from(r0, 9, 16), from(v0, 16, 32)},
            AArch64Architecture.Regs.r9,
            AArch64Architecture.Regs.r10);
    return new Registers(abi, from(r0, 0, 7), from(r0, 0, 1));
  }

  private static ABIDescriptor abi(
      Architecture machine,
      byte placeholder,
      VMStorage[][] inputs,
      VMStorage[][] outputs,
      VMStorage[][] changedByC,
      VMStorage scratch1,
      VMStorage scratch2) {
    return new ABIDescriptor(
        machine,
        inputs,
        outputs,
        changedByC,
        STACK_ALIGNMENT,
        0,
        scratch1,
        scratch2,
        StubLocations.TARGET_ADDRESS.storage(placeholder),
        StubLocations.RETURN_BUFFER.storage(placeholder),
        StubLocations.CAPTURED_STATE_BUFFER.storage(placeholder));
  }

  /** Registers of the kind of {@code first}, by their numbers. */
  private static VMStorage[] from(VMStorage first, int start, int end) {
    VMStorage[] registers = new VMStorage[end - start];
    for (int i = 0; i < registers.length; i++) {
      registers[i] =
          new VMStorage(first.type(), first.segmentMaskOrSize(), start + i, first.debugName());
    }
    return registers;
  }
}
