package rloop;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.lang.foreign.Linker;
import java.util.ArrayList;
import java.util.List;

@AnalyzeClasses(packages = "rloop", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {
  @ArchTest static final ArchRule packages_use_only_what_is_below_them = downwardsOnly();

  @ArchTest
  static final ArchRule only_ffi_uses_the_linker =
      noClasses()
          .that()
          .resideOutsideOfPackage("rloop.ffi")
          .should()
          .dependOnClassesThat()
          .belongToAnyOf(Linker.class);

  @ArchTest
  static final ArchRule only_ffi_uses_insides_of_the_jdk =
      noClasses()
          .that()
          .resideOutsideOfPackage("rloop.ffi")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("jdk.internal..");

  /** A package and, beside its own classes, whose it may use. */
  private record Layer(String name, List<String> below) {}

  /** Lowest first; a new package needs a line here. What need not know Python doesn't. */
  private static List<Layer> layers() {
    List<Layer> layers = new ArrayList<>();
    layers.add(new Layer("ffi", List.of()));
    layers.add(new Layer("posix", List.of("ffi")));
    layers.add(new Layer("openssl", List.of("ffi")));
    layers.add(new Layer("io.poll", List.of("ffi", "posix")));
    layers.add(new Layer("io.tls", List.of("ffi", "openssl")));
    layers.add(new Layer("io", List.of("ffi", "posix", "io.poll")));
    layers.add(
        new Layer("io.stream", List.of("ffi", "posix", "openssl", "io", "io.poll", "io.tls")));
    layers.add(new Layer("io.datagram", List.of("ffi", "posix", "io", "io.poll", "io.stream")));
    layers.add(
        new Layer(
            "io.relay",
            List.of("ffi", "posix", "io", "io.poll", "io.tls", "io.stream", "io.datagram")));

    layers.add(new Layer("cpython.api", List.of("ffi")));
    layers.add(new Layer("cpython.abi", List.of("ffi", "cpython.api")));
    layers.add(new Layer("cpython.object", List.of("ffi", "cpython.api", "cpython.abi")));
    layers.add(
        new Layer("cpython.type", List.of("ffi", "cpython.api", "cpython.abi", "cpython.object")));

    for (String name : List.of("loop", "transport", "flight", "module")) {
      layers.add(new Layer(name, layers.stream().map(Layer::name).toList()));
    }
    return layers;
  }

  private static ArchRule downwardsOnly() {
    List<Layer> layers = layers();
    var rule = layeredArchitecture().consideringOnlyDependenciesInAnyPackage("rloop..");
    for (Layer layer : layers) {
      rule = rule.layer(layer.name()).definedBy("rloop." + layer.name());
    }
    for (Layer layer : layers) {
      var access = rule.whereLayer(layer.name());
      rule =
          layer.below().isEmpty()
              ? access.mayNotAccessAnyLayer()
              : access.mayOnlyAccessLayers(layer.below().toArray(String[]::new));
    }
    return rule.ensureAllClassesAreContainedInArchitecture();
  }
}
